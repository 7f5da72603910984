import { readFileSync, readlinkSync } from 'node:fs';
import { hostname } from 'node:os';

/** One process among all that ever ran on any machine, as far as that can be told. */
export interface ProcessIdentity {
  /** Host and PID namespace: within it a PID says something. */
  readonly machine: string;
  readonly pid: number;
  /** Boot and tick at which it began, so that a PID that was given again is not mistaken for it; empty where there is no
   *  /proc. */
  readonly began: string;
}

export function thisProcess(): ProcessIdentity {
  const namespace = tryTo(() => readlinkSync('/proc/self/ns/pid'));
  return {
    machine: `${hostname()} ${namespace ?? ''}`.trim(),
    pid: process.pid,
    began: beginning(process.pid) ?? '',
  };
}

/** Whether that process still runs; undefined where it ran on another machine, about which nothing can be told from here. */
export function isRunning({ machine, pid, began }: ProcessIdentity): boolean | undefined {
  if (machine !== thisProcess().machine) return undefined;
  const begins = beginning(pid);
  if (begins !== undefined && began !== '') return begins === began;
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    // It runs under another user.
    return error instanceof Error && 'code' in error && error.code === 'EPERM';
  }
}

/** Field 22 of /proc/<pid>/stat, counted after the command's name in parentheses, which may hold anything (proc(5)). */
function beginning(pid: number): string | undefined {
  return tryTo(() => {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    const boot = readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim();
    const ticks = stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19];
    return ticks === undefined ? undefined : `${boot} ${ticks}`;
  });
}

function tryTo<T>(read: () => T): T | undefined {
  try {
    return read();
  } catch {
    return undefined;
  }
}
