import { createServer, type Server as TcpServer, type Socket } from 'node:net';
import { type AuthContext, type Connection, Server as SshServer, type ServerChannel, utils } from 'ssh2';
import { type Console, type Output, runLine } from './console';
import type { Machine } from './machine';

/** What a machine's sshd asks of the machine. */
export interface SshHost {
  machine: Machine;
  /** Whether a connection from `sourceIp` to this address gets through the firewalls. */
  admits(address: string, sourceIp: string): boolean;
  /** The sshd that listens on this port of a machine in the same private network. */
  neighbour(address: string, port: number): Sshd | undefined;
  /** A console for one session; `signal` is aborted when the session ends. */
  console(signal: AbortSignal): Console;
  log(line: string): void;
}

/** The sshd of one machine, on all its reachable addresses. */
export class Sshd {
  private readonly listeners = new Map<string, TcpServer>();
  private readonly sockets = new Set<Socket>();
  private readonly ssh: SshServer;

  /** Throws when the host key is not an OpenSSH private key. */
  constructor(private readonly host: SshHost) {
    this.ssh = new SshServer(
      { hostKeys: [host.machine.hostKey], ident: 'OpenSSH_9.2p1 Debian-2+deb12u3' },
      (connection) => this.accept(connection),
    );
  }

  /** Listens on an address; when that cannot be done, the machine's log says why and the machine goes on. */
  async listen(address: string, port: number): Promise<void> {
    if (port < 1 || port > 65535) {
      this.host.log(`/etc/ssh/sshd_config: Badly formatted port number "${port}".`);
      return;
    }
    const key = `${address}:${port}`;
    if (this.listeners.has(key)) return;
    const listener = createServer((socket) => this.admit(socket, address));
    this.listeners.set(key, listener);
    await new Promise<void>((resolve) => {
      listener.once('error', (error: NodeJS.ErrnoException) => {
        this.listeners.delete(key);
        this.host.log(
          `sshd: error: Bind to port ${port} on ${address} failed: ${error.code ?? error.message}.`,
        );
        resolve();
      });
      // One that is closed before it listens says neither that it does nor why it does not.
      listener.once('close', resolve);
      listener.listen(port, address, () => {
        listener.unref();
        resolve();
      });
    });
  }

  /** Ends all connections, as a power cut does, and stops listening. */
  async close(): Promise<void> {
    for (const socket of this.sockets) socket.destroy();
    const closing = [...this.listeners.values()].map(
      (listener) => new Promise((resolve) => listener.close(resolve)),
    );
    this.listeners.clear();
    await Promise.all(closing);
  }

  private admit(socket: Socket, address: string): void {
    if (!this.host.admits(address, socket.remoteAddress ?? '')) {
      socket.destroy();
      return;
    }
    this.sockets.add(socket);
    socket.once('close', () => this.sockets.delete(socket));
    this.ssh.injectSocket(socket);
  }

  private accept(connection: Connection): void {
    // Connections die with machines and clients; there is nobody to tell.
    connection.on('error', () => {});
    connection.on('authentication', (context) => {
      if (this.mayLogIn(context)) context.accept();
      else context.reject(['publickey']);
    });
    // What a client's ProxyJump asks for.
    connection.on('tcpip', (accept, reject, { destIP, destPort }) => {
      const neighbour = this.host.neighbour(destIP, destPort);
      if (neighbour) neighbour.ssh.injectSocket(accept() as unknown as Socket);
      else reject();
    });
    connection.on('session', (accept) => {
      const session = accept();
      session.on('env', (acceptEnv) => acceptEnv?.());
      session.on('pty', (acceptPty) => acceptPty?.());
      session.on('exec', (acceptExec, _reject, { command }) => void this.run(acceptExec(), command));
    });
  }

  private mayLogIn(context: AuthContext): boolean {
    if (context.method !== 'publickey') return false;
    for (const text of this.host.machine.authorizedKeys[context.username] ?? []) {
      const key = utils.parseKey(text);
      if (key instanceof Error || key.type !== context.key.algo.replace(/^rsa-sha2-.*/, 'ssh-rsa')) continue;
      if (!key.getPublicSSH().equals(context.key.data)) continue;
      // Without a signature the client only asks whether the key would do.
      if (!context.signature || !context.blob) return true;
      return key.verify(context.blob, context.signature, context.hashAlgo) === true;
    }
    return false;
  }

  private async run(channel: ServerChannel, command: string): Promise<void> {
    const ended = new AbortController();
    channel.on('close', () => ended.abort());
    const output: Output = {
      out: (text) => void channel.write(text),
      err: (text) => void channel.stderr.write(text),
    };
    const code = await runLine(command, this.host.console(ended.signal), output).catch((error: unknown) => {
      // One command line that the simulation cannot take must not end the whole cloud.
      output.err(`sandbox: ${String(error)}\n`);
      return 255;
    });
    if (ended.signal.aborted) return;
    channel.exit(code);
    channel.end();
  }
}
