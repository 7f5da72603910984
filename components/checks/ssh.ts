import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { resolve } from 'node:path';
import type { Duplex } from 'node:stream';
import { setTimeout as sleep } from 'node:timers/promises';
import { Client, type ClientChannel } from 'ssh2';

export interface SshTarget {
  host: string;
  port: number;
  /** OpenSSH public key that the host must show. */
  hostKey: string;
  /** The SSH agent where absent. */
  privateKeyFile: string | undefined;
  /** A stream to use in place of a TCP connection of our own: through a machine in between. */
  through?: Duplex;
}

export interface CommandResult {
  code: number;
  output: string;
}

/** The host showed another key than the one it was made with. Never tried again. */
export class HostKeyMismatchError extends Error {
  override name = 'HostKeyMismatchError';
}

const CONNECT_TIMEOUT_MS = 10_000;
const RETRY_MS = 2_000;
/** A machine that loses its power ends no connection: one that says nothing for two minutes is gone. */
const KEEPALIVE_MS = 15_000;
const MISSING_ANSWERS = 8;

/**
 * Opens a connection as root; the host key is verified.
 * @throws HostKeyMismatchError | Error when the host cannot be reached or refuses the key
 */
export async function connect(target: SshTarget): Promise<Client> {
  const client = new Client();
  const expected = Buffer.from(target.hostKey.split(' ')[1] ?? '', 'base64');
  let mismatch = false;
  const ready = loggedIn(client);
  client.connect({
    ...(target.through ? { sock: target.through } : { host: target.host, port: target.port }),
    username: 'root',
    readyTimeout: CONNECT_TIMEOUT_MS,
    keepaliveInterval: KEEPALIVE_MS,
    keepaliveCountMax: MISSING_ANSWERS,
    algorithms: { serverHostKey: ['ssh-ed25519'] },
    hostVerifier: (shown: Buffer) => {
      mismatch = !shown.equals(expected);
      return !mismatch;
    },
    ...identity(target.privateKeyFile),
  });
  try {
    await ready;
    return client;
  } catch (error) {
    client.destroy();
    if (mismatch) {
      throw new HostKeyMismatchError(
        `${target.host} shows another SSH host key than the one it was made with; something else answers at this address`,
      );
    }
    throw error;
  }
}

/**
 * Rejects also where the other side ends the connection after its greeting, as an sshd does that is started anew: the
 * library (ssh2 1.17, `lib/client.js`) then gives up its own time limit and says no more than that it has ended.
 */
function loggedIn(client: Client): Promise<void> {
  return new Promise((resolve, reject) => {
    const lost = (): void => reject(new Error('the connection was lost before the login'));
    client.once('ready', resolve).once('end', lost).once('close', lost);
    // It stays: what breaks later fails the command that runs, and not the whole process.
    client.on('error', reject);
  });
}

/**
 * Tries until the host lets us in.
 * @throws HostKeyMismatchError at once | Error with what to look at when `deadline` (ms since the epoch) has passed
 */
export async function connectUntil(
  deadline: number,
  open: () => Promise<Client>,
  onRetry: (reason: string) => void,
): Promise<Client> {
  for (;;) {
    try {
      return await open();
    } catch (error) {
      if (error instanceof HostKeyMismatchError) throw error;
      const reason = error instanceof Error ? error.message : String(error);
      if (Date.now() > deadline) {
        throw new Error(
          `no SSH until the time was up (${reason}). Look at the machine's console, at access.ssh (port, key, networks), and whether it was given this public key`,
          { cause: error },
        );
      }
      onRetry(reason);
      await sleep(RETRY_MS);
    }
  }
}

/** Runs one command; its output (both streams) is handed on line by line and returned whole. */
export async function runCommand(
  client: Client,
  command: string,
  onLine: (line: string) => void = () => undefined,
): Promise<CommandResult> {
  const stream = await new Promise<ClientChannel>((done, fail) => {
    client.exec(command, (error, channel) => (error ? fail(error) : done(channel)));
  });
  let output = '';
  let rest = '';
  const take = (chunk: Buffer): void => {
    output += chunk.toString();
    const lines = (rest + chunk.toString()).split('\n');
    rest = lines.pop() ?? '';
    lines.filter((line) => line.trim() !== '').forEach(onLine);
  };
  stream.on('data', take);
  stream.stderr.on('data', take);
  const [code] = (await once(stream, 'close')) as [number | null | undefined];
  if (code === null || code === undefined) throw new Error('the connection was lost while a command ran');
  return { code, output };
}

/** A stream through `client` to another machine. */
export function forward(client: Client, host: string, port: number): Promise<Duplex> {
  return new Promise((done, fail) => {
    client.forwardOut('127.0.0.1', 0, host, port, (error, stream) => (error ? fail(error) : done(stream)));
  });
}

function identity(privateKeyFile: string | undefined): { privateKey: Buffer } | { agent: string } {
  if (privateKeyFile !== undefined) {
    return { privateKey: readFileSync(resolve(privateKeyFile.replace(/^~(?=\/)/, homedir()))) };
  }
  const agent = process.env['SSH_AUTH_SOCK'];
  if (!agent) {
    throw new Error(
      'there is no SSH agent (SSH_AUTH_SOCK) and no worker-pools:access.ssh.privateKeyFile; the check needs one of them',
    );
  }
  return { agent };
}
