import { type ChildProcess, spawn } from 'node:child_process';
import { createSocket } from 'node:dgram';
import { mkdtempSync, openSync, closeSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { type AddressInfo, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { runCommand } from '../kernel/command';
import { configuration, type Ports, relayMap, relayMapIn } from './configuration';
import { startRelayFront } from './relay';

/** A control server that runs, in a folder of its own. */
export interface HeadscaleServer {
  /** Port of the loopback interface where machines and the API find it. */
  port: number;
  apiKey: string;
  close(): Promise<void>;
}

/** Milliseconds until a server that says nothing is given up; it takes one or two seconds. */
const PATIENCE = 60_000;

/**
 * Ends the program when whoever started it closes its standard input, or is no more; its folder goes with it. One that
 * ended by itself leaves its folder. The shell becomes the program, so that the process is the program's.
 */
const LEASHED = `exec 3<&0
(
  cat <&3 >/dev/null
  kill -TERM $$ || exit 0
  for _ in 1 2 3 4 5 6 7 8 9 10; do kill -0 $$ || break; sleep 0.3; done
  kill -KILL $$
  rm -rf "$FOLDER"
) >/dev/null 2>&1 &
exec "$@" </dev/null 3<&-`;

/**
 * Starts headscale with a relay. It ends with this process, however that ends.
 * @throws Error with what it said, when it does not come up
 */
export async function startHeadscale(
  programs: string,
  tailnet: { name: string; ephemeralRemovalAfter: number },
): Promise<HeadscaleServer> {
  const folder = mkdtempSync(join(tmpdir(), 'sandbox-tailnet-'));
  const ports: Ports = { control: await freeTcpPort(), relay: 0, stun: await freeUdpPort() };
  const relay = await startRelayFront(folder, () => ports.control);
  ports.relay = relay.port;
  const config = join(folder, 'config.yaml');
  writeFileSync(config, configuration(folder, ports, tailnet), { mode: 0o600 });
  writeFileSync(relayMapIn(folder), relayMap(ports));

  const program = join(programs, 'headscale');
  const log = join(folder, 'log');
  const child = startLeashed(program, ['--config', config, 'serve'], { folder, log });
  const ended = new Promise<void>((resolve) => {
    child.once('exit', () => resolve());
  });
  const close = async (): Promise<void> => {
    child.stdin?.destroy();
    await ended;
    await relay.close();
    rmSync(folder, { recursive: true, force: true });
  };
  try {
    await answering(`http://127.0.0.1:${ports.control}/health`, child);
    const { stdout } = await runCommand(program, [
      ...['--config', config, 'apikeys', 'create', '--expiration', '3650d', '--output', 'json'],
    ]);
    return { port: ports.control, apiKey: lastLine(stdout).replaceAll('"', ''), close };
  } catch (error) {
    const said = endOf(log);
    await close();
    throw new Error(`headscale did not start:\n${said}`, { cause: error });
  }
}

function startLeashed(
  program: string,
  args: string[],
  { folder, log }: { folder: string; log: string },
): ChildProcess {
  const output = openSync(log, 'a');
  const child = spawn('sh', ['-c', LEASHED, 'sh', program, ...args], {
    env: { ...process.env, FOLDER: folder },
    stdio: ['pipe', output, output],
  });
  closeSync(output);
  return child;
}

function endOf(log: string): string {
  return readFileSync(log, 'utf8').trimEnd().split('\n').slice(-12).join('\n');
}

async function answering(url: string, child: ChildProcess): Promise<void> {
  const until = Date.now() + PATIENCE;
  for (;;) {
    const answer = await fetch(url).catch(() => undefined);
    await answer?.arrayBuffer();
    if (answer?.ok) return;
    if (child.exitCode !== null || child.signalCode !== null) throw new Error('it ended');
    if (Date.now() > until) throw new Error(`no answer for ${PATIENCE / 1000} s`);
    await sleep(100);
  }
}

/** Warnings come before what was asked for. */
function lastLine(text: string): string {
  return text.trimEnd().split('\n').at(-1) ?? '';
}

async function freeTcpPort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
}

async function freeUdpPort(): Promise<number> {
  const socket = createSocket('udp4');
  await new Promise<void>((resolve) => socket.bind(0, '127.0.0.1', resolve));
  const { port } = socket.address();
  await new Promise<void>((resolve) => socket.close(resolve));
  return port;
}
