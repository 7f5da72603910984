import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { constants } from 'node:os';
import { setTimeout as sleep } from 'node:timers/promises';

/** How long (ms) one Ctrl-C may take to reach everybody; npm passes it on once more. */
const sameSignal = 500;

/**
 * Runs a program in the foreground and returns its exit code (128 + n when signal n ended it). Ctrl-C in a terminal
 * reaches the whole process group, so also the program: only a SIGINT that was sent to this process alone is passed
 * on. SIGTERM is sent to one process, so it always is.
 */
export async function runInForeground(program, args, env) {
  const child = spawn(program, args, { stdio: 'inherit', env });
  let handling = false;
  let witness = startWitness();
  const interrupted = async () => {
    if (handling) return;
    handling = true;
    await sleep(sameSignal / 5);
    const wholeGroup = witness.signalCode === 'SIGINT';
    if (!wholeGroup) child.kill('SIGINT');
    await sleep(sameSignal);
    if (wholeGroup) witness = startWitness();
    handling = false;
  };
  const terminated = () => child.kill('SIGTERM');
  process.on('SIGINT', interrupted).on('SIGTERM', terminated);
  try {
    const [code, signal] = await once(child, 'exit');
    return code ?? 128 + constants.signals[signal];
  } finally {
    process.removeListener('SIGINT', interrupted).removeListener('SIGTERM', terminated);
    witness.kill('SIGKILL');
  }
}

/** A process of our group that a SIGINT ends: it tells whether the group or only this process was sent one. */
function startWitness() {
  const witness = spawn('cat', { stdio: ['pipe', 'ignore', 'ignore'] });
  witness.unref();
  witness.stdin.unref();
  return witness;
}
