import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { PulumiCommand } from '@pulumi/pulumi/automation';

/** What the command line said when it ended with another code than 0. */
export class CliError extends Error {
  override name = 'CliError';

  constructor(
    readonly command: string,
    /** Null when a signal ended it. */
    readonly code: number | null,
    /** Both streams, as they came. */
    readonly text: string,
  ) {
    super(`pulumi ${command} ended with ${code === null ? 'a signal' : `code ${code}`}: ${lastLines(text)}`);
  }
}

export interface CliAnswer {
  stdout: string;
  stderr: string;
  code: number;
}

type Listener = (text: string) => void;

/**
 * Starts the Pulumi command line for the Automation API, which asks for nothing but `command`, `version` and `run`. Its
 * own way of starting keeps the child in our process group, where a Ctrl-C at the terminal reaches both: the engine
 * would cancel the update that the service is about to wait for. Here the child leads a group of its own.
 */
export class Cli {
  private constructor(
    readonly command: string,
    readonly version: PulumiCommand['version'],
    private readonly environment: NodeJS.ProcessEnv,
    private readonly started: (pid: number, args: readonly string[]) => void,
  ) {}

  /**
   * Finds the command line on this process's PATH.
   * @param environment the whole one that its commands run in
   * @param started is called when a command has been started, before it can have done anything
   * @throws CommandError when there is none
   */
  static async find(
    environment: NodeJS.ProcessEnv,
    started: (pid: number, args: readonly string[]) => void,
  ): Promise<Cli> {
    const { command, version } = await PulumiCommand.get({ skipVersionCheck: true });
    return new Cli(command, version, environment, started);
  }

  /** For the Automation API, whose type of it has a private constructor. */
  get forAutomation(): PulumiCommand {
    return this;
  }

  /** As the Automation API calls it. @throws CliError */
  async run(
    args: string[],
    cwd: string,
    variables: Record<string, string>,
    onOutput?: Listener,
    onError?: Listener,
  ): Promise<CliAnswer> {
    return execute(this.command, [...args, '--non-interactive'], {
      cwd,
      env: { ...this.environment, ...variables, PULUMI_AUTOMATION_API: 'true' },
      started: (pid) => this.started(pid, args),
      ...(onOutput && { onOutput }),
      ...(onError && { onError }),
    });
  }
}

interface Execution {
  cwd?: string;
  env: NodeJS.ProcessEnv;
  started?: (pid: number) => void;
  onOutput?: Listener;
  onError?: Listener;
}

/**
 * Waits for a word before it becomes the command, under the same process id. A process that is killed between starting
 * the command and noting whose it is would else leave a lock that nobody can tell to be ours.
 */
const WHEN_TOLD = 'read -r word && exec "$@" </dev/null';

async function execute(
  command: string,
  args: string[],
  { cwd, env, started, onOutput, onError }: Execution,
): Promise<CliAnswer> {
  const child = spawn('/bin/sh', ['-c', WHEN_TOLD, 'sh', command, ...args], { cwd, env, detached: true });
  if (child.pid !== undefined) started?.(child.pid);
  // One that has ended before it was told is told of by its code.
  child.stdin.on('error', () => undefined).end('go\n');
  let stdout = '';
  let stderr = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    stdout += text;
    onOutput?.(text);
  });
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    stderr += text;
    onError?.(text);
  });
  // Rejects when the program cannot be started.
  const [code] = (await once(child, 'close')) as [number | null];
  if (code !== 0) throw new CliError(args[0] ?? '', code, stdout + stderr);
  return { stdout, stderr, code };
}

function lastLines(text: string): string {
  return text.trim().split('\n').slice(-5).join('\n');
}
