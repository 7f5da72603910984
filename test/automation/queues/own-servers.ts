import { execFile } from 'node:child_process';
import { once } from 'node:events';
import { chmod, chown, copyFile, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { connect, type AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createServer, type TLSSocket } from 'node:tls';
import { promisify } from 'node:util';
import { type OwnServer, startServer, stopServer } from './processes';
import { freePort } from './proxy';

const run = promisify(execFile);

/** A Redis server without persistence; `args` in its own words. */
export async function startRedis(args: (port: number) => string[]): Promise<OwnServer> {
  const port = await freePort();
  const child = await startServer(
    'redis-server',
    ['--bind', '127.0.0.1', '--save', '', '--appendonly', 'no', ...args(port)],
    /Ready to accept connections/,
  );
  return { port, stop: () => stopServer(child) };
}

/** A NATS server with JetStream and a configuration of its own. */
export async function startNats(config: string): Promise<OwnServer> {
  const port = await freePort();
  const folder = await mkdtemp(join(tmpdir(), 'wp-nats-'));
  const file = join(folder, 'nats.conf');
  await writeFile(file, `listen: "127.0.0.1:${port}"\njetstream { store_dir: "${folder}/js" }\n${config}\n`);
  const child = await startServer('nats-server', ['-c', file], /Server is ready/);
  return {
    port,
    async stop() {
      await stopServer(child);
      await rm(folder, { recursive: true, force: true });
    },
  };
}

/**
 * A PostgreSQL cluster in which a role needs its password, and over TLS a client certificate too. The server refuses to
 * run as root, so there it runs as the system's `postgres`.
 */
export async function startPostgres(certificates: string, password: string): Promise<OwnServer> {
  const port = await freePort();
  const folder = await mkdtemp(join(tmpdir(), 'wp-postgres-'));
  const { stdout } = await run('pg_config', ['--bindir']).catch(() => ({
    stdout: '/usr/lib/postgresql/15/bin',
  }));
  const programs = stdout.trim();
  const account = process.getuid?.() === 0 ? await accountOf('postgres') : undefined;
  const asServer = account
    ? ['setpriv', `--reuid=${account.uid}`, `--regid=${account.gid}`, '--clear-groups']
    : ['env'];

  for (const name of ['server.pem', 'server.key', 'ca.pem']) {
    await copyFile(join(certificates, name), join(folder, name));
    await chmod(join(folder, name), 0o600);
    if (account) await chown(join(folder, name), account.uid, account.gid);
  }
  await writeFile(join(folder, 'password'), password);
  if (account) await chown(folder, account.uid, account.gid);
  const [wrapper = 'env', ...wrapping] = asServer;
  await chmod(join(folder, 'password'), 0o644);
  await run(wrapper, [
    ...wrapping,
    join(programs, 'initdb'),
    `--pgdata=${folder}/data`,
    '--username=owner',
    `--pwfile=${folder}/password`,
    '--auth=scram-sha-256',
    '--no-sync',
  ]);
  await writeFile(
    join(folder, 'data', 'pg_hba.conf'),
    'hostssl all all 127.0.0.1/32 scram-sha-256 clientcert=verify-ca\nhostnossl all all 127.0.0.1/32 scram-sha-256\n',
  );
  const settings = [
    `port=${port}`,
    'listen_addresses=127.0.0.1',
    `unix_socket_directories=${folder}`,
    'fsync=off',
    'ssl=on',
    `ssl_cert_file=${folder}/server.pem`,
    `ssl_key_file=${folder}/server.key`,
    `ssl_ca_file=${folder}/ca.pem`,
  ];
  const child = await startServer(
    wrapper,
    [
      ...wrapping,
      join(programs, 'postgres'),
      '-D',
      join(folder, 'data'),
      ...settings.flatMap((s) => ['-c', s]),
    ],
    /ready to accept connections/,
  );
  return {
    port,
    async stop() {
      await stopServer(child, 'SIGINT');
      await rm(folder, { recursive: true, force: true });
    },
  };
}

async function accountOf(name: string): Promise<{ uid: number; gid: number }> {
  const line = (await readFile('/etc/passwd', 'utf8'))
    .split('\n')
    .find((entry) => entry.startsWith(`${name}:`));
  const [, , uid, gid] = line?.split(':') ?? [];
  return { uid: Number(uid), gid: Number(gid) };
}

/** Takes TLS from clients with a certificate, and carries it on to a server of this machine in the clear. */
export async function startTlsTerminator(certificates: string, target: number): Promise<OwnServer> {
  const file = (name: string) => readFile(join(certificates, name));
  const [cert, key, ca] = await Promise.all([file('server.pem'), file('server.key'), file('ca.pem')]);
  const open = new Set<TLSSocket>();
  const server = createServer({ cert, key, ca, requestCert: true, rejectUnauthorized: true }, (near) => {
    const far = connect(target, '127.0.0.1');
    open.add(near);
    for (const [one, other] of [[near, far] as const, [far, near] as const]) {
      one.pipe(other);
      one.on('error', () => {});
      one.on('close', () => other.destroy());
    }
  });
  server.on('tlsClientError', () => {});
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    port: (server.address() as AddressInfo).port,
    async stop() {
      open.forEach((socket) => socket.destroy());
      server.close();
      await once(server, 'close');
    },
  };
}
