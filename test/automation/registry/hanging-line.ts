import { once } from 'node:events';
import { connect, createServer, type AddressInfo, type Server, type Socket } from 'node:net';

/** A network line to a port of this machine that can stop to carry anything without an end, as a dead switch does. */
export class HangingLine {
  private readonly sockets: Socket[] = [];

  private constructor(
    private readonly server: Server,
    readonly port: number,
  ) {}

  static async to(port: number): Promise<HangingLine> {
    const server = createServer();
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    const line = new HangingLine(server, (server.address() as AddressInfo).port);
    server.on('connection', (near) => {
      const far = connect(port, '127.0.0.1');
      for (const socket of [near, far]) socket.on('error', () => socket.destroy());
      near.pipe(far);
      far.pipe(near);
      line.sockets.push(near, far);
    });
    return line;
  }

  hang(): void {
    for (const socket of this.sockets) socket.unpipe().pause();
  }

  cut(): void {
    for (const socket of this.sockets) socket.destroy();
    this.server.close();
  }
}
