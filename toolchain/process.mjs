import { spawn } from 'node:child_process';
import { accessSync, constants, statSync } from 'node:fs';
import { delimiter, join } from 'node:path';

import { Interrupted } from './errors.mjs';

/** The path of a program, or undefined when no folder of PATH has it. */
export function which(program, env = process.env) {
  for (const folder of (env.PATH ?? '').split(delimiter)) {
    const path = join(folder, program);
    try {
      accessSync(path, constants.X_OK);
      if (statSync(path).isFile()) return path;
    } catch {
      // Not in this folder.
    }
  }
  return undefined;
}

/**
 * Runs a program to its end: its exit code and what it printed. `timeout` (ms) kills it. When this process is asked
 * to stop meanwhile, the program is stopped first, so that nothing goes on behind the user's back.
 */
export async function execute(program, args, { cwd, env, timeout } = {}) {
  let child;
  let asked;
  const stop = (signal) => {
    asked = signal;
    child.kill(signal);
  };
  // Before the program starts: it may be asked to stop as soon as it runs.
  process.on('SIGINT', stop).on('SIGTERM', stop);
  try {
    child = spawn(program, args, { cwd, env, timeout, stdio: ['ignore', 'pipe', 'pipe'] });
    let stdout = '';
    let stderr = '';
    child.stdout.on('data', (text) => (stdout += text));
    child.stderr.on('data', (text) => (stderr += text));
    const code = await new Promise((resolve, reject) => {
      child.once('error', reject);
      child.once('close', resolve);
    });
    if (asked !== undefined) throw new Interrupted(asked);
    return { code, stdout, stderr };
  } finally {
    process.removeListener('SIGINT', stop).removeListener('SIGTERM', stop);
  }
}
