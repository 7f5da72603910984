import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { createServer, type AddressInfo } from 'node:net';
import { join } from 'node:path';
import type { DeepPartial, SandboxSettings } from '../../../sandbox/sandbox';
import { type Raw, tailnetAccess } from '../../engine/configs';
import { findEngine, start, type Running } from '../../engine/engine';
import { Environment, ROOT, STACK } from '../../engine/harness';

const BINARY = join(ROOT, 'automation', 'worker-pools.js');

/** What a finished command said. */
export interface Said {
  readonly code: number | null;
  readonly stdout: string;
  /** Both streams. */
  readonly text: string;
}

/** The command line as a person types it, in a checkout of its own with a stack on the local cloud. */
export class Stage {
  private constructor(
    readonly environment: Environment,
    /** Where the service listens for workers. */
    readonly workersPort: number,
    readonly adminPort: number,
  ) {}

  /** @param changes to the configuration */
  static async start(changes: Raw = {}, sandbox: DeepPartial<SandboxSettings> = {}): Promise<Stage> {
    const environment = await Environment.start(sandbox);
    const [workersPort, adminPort] = [await freePort(), await freePort()];
    const stage = new Stage(environment, workersPort, adminPort);
    stage.configure(changes);
    const home = join(stage.data, 'pulumi');
    mkdirSync(home, { recursive: true, mode: 0o700 });
    (await findEngine()).linkPlugins(home);
    return stage;
  }

  get data(): string {
    return join(this.environment.folder, 'data');
  }

  get project(): string {
    return join(this.environment.folder, 'project');
  }

  get service(): string {
    return `http://127.0.0.1:${this.adminPort}`;
  }

  configure(changes: Raw = {}, entries: Raw = {}): void {
    const jobs = `${this.environment.sandbox.endpoints.control.url}/jobs`;
    this.environment.configure(
      {
        access: tailnetAccess(this.environment),
        service: { url: `http://127.0.0.1:${this.workersPort}` },
        autoscaling: { enabled: true },
        pools: {
          ci: {
            size: { min: 0, max: 10 },
            image: 'debian-12',
            placements: [
              { serverType: 'cx33', location: 'fsn1' },
              { serverType: 'cpx32', location: 'nbg1' },
            ],
            queue: {
              kind: 'http',
              url: `${jobs}/ci`,
              waiting: 'waiting',
              running: 'running',
              oldestAge: 'oldestAge',
            },
          },
        },
        ...changes,
      },
      entries,
    );
  }

  /** The environment of a person with all credentials. */
  get variables(): NodeJS.ProcessEnv {
    return {
      ...this.environment.serviceVariables,
      PULUMI_IGNORE_AMBIENT_PLUGINS: 'true',
      WORKER_POOLS_ROOT: ROOT,
      NO_COLOR: '1',
    };
  }

  /** @param changes to the environment; undefined takes a variable away */
  launch(args: readonly string[], changes: NodeJS.ProcessEnv = {}): Running {
    const env = Object.fromEntries(
      Object.entries({ ...this.variables, ...changes }).filter(([, value]) => value !== undefined),
    );
    return start(['node', BINARY, ...args], { cwd: this.project, env });
  }

  async run(args: readonly string[], changes: NodeJS.ProcessEnv = {}): Promise<Said> {
    return this.launch(args, changes).finished;
  }

  serve(args: readonly string[] = [], changes: NodeJS.ProcessEnv = {}): Running {
    const listeners = ['--listen', `127.0.0.1:${this.workersPort}`, '--admin', `127.0.0.1:${this.adminPort}`];
    return this.launch(['serve', '--stack', STACK, '--data', this.data, ...listeners, ...args], changes);
  }

  /** Writes a lock as the engine does. */
  lock({ pid, host, since }: { pid: number; host: string; since: number }): void {
    const folder = join(this.environment.backend, '.pulumi', 'locks', 'organization', 'worker-pools', STACK);
    mkdirSync(folder, { recursive: true });
    const timestamp = new Date(since * 1000).toISOString();
    const lock = { pid, username: 'anna', hostname: host, timestamp };
    writeFileSync(join(folder, '0b3cbd0e-0000-4000-8000-000000000000.json'), JSON.stringify(lock));
  }

  /** The stack's file as it stands. */
  file(): string {
    return readFileSync(this.environment.configFile, 'utf8');
  }

  close(): Promise<void> {
    return this.environment.close();
  }
}

export async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
}
