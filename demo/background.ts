import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, openSync } from 'node:fs';
import { createInterface } from 'node:readline';

/** A program of this repository that runs beside the demo. */
export interface Background {
  /** Its first line, in which it says how it is reached. */
  line: string;
  /** Process id, for whoever ends it later. */
  pid: number;
  /** Asks it to end, and resolves when it has. */
  stop(): Promise<void>;
  /** Lets it live on when this process ends. */
  leave(): void;
}

export interface Program {
  /** As people call it. */
  name: string;
  script: string;
  args: string[];
  environment?: Record<string, string>;
  /** File for everything that it says after its first line. */
  log: string;
}

/**
 * Starts a program in a process group of its own: Ctrl-C must not take it away while others still need it.
 * @throws Error naming its log when it does not come up
 */
export async function startInBackground(
  root: string,
  { name, script, args, environment = {}, log }: Program,
): Promise<Background> {
  const file = openSync(log, 'a', 0o600);
  const child = spawn(process.execPath, ['--require', 'tsx/cjs', script, ...args], {
    cwd: root,
    detached: true,
    env: { ...process.env, ...environment },
    stdio: ['ignore', 'pipe', file],
  });
  closeSync(file);
  const line = await Promise.race([firstLine(child), exited(child, name, log)]);
  return {
    line,
    pid: child.pid!,
    stop: async () => {
      if (child.exitCode !== null || child.signalCode !== null) return;
      const exit = once(child, 'exit');
      child.kill('SIGTERM');
      await exit;
    },
    leave: () => {
      child.stdout?.destroy();
      child.unref();
    },
  };
}

function firstLine(child: ChildProcess): Promise<string> {
  return new Promise((resolve) => createInterface({ input: child.stdout! }).once('line', resolve));
}

async function exited(child: ChildProcess, name: string, log: string): Promise<never> {
  await once(child, 'exit');
  throw new Error(`${name} did not start; its log is ${log}`);
}
