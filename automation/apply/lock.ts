import { readdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import type { Intent } from '../registry/types';
import { StackBusyError } from './types';

/** Longer than any update runs: an owner on another host that is older than this is taken for dead. */
export const LONGEST_UPDATE = 3600;

/** Who holds a stack of a self-managed backend, as the engine writes it into the lock's file. */
const lockSchema = z
  .object({ pid: z.int(), username: z.string(), hostname: z.string(), timestamp: z.string() })
  .transform(({ pid, username, hostname, timestamp }) => ({
    pid,
    user: username,
    host: hostname,
    since: Date.parse(timestamp) / 1000,
  }));

export interface Holder {
  readonly host: string;
  /** Of the engine's command line, not of the service that started it. */
  readonly pid: number;
  readonly user: string;
  readonly since: number;
}

export interface LockFile extends Holder {
  readonly path: string;
}

/** A command line that this service has started, noted before it can have taken the lock. */
export interface EngineNote {
  readonly host: string;
  readonly pid: number;
}

/**
 * The locks of a stack on a `file://` backend (its layout: `pkg/backend/diy/lock.go`). A file that goes away or is
 * half written while this looks is none: whoever asks here has seen the stack locked, and asks again.
 */
export function readLocks(backend: string, project: string, stack: string): LockFile[] {
  const folder = join(backend, '.pulumi', 'locks', 'organization', project, stack);
  return list(folder)
    .filter((name) => name.endsWith('.json'))
    .flatMap((name) => {
      const path = join(folder, name);
      const read = lockSchema.safeParse(parsed(path));
      return read.success ? [{ ...read.data, path }] : [];
    });
}

/** Takes one lock away, and nobody else's, as `pulumi cancel` would. */
export function breakLock({ path }: LockFile): void {
  rmSync(path, { force: true });
  rmSync(`${path}.attrs`, { force: true });
}

/** Whose lock it is cannot be guessed: a person's run on this very host is not ours. */
export interface Ownership {
  /** The last command line that a service with this Pulumi home has started for an update. */
  note: EngineNote | undefined;
  /** The intent that is open. */
  intent: Intent | undefined;
}

/**
 * Whether a service like this one took the lock: it noted the command line, or it wrote its intent, on that host, after
 * the lock was taken. An intent is written while the stack is held, and one alone holds it.
 */
export function isOurs(lock: Holder, { note, intent }: Ownership): boolean {
  if (note?.host === lock.host && note.pid === lock.pid) return true;
  return intent?.holder.host === lock.host && lock.since <= intent.at;
}

/**
 * Whether nobody can be behind the lock any more: its process is gone, or is another one by now. On another host that
 * cannot be seen, and only its age tells.
 * @param startOf when a process of this host started; undefined when there is none
 */
export function isDead(
  lock: Holder,
  here: { host: string; now: number; startOf: (pid: number) => number | undefined },
): boolean {
  if (lock.host !== here.host) return here.now - lock.since > LONGEST_UPDATE;
  const started = here.startOf(lock.pid);
  // Starts are told in hundredths of a second and by another clock than locks.
  return started === undefined || started > lock.since + 2;
}

/** Clock ticks in a second, in /proc: fixed to 100 for every architecture that Node.js runs on. */
const TICKS = 100;

/** When a process started, seconds since 1970; undefined when there is none. Where /proc is missing, long ago. */
export function startOf(pid: number): number | undefined {
  try {
    process.kill(pid, 0);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ESRCH') return undefined;
  }
  const stat = text(`/proc/${pid}/stat`);
  const boot = /^btime (\d+)$/m.exec(text('/proc/stat') ?? '')?.[1];
  if (stat === undefined || boot === undefined) return 0;
  // The name, in brackets, may hold spaces; the state and the start time are the 1st and the 20th field after it.
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return fields[0] === 'Z' ? undefined : Number(boot) + Number(fields[19]) / TICKS;
}

/** Who holds the stack, from what the command line says of a held lock, on any self-managed backend. */
export function holderIn(message: string): Holder | undefined {
  const found = /created by ([^\s@]+)@(\S+) \(pid (\d+)\) at (\S+)/.exec(message);
  if (!found) return undefined;
  const [, user = '', host = '', pid, time = ''] = found;
  return { user, host, pid: Number(pid), since: Date.parse(time) / 1000 };
}

/** A held stack, with who holds it where that is known, and what to do if nobody does any more. */
export function stackBusy(stack: string, holder: Holder | undefined): StackBusyError {
  if (!holder) return new StackBusyError(`another update of ${stack} runs`);
  const { user, host, pid, since } = holder;
  const time = new Date(since * 1000).toISOString();
  return new StackBusyError(
    `${stack} is locked by ${user}@${host} (process ${pid}) since ${time}. If nothing of it runs any more, \`pulumi cancel --stack ${stack}\` takes the lock away`,
    { user, host, pid, since },
  );
}

function list(folder: string): string[] {
  try {
    return readdirSync(folder);
  } catch {
    return [];
  }
}

function parsed(path: string): unknown {
  try {
    return JSON.parse(text(path) ?? '');
  } catch {
    return undefined;
  }
}

function text(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return undefined;
  }
}
