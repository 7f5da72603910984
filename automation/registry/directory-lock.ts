import { randomBytes } from 'node:crypto';
import {
  linkSync,
  mkdirSync,
  chmodSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import { RegistryError } from './database-errors';
import { isRunning, thisProcess, type ProcessIdentity } from './process-identity';

/** A holder on another machine shows by the lock's time that it lives. */
const SIGN_OF_LIFE_MS = 5_000;
const SILENCE_MS = 30_000;

const holderSchema = z.object({ machine: z.string(), pid: z.int(), began: z.string(), nonce: z.string() });
type Holder = z.infer<typeof holderSchema>;

/** A folder that one process has for itself, private to its user. */
export interface DirectoryLock {
  /** Whether the lock in the folder is still this one. */
  holds(): boolean;
  release(): void;
}

/**
 * Takes a folder, which is made where there is none. The lock of a process that is gone is taken over.
 * @throws RegistryError that names the process that has it
 */
export function lockDirectory(directory: string): DirectoryLock {
  mkdirSync(directory, { recursive: true, mode: 0o700 });
  chmodSync(directory, 0o700);
  const file = join(directory, 'lock');
  const nonce = randomBytes(8).toString('hex');
  const mine = `${file}.${nonce}`;
  writeFileSync(mine, JSON.stringify({ ...thisProcess(), nonce } satisfies Holder), {
    mode: 0o600,
    flag: 'wx',
  });
  try {
    take(directory, file, mine);
  } finally {
    rmSync(mine, { force: true });
  }
  const holds = () => readHolder(file)?.nonce === nonce;
  const touch = () => {
    if (holds()) utimesSync(file, new Date(), new Date());
  };
  const timer = setInterval(touch, SIGN_OF_LIFE_MS).unref();
  return {
    holds,
    release: () => {
      clearInterval(timer);
      if (holds()) rmSync(file, { force: true });
    },
  };
}

/** Who has a folder now; undefined where nobody who lives does. Takes nothing. */
export function holderOf(directory: string): ProcessIdentity | undefined {
  const file = join(directory, 'lock');
  const holder = readHolder(file);
  return holder && isAlive(holder, file) ? holder : undefined;
}

/** A link appears whole and only where there is none: the file system chooses who is first. */
function take(directory: string, file: string, mine: string): void {
  for (;;) {
    try {
      linkSync(mine, file);
      return;
    } catch (error) {
      if (!isCode(error, 'EEXIST')) throw unusable(directory, error);
    }
    const holder = readHolder(file);
    if (holder && isAlive(holder, file)) throw inUse(directory, file, holder);
    removeDead(file, holder);
  }
}

/** Takes the dead lock aside and looks at it once more: another process may have been faster, and it be a new one. */
function removeDead(file: string, dead: Holder | undefined): void {
  const aside = `${file}.${randomBytes(8).toString('hex')}`;
  try {
    renameSync(file, aside);
  } catch (error) {
    if (isCode(error, 'ENOENT')) return;
    throw error;
  }
  try {
    if (readHolder(aside)?.nonce !== dead?.nonce) linkSync(aside, file);
  } catch (error) {
    // A third one is there by now; the one that was put aside learns by `holds` that it lost the folder.
    if (!isCode(error, 'EEXIST')) throw error;
  } finally {
    rmSync(aside, { force: true });
  }
}

function isAlive(holder: ProcessIdentity, file: string): boolean {
  return isRunning(holder) ?? Date.now() - lastSign(file) < SILENCE_MS;
}

function lastSign(file: string): number {
  try {
    return statSync(file).mtimeMs;
  } catch {
    return 0;
  }
}

/** Undefined where there is no lock, or none that was written whole. */
function readHolder(file: string): Holder | undefined {
  try {
    return holderSchema.parse(JSON.parse(readFileSync(file, 'utf8')));
  } catch {
    return undefined;
  }
}

function inUse(directory: string, file: string, { pid, machine }: ProcessIdentity): RegistryError {
  const elsewhere = machine !== thisProcess().machine;
  return new RegistryError(
    `${directory} is in use by process ${pid}${elsewhere ? ` on ${machine.split(' ')[0]}` : ''}: ` +
      `an embedded database serves one process; stop that one, or give both a PostgreSQL` +
      (elsewhere
        ? ` (if it is gone, this clears by itself ${SILENCE_MS / 1000} s after its end: ${file})`
        : ''),
  );
}

function unusable(directory: string, error: unknown): RegistryError {
  const reason = error instanceof Error ? error.message : String(error);
  return new RegistryError(`${directory} cannot be used: ${reason}`);
}

function isCode(error: unknown, code: string): boolean {
  return error instanceof Error && 'code' in error && error.code === code;
}
