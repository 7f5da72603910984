import { readFileSync } from 'node:fs';

const POLL_MS = 250;

/**
 * Calls the listener when the shell that npm started this program through is gone. npm passes a signal on to that
 * shell alone, which dies of it without telling the program: without this, killing npm would leave an orphan.
 * Does nothing when npm is not the launcher, or where there is no /proc.
 */
export function onLauncherGone(listener: () => void): void {
  if (process.env['npm_execpath'] === undefined) return;
  // tsx stands between the shell and this process and stays the parent of this one.
  const runner = process.ppid;
  const shell = parentOf(runner);
  if (shell === undefined) return;
  const timer = setInterval(() => {
    if (process.ppid === runner && parentOf(runner) === shell) return;
    clearInterval(timer);
    listener();
  }, POLL_MS);
  timer.unref();
}

function parentOf(pid: number): number | undefined {
  try {
    const status = readFileSync(`/proc/${pid}/status`, 'utf8');
    return Number(/^PPid:\s+(\d+)/m.exec(status)?.[1]);
  } catch {
    return undefined;
  }
}
