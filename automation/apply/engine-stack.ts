import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { type EngineEvent, LocalWorkspace, type PulumiFn, type Stack } from '@pulumi/pulumi/automation';
import { parse } from 'yaml';
import { z } from 'zod';
import { ConfigError } from '../../components/model/errors';
import type { StackOutputs } from '../../components/stack-record';
import type { Censor } from '../censor';
import { Cli, CliError } from './cli';
import { secretsIn } from './config-secrets';
import { withConnections } from './engine-connections';
import { readExportedState, type ExportedState } from './exported-state';
import { withoutLeftListeners } from './process-listeners';
import { parseOutputs } from './record';

/** The events' stream and what is recorded of a failed update are as this program needs them from here on. */
const OLDEST_CLI = '3.200.0';

export interface EngineStackOptions {
  /** The stack's name without organization and project. */
  readonly stack: string;
  /** The checkout: `Pulumi.yaml` and `Pulumi.<stack>.yaml`. It is only read. */
  readonly projectDirectory: string;
  /** For the engine: PATH, the backend, the passphrase, credentials. */
  readonly environment: NodeJS.ProcessEnv;
  /** A folder of the service's own, kept over restarts: the engine's plugins, and what tells our locks. */
  readonly pulumiHome: string;
  /** Learns the secrets of the stack's configuration. */
  readonly censor: Censor;
  /** Called with the process of a command that takes the stack's lock, before it can have taken it. */
  readonly lockerStarted: (pid: number) => void;
}

const projectSchema = z.looseObject({ name: z.string() });
const stackFileSchema = z
  .looseObject({ encryptionsalt: z.string().optional(), secretsprovider: z.string().optional() })
  .nullable()
  .transform((file) => file ?? {});
const identitySchema = z.looseObject({ url: z.string().optional() });
const configSchema = z.record(z.string(), z.object({ value: z.string().optional(), secret: z.boolean() }));

/** One stack as the engine knows it, by the commands that the service needs. */
export class EngineStack {
  private known: { text: string; config: ReadonlyMap<string, string> } | undefined;

  private constructor(
    readonly name: string,
    readonly project: string,
    /** The folder of a `file://` backend; undefined for every other. */
    readonly backend: string | undefined,
    private readonly stack: Stack,
    private readonly cli: Cli,
    private readonly options: EngineStackOptions,
  ) {}

  /**
   * Opens the stack and reads its configuration once, so that what is missing is told now and not by the first update.
   * @throws ConfigError with what is missing: the command line, the project, the passphrase, the backend, the stack
   */
  static async open(options: EngineStackOptions): Promise<EngineStack> {
    const { stack: name, projectDirectory, pulumiHome } = options;
    const project = readProject(projectDirectory);
    checkPassphrase(options);
    mkdirSync(pulumiHome, { recursive: true, mode: 0o700 });
    leaveOutTheDebugLog(pulumiHome);
    const cli = await findCli(options);
    const opened = await LocalWorkspace.selectStack(
      { stackName: name, projectName: project, program: async () => undefined },
      { workDir: projectDirectory, pulumiHome, pulumiCommand: cli.forAutomation },
    ).catch((error: unknown) => {
      throw cannotOpen(name, error);
    });
    const { url } = identitySchema.parse(await opened.workspace.whoAmI());
    const stack = new EngineStack(name, project, folderOf(url), leanOf(opened), cli, options);
    await stack.readConfig().catch((error: unknown) => {
      throw cannotOpen(name, error);
    });
    return stack;
  }

  /** Of the command line; undefined where it does not tell. */
  get cliVersion(): string | undefined {
    return this.cli.version?.toString();
  }

  /** The stack's whole configuration, decrypted; asked of the engine again only when the stack's file has changed. */
  async readConfig(): Promise<ReadonlyMap<string, string>> {
    const text = readStackFile(this.options);
    if (this.known?.text === text) return this.known.config;
    const answer = await this.run(['config', '--show-secrets', '--json']);
    const entries = Object.entries(configSchema.parse(JSON.parse(answer)));
    const config = new Map(
      entries.flatMap(([key, { value }]) => (value === undefined ? [] : [[key, value]])),
    );
    this.options.censor.add(...secretsIn(text, config));
    this.known = { text, config };
    return config;
  }

  /** @throws ConfigError when the record is none of this program's */
  async readRecord(): Promise<StackOutputs | undefined> {
    return parseOutputs(this.name, await this.run(['stack', 'output', '--json']));
  }

  /** The state with its secrets encrypted. */
  async exportState(): Promise<ExportedState> {
    return readExportedState(await this.run(['stack', 'export']));
  }

  /** Takes the stack's lock. @param file of a state as exported */
  async importState(file: string): Promise<void> {
    await this.run(['stack', 'import', '--file', file]);
  }

  /** Takes resources out of the state that are nowhere else any more. Takes the stack's lock for each. */
  async forget(urns: readonly string[]): Promise<void> {
    for (const urn of urns) await this.run(['state', 'delete', urn, '--yes']);
  }

  /** What `pulumi cancel` does: takes away every lock of the stack. */
  async cancel(): Promise<void> {
    await this.run(['cancel', '--yes']);
  }

