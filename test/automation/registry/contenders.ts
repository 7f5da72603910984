import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import type { RegistryLocation } from '../../../automation/registry';

/** A child process that runs `contender.ts`. */
export class Contender {
  readonly pid: number;
  private readonly lines: AsyncIterator<string>;

  private constructor(private readonly child: ChildProcess) {
    if (!child.stdout || child.pid === undefined) throw new Error('the child did not start');
    this.pid = child.pid;
    this.lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  }

  static start(parts: { location: RegistryLocation; environment: string; audit?: string }): Contender {
    const program = join(__dirname, 'contender.ts');
    const args = ['--require', 'tsx/cjs', program, JSON.stringify(parts)];
    return new Contender(spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'] }));
  }

  /** The next line that it says; undefined when it says no more. */
  async says(): Promise<string | undefined> {
    const next = await this.lines.next();
    return next.done ? undefined : next.value;
  }

  async kill(): Promise<void> {
    if (this.child.exitCode !== null || this.child.signalCode !== null) return;
    const gone = once(this.child, 'exit');
    this.child.kill('SIGKILL');
    await gone;
  }
}
