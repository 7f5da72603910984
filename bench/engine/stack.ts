import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { LocalWorkspace, type Stack } from '@pulumi/pulumi/automation';
import { utils } from 'ssh2';
import { parseDocument, stringify } from 'yaml';
import type { Membership } from '../../components/model/membership';
import { deploy } from '../../deploy';
import type { Cloud } from '../cloud';

const ROOT = join(__dirname, '..', '..');
export const STACK = 'bench';
export const PROJECT = 'worker-pools';

/** What a service needs to open the stack. */
export interface BenchPlace {
  projectDirectory: string;
  pulumiHome: string;
  environment: Record<string, string>;
}

/** A stack on a `file://` backend of its own. */
export class BenchStack {
  private inline: Stack | undefined;

  private constructor(
    private readonly folder: string,
    private readonly environment: Record<string, string>,
  ) {}

  /**
   * @param parent folder to make the stack's own folder in
   * @param variables for the engine, on top of the usual ones
   */
  static async create(
    parent: string,
    cloud: Cloud,
    variables: Record<string, string> = {},
  ): Promise<BenchStack> {
    const folder = mkdtempSync(join(parent, 'stack-'));
    for (const name of ['state', 'home', 'project']) mkdirSync(join(folder, name));
    const { public: publicKey } = utils.generateKeyPairSync('ed25519');
    writeFileSync(join(folder, 'id.pub'), `${publicKey} bench\n`);
    writeFileSync(join(folder, 'project', 'Pulumi.yaml'), stringify({ name: PROJECT, runtime: 'nodejs' }));
    const { ensureEngine, linkPlugins } = await import('../../toolchain/ensure.mjs');
    const engine = await ensureEngine();
    const stack = new BenchStack(folder, {
      ...withoutCredentials(engine.env),
      ...cloud.environment,
      ...linkPlugins(engine, join(folder, 'home')),
      PULUMI_BACKEND_URL: `file://${join(folder, 'state')}`,
      PULUMI_CONFIG_PASSPHRASE: 'bench',
      ...variables,
    });
    await stack.pulumi(['stack', 'init', STACK], join(folder, 'project'));
    await stack.pulumi(
      ['config', 'set', '--stack', STACK, '--secret', 'worker-pools:registrationSecret', 's'.repeat(40)],
      join(folder, 'project'),
    );
    return stack;
  }

  /** Sets keys of the stack's file, with their namespace; others stay. */
  configure(entries: Record<string, unknown>): void {
    const document = parseDocument(readFileSync(this.configFile, 'utf8'));
    for (const [key, value] of Object.entries(entries)) document.setIn(['config', key], value);
    writeFileSync(this.configFile, document.toString());
  }

  get place(): BenchPlace {
    return {
      projectDirectory: join(this.folder, 'project'),
      pulumiHome: join(this.folder, 'home'),
      environment: this.environment,
    };
  }

  get publicKeyFile(): string {
    return join(this.folder, 'id.pub');
  }

  /** `pulumi up` as a person runs it. Removals count as confirmed. */
  async up(): Promise<void> {
    await this.pulumi(['up', '--yes', '--skip-preview', ...this.onStack()]);
  }

  async preview(): Promise<void> {
    await this.pulumi(['preview', ...this.onStack()]);
  }

  /** Makes the Stack object, which the service does once and not in each cycle. */
  async openInline(): Promise<void> {
    this.inline = await LocalWorkspace.selectStack(
      { stackName: STACK, projectName: PROJECT, program: async () => undefined },
      { workDir: join(this.folder, 'project'), envVars: this.environment },
    );
  }

  /** What the service does: the program in this process, the same Stack object each time. */
  async upInline(membership: Membership): Promise<void> {
    if (!this.inline) throw new Error('openInline() comes first');
    await this.inline.up({
      program: () => deploy({ intend: () => membership, environment: this.environment, directory: ROOT }),
      color: 'never',
      showSecrets: false,
    });
  }

  /** The state as JSON text without spaces. */
  async exported(): Promise<string> {
    const text = await this.pulumi(['stack', 'export', '--stack', STACK], join(this.folder, 'project'));
    return JSON.stringify(JSON.parse(text));
  }

  /** Takes over a state that was exported elsewhere. */
  async import(state: string): Promise<void> {
    const file = join(this.folder, 'import.json');
    writeFileSync(file, state);
    await this.pulumi(['stack', 'import', '--stack', STACK, '--file', file], join(this.folder, 'project'));
  }

  /** Bytes of the state's file as the backend keeps it, without backups and history. */
  bytesOnDisk(): number {
    const folder = join(this.folder, 'state', '.pulumi', 'stacks', PROJECT);
    const name = readdirSync(folder).find((file) => new RegExp(`^${STACK}\\.json(\\.gz)?$`).test(file));
    if (name === undefined) throw new Error(`no state of ${STACK} in ${folder}`);
    return statSync(join(folder, name)).size;
  }

  private get configFile(): string {
    return join(this.folder, 'project', `Pulumi.${STACK}.yaml`);
  }

  private onStack(): string[] {
    return ['--stack', STACK, '--config-file', this.configFile];
  }

  /** @throws Error with everything that the command has said when it fails */
  private async pulumi(args: string[], cwd = ROOT): Promise<string> {
    const child = spawn('pulumi', [...args, '--non-interactive', '--color', 'never'], {
      cwd,
      env: { ...this.environment, WORKER_POOLS_ALLOW_REMOVAL: 'ci' },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    const said: Buffer[] = [];
    const warned: Buffer[] = [];
    child.stdout.on('data', (chunk: Buffer) => said.push(chunk));
    child.stderr.on('data', (chunk: Buffer) => warned.push(chunk));
    const [code] = (await once(child, 'close')) as [number | null];
    const text = Buffer.concat(said).toString();
    if (code === 0) return text;
    throw new Error(`pulumi ${args[0]} failed:\n${text}${Buffer.concat(warned).toString()}`);
  }
}

/** Nobody's own tokens or state may be touched. */
function withoutCredentials(variables: Record<string, string>): Record<string, string> {
  const foreign = /^(HCLOUD|TAILSCALE|CLOUDFLARE|PULUMI_CONFIG|PULUMI_BACKEND|WORKER_POOLS_(ADOPT|ALLOW))/;
  return Object.fromEntries(Object.entries(variables).filter(([name]) => !foreign.test(name)));
}
