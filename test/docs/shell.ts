import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';

/** What a command said, both streams as they came. */
export interface Said {
  readonly code: number;
  readonly text: string;
}

const END = '--- end of the command ---';

/** A person's terminal: one shell, in which variables, functions and the folder last from command to command. */
export class Shell {
  private heard = '';
  private wake = (): void => undefined;

  private constructor(
    private readonly bash: ChildProcessWithoutNullStreams,
    private readonly inputFile: string,
  ) {}

  static open(folder: string, env: NodeJS.ProcessEnv): Shell {
    const bash = spawn('bash', ['--noprofile', '--norc'], { cwd: folder, env, detached: true });
    const shell = new Shell(bash, join(folder, '.typed'));
    for (const stream of [bash.stdout, bash.stderr])
      stream.on('data', (data: Buffer) => {
        shell.heard += data.toString();
        shell.wake();
      });
    return shell;
  }

  /** Types a command, and `typed` where it asks. */
  async run(command: string, typed = ''): Promise<Said> {
    writeFileSync(this.inputFile, typed);
    this.heard = '';
    this.bash.stdin.write(`{ ${command}\n} <'${this.inputFile}' 2>&1\nprintf '\\n%s %d\\n' '${END}' $?\n`);
    for (;;) {
      const end = new RegExp(`\\n${END} (\\d+)\\n`).exec(this.heard);
      if (end) return { code: Number(end[1]), text: this.heard.slice(0, end.index) };
      await new Promise<void>((resolve) => (this.wake = resolve));
    }
  }

  close(): void {
    try {
      process.kill(-this.bash.pid!, 'SIGKILL');
    } catch {
      // It has ended already.
    }
  }
}
