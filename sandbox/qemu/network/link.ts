import { createServer, type Server, type Socket } from 'node:net';

/** One network cable: the far end is a guest's network interface (QEMU's `stream` back end). */
export interface Link {
  /** The socket that the guest connects to. */
  readonly path: string;
  /** Frames for a guest that is not connected are lost, as on a cable. */
  send(frame: Buffer): void;
  close(): Promise<void>;
}

/** Each frame travels behind its length, four bytes. */
const HEADER = 4;

/** Opens a cable at a path of the file system. */
export async function openLink(path: string, receive: (frame: Buffer) => void): Promise<Link> {
  let guest: Socket | undefined;
  const server = createServer((socket) => {
    guest = socket;
    let rest: Buffer = Buffer.alloc(0);
    socket.on('data', (data) => {
      rest = rest.length === 0 ? data : Buffer.concat([rest, data]);
      while (rest.length >= HEADER && rest.length >= HEADER + rest.readUInt32BE(0)) {
        const end = HEADER + rest.readUInt32BE(0);
        receive(rest.subarray(HEADER, end));
        rest = rest.subarray(end);
      }
    });
    // A guest that loses its power takes its end away.
    socket.on('error', () => undefined);
    socket.on('close', () => (guest = guest === socket ? undefined : guest));
  });
  await listen(server, path);
  return {
    path,
    send: (frame) => {
      const header = Buffer.alloc(HEADER);
      header.writeUInt32BE(frame.length);
      guest?.write(Buffer.concat([header, frame]));
    },
    close: async () => {
      guest?.destroy();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

async function listen(server: Server, path: string): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(path, resolve);
  });
}
