import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readdirSync, readFileSync } from 'node:fs';

/** How this machine runs the engine. */
export interface Engine {
  env: NodeJS.ProcessEnv;
  /** Makes a Pulumi home know the plugins; answers the variables that it then needs. */
  linkPlugins(home: string): Record<string, string>;
}

/** What a finished command said: both streams as they came, and standard output alone for `--json`. */
export interface Finished {
  /** Null when it was killed. */
  code: number | null;
  text: string;
  stdout: string;
}

/** A command of the engine while it runs. */
export interface Running {
  /** Undefined when it could not be started. */
  pid: number | undefined;
  /** What it has said so far. */
  text(): string;
  finished: Promise<Finished>;
  /** SIGKILL for it and everything that it started, as when the machine dies. */
  kill(): Promise<Finished>;
}

const alive = new Set<ChildProcess>();
process.on('exit', () => alive.forEach(killGroup));

let found: Promise<Engine> | undefined;

/** The engine of this test run; found (or built) once. */
export function findEngine(): Promise<Engine> {
  found ??= import('../../toolchain/ensure.mjs').then(async ({ ensureEngine, linkPlugins }) => {
    const engine = await ensureEngine();
    return { env: engine.env, linkPlugins: (home) => linkPlugins(engine, home) };
  });
  return found;
}

/** Starts a program in a process group of its own, so that all of it can be ended. */
export function start(command: string[], options: { cwd: string; env: NodeJS.ProcessEnv }): Running {
  const [program = '', ...args] = command;
  const child = spawn(program, args, { ...options, detached: true, stdio: ['ignore', 'pipe', 'pipe'] });
  alive.add(child);
  let text = '';
  let stdout = '';
  child.stdout.on('data', (chunk: Buffer) => {
    text += chunk.toString();
    stdout += chunk.toString();
  });
  child.stderr.on('data', (chunk: Buffer) => (text += chunk.toString()));
  const finished = once(child, 'close').then(([code]): Finished => {
    killGroup(child);
    alive.delete(child);
    return { code: code as number | null, text, stdout };
  });
  return {
    pid: child.pid,
    text: () => text,
    finished,
    kill: () => {
      killGroup(child);
      return finished;
    },
  };
}

/**
 * Ends plugins that a killed engine has left: they run in groups of their own. They are told by their program, which
 * lies in the Pulumi home of one test alone; where there is no /proc, nobody can be told.
 */
export function endPlugins(home: string): void {
  if (!existsSync('/proc')) return;
  for (const pid of readdirSync('/proc').filter((name) => /^\d+$/.test(name))) {
    try {
      const [program = ''] = readFileSync(`/proc/${pid}/cmdline`, 'utf8').split('\0');
      if (program.startsWith(`${home}/`)) process.kill(Number(pid), 'SIGKILL');
    } catch {
      // It has ended meanwhile.
    }
  }
}

/** The group outlives its leader when a plugin does. */
function killGroup({ pid }: ChildProcess): void {
  if (pid === undefined) return;
  try {
    process.kill(-pid, 'SIGKILL');
  } catch {
    // Nothing of it is left.
  }
}
