import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';

/** A network between a source and its server that can break in the ways that networks do. */
export interface Proxy {
  readonly port: number;
  /** Ends every connection, as a server that restarts does. */
  cut(): void;
  /** Takes connections and swallows what is sent. */
  stall(): void;
  /** Carries again what comes from now on; connections that were stalled are ended. */
  resume(): void;
  /** Settles when the source has sent something that is swallowed. */
  swallowed(): Promise<void>;
  /** Settles with the next connection. */
  connected(): Promise<void>;
  close(): Promise<void>;
}

export async function startProxy(target: number): Promise<Proxy> {
  const sockets = new Set<Socket>();
  let stalled = false;
  let swallow = () => {};
  let connected = () => {};

  const follow = (socket: Socket) => {
    sockets.add(socket);
    socket.on('error', () => {});
    socket.on('close', () => sockets.delete(socket));
  };
  const server = createServer((near) => {
    const far = connect(target, '127.0.0.1');
    follow(near);
    follow(far);
    connected();
    near.on('data', (bytes) => (stalled ? swallow() : far.write(bytes)));
    far.on('data', (bytes) => stalled || near.write(bytes));
    near.on('close', () => far.destroy());
    far.on('close', () => near.destroy());
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');

  const cut = () => sockets.forEach((socket) => socket.destroy());
  return {
    port: (server.address() as AddressInfo).port,
    cut,
    stall: () => {
      stalled = true;
    },
    resume: () => {
      stalled = false;
      cut();
    },
    swallowed: () => new Promise((resolve) => (swallow = resolve)),
    connected: () => new Promise((resolve) => (connected = resolve)),
    async close() {
      cut();
      server.close();
      await once(server, 'close');
    },
  };
}

/** A port of loopback on which nothing listens. */
export async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return port;
}

/** Says what is missing instead of a stack trace. */
export async function requireServer(name: string, port: number): Promise<void> {
  const socket = connect(port, '127.0.0.1');
  try {
    await once(socket, 'connect');
  } catch {
    throw new Error(`no ${name} at 127.0.0.1:${port}`);
  } finally {
    socket.destroy();
  }
}
