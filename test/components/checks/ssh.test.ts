import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { type AddressInfo, connect as connectTcp, createServer, type Server, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { mock } from 'node:test';
import { type ServerChannel, Server as SshServer } from 'ssh2';
import { connect, connectUntil, runCommand, type SshTarget } from '../../../components/checks/ssh';
import { generateKeyPair } from '../../../sandbox/machines/host-key';

const GREETING = 'SSH-2.0-OpenSSH_9.2p1 Debian-2+deb12u3\r\n';

describe('a check’s connection to a machine', () => {
  const hostKeys = generateKeyPair();
  const folder = mkdtempSync(join(tmpdir(), 'worker-pools-ssh-'));
  const privateKeyFile = join(folder, 'id');
  const servers: Server[] = [];
  before(() => writeFileSync(privateKeyFile, generateKeyPair().private));
  afterEach(async () => {
    for (const server of servers.splice(0)) await new Promise((resolve) => server.close(resolve));
  });
  after(() => rmSync(folder, { recursive: true }));

  const greetsAndLeaves = (socket: Socket): void => {
    socket.on('error', () => undefined);
    socket.write(GREETING);
    socket.once('data', () => socket.end());
  };

  it('that is lost before the login is told, and not waited for', async () => {
    await assert.rejects(connect(await listening(greetsAndLeaves)), /lost before the login/);
  });

  it('that is lost on its way through another machine is told, too', async () => {
    const target = await listening(greetsAndLeaves);
    const through = connectTcp(target.port, target.host);
    await assert.rejects(connect({ ...target, through }), /lost before the login/);
    through.destroy();
  });

  it('is tried again until the machine lets us in', async () => {
    let tries = 0;
    const ssh = sshServer(() => undefined);
    const target = await listening((socket) => {
      tries += 1;
      if (tries === 1) greetsAndLeaves(socket);
      else ssh.injectSocket(socket);
    });
    const reasons: string[] = [];
    const client = await connectUntil(
      Date.now() + 10_000,
      () => connect(target),
      (reason) => reasons.push(reason),
    );
    client.destroy();
    assert.deepEqual(reasons, ['the connection was lost before the login']);
  });

  it('that is lost while a command runs fails the command, and nothing else', async () => {
    let admitted: Socket | undefined;
    const ssh = sshServer(() => admitted?.resetAndDestroy());
    const target = await listening((socket) => {
      admitted = socket;
      ssh.injectSocket(socket);
    });
    const client = await connect(target);
    await assert.rejects(runCommand(client, 'cloud-init status --wait'), /lost while a command ran/);
  });

  it('to a machine that has lost its power fails the command, too', async () => {
    let admitted: Socket | undefined;
    const ssh = sshServer((channel) => {
      channel.write('.\nstatus: running\n');
      admitted?.pause();
    });
    const target = await listening((socket) => {
      admitted = socket;
      ssh.injectSocket(socket);
    });
    mock.timers.enable({ apis: ['setInterval'] });
    const client = await connect(target);
    let begin: () => void;
    const begun = new Promise<void>((resolve) => (begin = resolve));
    const command = runCommand(client, 'cloud-init status --wait', () => begin());
    const failed = assert.rejects(command, /lost while a command ran/);
    await begun;
    mock.timers.tick(3 * 60_000);
    mock.timers.reset();
    await failed;
    admitted?.destroy();
  });

  /** An SSH server that lets everybody in. */
  function sshServer(onCommand: (channel: ServerChannel) => void): SshServer {
    return new SshServer({ hostKeys: [hostKeys.private] }, (connection) => {
      connection.on('error', () => undefined);
      connection.on('authentication', (context) => context.accept());
      connection.on('session', (accept) =>
        accept().on('exec', (acceptCommand) => onCommand(acceptCommand())),
      );
    });
  }

  async function listening(admit: (socket: Socket) => void): Promise<SshTarget> {
    const server = createServer(admit);
    servers.push(server);
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const { port } = server.address() as AddressInfo;
    return { host: '127.0.0.1', port, hostKey: hostKeys.public, privateKeyFile };
  }
});