  /** Runs a program as an update. @throws CliError, also when a resource failed */
  async up(program: PulumiFn, onEvent: (event: EngineEvent) => void): Promise<void> {
    const connected = withConnections(program);
    try {
      await withoutLeftListeners(() =>
        this.stack.up({
          program: connected.run,
          onEvent,
          // What does not depend on a failed launch goes on.
          continueOnError: true,
          // Hetzner allows a project 3,600 calls an hour: as many at once as make up a burst, and no more.
          parallel: 16,
          color: 'never',
          showSecrets: false,
          suppressOutputs: true,
        }),
      );
    } finally {
      connected.close();
    }
  }

  private async run(args: string[]): Promise<string> {
    const { projectDirectory, pulumiHome } = this.options;
    const command = [...args, '--stack', this.name, '--color', 'never'];
    return (await this.cli.run(command, projectDirectory, { PULUMI_HOME: pulumiHome })).stdout;
  }
}

/**
 * The stack without what `up()` does after the update: it would read the outputs, twice, and the history, in three more
 * processes that each load the state and derive the passphrase's key. The outputs are known: the program returned them.
 */
function leanOf(stack: Stack): Stack {
  const nothing: Pick<Stack, 'outputs' | 'info'> = { outputs: async () => ({}), info: async () => undefined };
  return Object.assign(Object.create(stack) as Stack, nothing);
}

/**
 * The command line (3.259) keeps an encrypted log of everything at debug level under its home, for a quarter of its
 * processor time, and has no switch for it. Where that path is a plain file it goes without.
 */
function leaveOutTheDebugLog(pulumiHome: string): void {
  const path = join(pulumiHome, 'logs');
  if (!existsSync(path)) writeFileSync(path, '');
}

function readProject(directory: string): string {
  try {
    return projectSchema.parse(parse(readFileSync(join(directory, 'Pulumi.yaml'), 'utf8'))).name;
  } catch {
    throw refused('Pulumi.yaml', `${directory} has none that can be read; give the folder of the checkout`);
  }
}

/** @throws ConfigError when there is no file of the stack */
function readStackFile({ projectDirectory, stack }: EngineStackOptions): string {
  try {
    return readFileSync(join(projectDirectory, `Pulumi.${stack}.yaml`), 'utf8');
  } catch {
    throw refused(`Pulumi.${stack}.yaml`, `${projectDirectory} has none that can be read`);
  }
}

/** Without it every command would fail only after the service has started, and with less clear words. */
function checkPassphrase(options: EngineStackOptions): void {
  const { environment } = options;
  const file = stackFileSchema.parse(parse(readStackFile(options)));
  const isPassphrase = file.secretsprovider === undefined || file.secretsprovider === 'passphrase';
  if (!isPassphrase || file.encryptionsalt === undefined) return;
  if (environment['PULUMI_CONFIG_PASSPHRASE'] !== undefined) return;
  const path = environment['PULUMI_CONFIG_PASSPHRASE_FILE'];
  if (path === undefined) {
    throw refused(
      'PULUMI_CONFIG_PASSPHRASE',
      'is missing: the secrets of this stack are encrypted with a passphrase; give it in the environment, or the file that holds it as PULUMI_CONFIG_PASSPHRASE_FILE',
    );
  }
  try {
    readFileSync(path);
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code ?? 'unreadable';
    throw refused('PULUMI_CONFIG_PASSPHRASE_FILE', `${path} cannot be read (${code})`);
  }
}

async function findCli({ environment, lockerStarted }: EngineStackOptions): Promise<Cli> {
  const variables = { ...environment, PULUMI_SKIP_UPDATE_CHECK: 'true' };
  const started = (pid: number, [command, verb]: readonly string[]): void => {
    if (command === 'up' || command === 'state' || verb === 'import') lockerStarted(pid);
  };
  const cli = await Cli.find(variables, started).catch(() => {
    throw refused('pulumi', 'the Pulumi command line is not on PATH; install it, or run `npm run demo` once');
  });
  if (cli.version !== null && cli.version.compare(OLDEST_CLI) < 0) {
    throw refused(
      'pulumi',
      `the Pulumi command line is ${cli.version.toString()}; ${OLDEST_CLI} or newer is needed`,
    );
  }
  return cli;
}

/** The command line's words, as what a person can do about them. */
function cannotOpen(stack: string, error: unknown): unknown {
  if (!(error instanceof CliError)) return error;
  const { text } = error;
  if (/incorrect passphrase/i.test(text)) {
    return refused(
      'PULUMI_CONFIG_PASSPHRASE',
      `is not the one that the secrets of ${stack} are encrypted with`,
    );
  }
  if (/passphrase must be set/i.test(text)) {
    return refused('PULUMI_CONFIG_PASSPHRASE', 'is missing: give it, or PULUMI_CONFIG_PASSPHRASE_FILE');
  }
  if (/no stack named .* found/.test(text)) {
    return refused(
      `stack ${stack}`,
      `the backend has no such stack; make it with \`pulumi stack init ${stack}\`, or set PULUMI_BACKEND_URL to the backend that has it`,
    );
  }
  return refused(
    `stack ${stack}`,
    `the engine cannot open it: ${text.trim().replace(/^error: /, '')}. Is PULUMI_BACKEND_URL right, and can it be reached?`,
  );
}

function refused(path: string, message: string): ConfigError {
  return new ConfigError([{ path, message }], 'The stack cannot be opened.');
}

/** `file://` addresses are absolute or begin with `~`. */
function folderOf(url: string | undefined): string | undefined {
  if (!url?.startsWith('file://')) return undefined;
  return url.slice('file://'.length).replace(/\?.*$/, '').replace(/^~/, homedir());
}
