import { mkdtempSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { LocalWorkspace, type Stack, type UpResult } from '@pulumi/pulumi/automation';
import { utils } from 'ssh2';
import { parse, stringify } from 'yaml';
import { z } from 'zod';
import type { Membership } from '../../components/model/membership';
import { membershipSchema } from '../../components/model/membership';
import { deploy } from '../../deploy';
import { type DeepPartial, type Sandbox, type SandboxSettings, startSandbox } from '../../sandbox/sandbox';
import { type Place, type Raw, WORKLOAD_SECRET } from './configs';
import { endPlugins, findEngine, type Finished, type Running, start } from './engine';

export const ROOT = join(__dirname, '..', '..');
export const STACK = 'sandbox';
export const REGISTRATION_SECRET = 'registration-secret-4f1c9e07b2d85a36';

const resourceSchema = z.object({
  urn: z.string(),
  type: z.string(),
  id: z.string().optional(),
  outputs: z.record(z.string(), z.unknown()).optional(),
});
const checkpointSchema = z.object({
  checkpoint: z.object({ latest: z.object({ resources: z.array(resourceSchema).default([]) }).nullish() }),
});
const rootOutputsSchema = z.object({
  membership: membershipSchema,
  pools: z.record(z.string(), z.object({ configHash: z.string() })),
});

/** Actions end at once and machines boot in a second, so that only the engine takes time. */
const FAST: DeepPartial<SandboxSettings> = {
  hetzner: { durationFactor: 0 },
  machines: { bootSeconds: { min: 0.5, max: 1 } },
  tailscale: { ephemeralRemovalAfter: 3600 },
};

/** A local cloud, and a stack of its own on a `file://` backend in a temporary folder. */
export class Environment implements Place {
  /** What every command has said, for the search for secrets. */
  readonly transcripts: string[] = [];
  /** The workload's secret as the stack's file has it: encrypted. */
  workloadSecret: Raw = {};
  private readonly running = new Set<Running>();
  private readonly inlineRuns = new Set<AbortController>();
  private inlineStack: Promise<Stack> | undefined;
  private salt = '';
  private registrationSecret: Raw = {};

  private constructor(
    readonly sandbox: Sandbox,
    readonly folder: string,
    private readonly variables: NodeJS.ProcessEnv,
  ) {}

  static async start(settings: DeepPartial<SandboxSettings> = {}): Promise<Environment> {
    const engine = await findEngine();
    // The Automation API looks for the command on this process's PATH.
    process.env['PATH'] = engine.env['PATH'];
    const sandbox = await startSandbox({ ...FAST, ...settings });
    const folder = mkdtempSync(join(tmpdir(), 'worker-pools-engine-'));
    for (const name of ['state', 'home', 'project']) mkdirSync(join(folder, name));
    const environment = new Environment(sandbox, folder, {
      ...withoutCredentials(engine.env),
      ...engine.linkPlugins(join(folder, 'home')),
      PULUMI_BACKEND_URL: `file://${join(folder, 'state')}`,
      PULUMI_CONFIG_PASSPHRASE: 'sandbox',
    });
    try {
      await environment.prepare();
    } catch (error) {
      await environment.close();
      throw error;
    }
    return environment;
  }

  get publicKeyFile(): string {
    return join(this.folder, 'id.pub');
  }

  get privateKeyFile(): string {
    return join(this.folder, 'id');
  }

  get backend(): string {
    return join(this.folder, 'state');
  }

  get configFile(): string {
    return join(this.folder, 'project', `Pulumi.${STACK}.yaml`);
  }

  /** The vendors' end points and what opens them, as a person has them in the environment. */
  get credentials(): Record<string, string> {
    return { ...this.endpoints, ...this.secrets };
  }

  get endpoints(): Record<string, string> {
    const { hetzner, tailscale, cloudflare } = this.sandbox.endpoints;
    return {
      HCLOUD_ENDPOINT: hetzner.url,
      TAILSCALE_BASE_URL: tailscale.url,
      TAILSCALE_OAUTH_CLIENT_ID: tailscale.oauthClientId,
      CLOUDFLARE_BASE_URL: cloudflare.url,
    };
  }

  private get secrets(): Record<string, string> {
    const { hetzner, tailscale, cloudflare } = this.sandbox.endpoints;
    return {
      HCLOUD_TOKEN: hetzner.token,
      TAILSCALE_OAUTH_CLIENT_SECRET: tailscale.oauthClientSecret,
      CLOUDFLARE_API_TOKEN: cloudflare.token,
    };
  }

  /** Writes the stack's file. `entries` go in as they are, for keys of other namespaces. */
  configure(config: Raw, entries: Raw = {}): void {
    const ours = Object.entries(config).map(([key, value]) => [`worker-pools:${key}`, value]);
    const text = stringify({
      config: {
        'hcloud:pollInterval': '100ms',
        'hcloud:pollFunction': 'constant',
        'worker-pools:registrationSecret': this.registrationSecret,
        ...(Object.fromEntries(ours) as Raw),
        ...entries,
      },
      encryptionsalt: this.salt,
    });
    writeFileSync(this.configFile, text);
  }

  /** Encrypts values for the stack's file, as `pulumi config set --secret` does; they can stand anywhere in it. */
  async seal(...values: string[]): Promise<Raw[]> {
    const pairs = values.flatMap((value, index) => ['--secret', `sealed:value${index}=${value}`]);
    const done = await this.inProject(['config', 'set-all', '--stack', STACK, ...pairs]);
    if (done.code !== 0) throw new Error(`pulumi config set-all failed:\n${done.text}`);
    const { config, encryptionsalt } = z
      .object({ config: z.record(z.string(), z.unknown()), encryptionsalt: z.string() })
      .parse(parse(readFileSync(this.configFile, 'utf8')));
    this.salt = encryptionsalt;
    return values.map((_, index) => config[`sealed:value${index}`] as Raw);
  }

  /** `pulumi COMMAND` as a person types it in the checkout, credentials in the environment. */
  cli(args: string[], variables: NodeJS.ProcessEnv = this.credentials): Promise<Finished> {
    return this.startCli(args, variables).finished;
  }

  startCli(args: string[], variables: NodeJS.ProcessEnv = this.credentials): Running {
    const withFile = ['up', 'preview', 'destroy'].includes(args[0] ?? '')
      ? ['--config-file', this.configFile]
      : [];
    const command = [
      'pulumi',
      ...args,
      ...withFile,
      '--stack',
      STACK,
      '--non-interactive',
      '--color',
      'never',
    ];
    return this.track(start(command, { cwd: ROOT, env: { ...this.variables, ...variables } }));
  }

  /** `pulumi up --yes` without its preview. */
  up(variables?: NodeJS.ProcessEnv): Promise<Finished> {
    return this.cli(['up', '--yes', '--skip-preview'], { ...this.credentials, ...variables });
  }

  /** The steps of `pulumi preview --json` that would change something: `create`, `update`, `delete`, … by name. */
  async preview(): Promise<{ changes: Record<string, string[]>; finished: Finished }> {
    const finished = await this.cli(['preview', '--json']);
    const { steps } = z
      .object({ steps: z.array(z.object({ op: z.string(), urn: z.string() })).default([]) })
      .parse(JSON.parse(finished.stdout));
    const changes: Record<string, string[]> = {};
    for (const { op, urn } of steps) {
      if (op !== 'same' && op !== 'read') (changes[op] ??= []).push(urn.slice(urn.lastIndexOf('::') + 2));
    }
    return { changes, finished };
  }

  /** What the service does: `deploy()` in this process, with the membership that it wants. */
  async upInline(membership?: Membership): Promise<UpResult> {
    this.inlineStack ??= LocalWorkspace.selectStack(
      { stackName: STACK, projectName: 'worker-pools', program: async () => undefined },
      { workDir: join(this.folder, 'project'), envVars: this.serviceVariables },
    );
    const stack = await this.inlineStack;
    const run = new AbortController();
    this.inlineRuns.add(run);
    try {
      return await stack.up({
        program: () =>
          deploy({
            ...(membership && { intend: () => membership }),
            environment: this.credentials,
            directory: ROOT,
          }),
        signal: run.signal,
        color: 'never',
        showSecrets: false,
        onOutput: (text) => this.transcripts.push(text),
        onEvent: (event) => {
          // The SDK's debug messages quote every resource in plain text; whoever listens has to drop them.
          if (event.diagnosticEvent?.prefix === 'debug: ') return;
          this.transcripts.push(JSON.stringify(event));
        },
      });
    } finally {
      this.inlineRuns.delete(run);
    }
  }

  /** The same in a process of its own, for a test that kills it. */
  startService(membership: Membership): Running {
    const question = { stack: STACK, folder: join(this.folder, 'project'), root: ROOT, membership };
    const command = ['node', '--require', 'tsx/cjs', join(__dirname, 'service.ts'), JSON.stringify(question)];
    return this.track(start(command, { cwd: ROOT, env: { ...this.variables, ...this.credentials } }));
  }

  /** The stack's resources as the backend holds them. */
  resources(): z.infer<typeof resourceSchema>[] {
    const file = join(this.backend, '.pulumi', 'stacks', 'worker-pools', `${STACK}.json`);
    const { checkpoint } = checkpointSchema.parse(JSON.parse(readFileSync(file, 'utf8')));
    return checkpoint.latest?.resources ?? [];
  }

  /** Every resource with its id, in order. What is only read (the record itself) is none. */
  identities(): string[] {
    return this.resources()
      .filter(({ type }) => type !== 'pulumi:pulumi:StackReference')
      .map(({ urn, id }) => `${urn} ${id ?? ''}`)
      .sort();
  }

  /** The recorded root outputs. */
  record(): z.infer<typeof rootOutputsSchema> {
    const root = this.resources().find(({ type }) => type === 'pulumi:pulumi:Stack');
    return rootOutputsSchema.parse(root?.outputs);
  }

  /** Ends everything that was started, and leaves nothing behind. */
  async close(): Promise<void> {
    for (const run of this.inlineRuns) run.abort();
    await Promise.all([...this.running].map((running) => running.kill()));
    endPlugins(join(this.folder, 'home'));
    await this.sandbox.close();
    rmSync(this.folder, { recursive: true, force: true });
  }

  private async prepare(): Promise<void> {
    const pair = utils.generateKeyPairSync('ed25519');
    writeFileSync(this.privateKeyFile, pair.private, { mode: 0o600 });
    writeFileSync(this.publicKeyFile, `${pair.public} tests\n`);
    const project = stringify({ name: 'worker-pools', runtime: 'nodejs' });
    writeFileSync(join(this.folder, 'project', 'Pulumi.yaml'), project);
    const made = await this.inProject(['stack', 'init', STACK]);
    if (made.code !== 0) throw new Error(`pulumi stack init failed:\n${made.text}`);
    const [registrationSecret, workloadSecret] = await this.seal(REGISTRATION_SECRET, WORKLOAD_SECRET);
    this.registrationSecret = registrationSecret!;
    this.workloadSecret = workloadSecret!;
  }

  private inProject(args: string[]): Promise<Finished> {
    const command = ['pulumi', ...args, '--non-interactive', '--color', 'never'];
    const options = { cwd: join(this.folder, 'project'), env: this.variables };
    return this.track(start(command, options)).finished;
  }

  private track(running: Running): Running {
    this.running.add(running);
    void running.finished.then(({ text }) => {
      this.running.delete(running);
      this.transcripts.push(text);
    });
    return running;
  }

  /** What a service of this stack has in its environment. */
  get serviceVariables(): Record<string, string> {
    const variables = { ...this.variables, ...this.credentials };
    return Object.fromEntries(
      Object.entries(variables).filter((entry): entry is [string, string] => entry[1] !== undefined),
    );
  }
}

/** Nobody's own tokens may reach a test. */
function withoutCredentials(variables: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  const foreign = /^(HCLOUD|TAILSCALE|CLOUDFLARE|PULUMI_CONFIG|PULUMI_BACKEND|WORKER_POOLS_(ADOPT|ALLOW))/;
  return Object.fromEntries(Object.entries(variables).filter(([name]) => !foreign.test(name)));
}
