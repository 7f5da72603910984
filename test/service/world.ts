import { mkdirSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import type { AddressInfo } from 'node:net';
import { z } from 'zod';
import { createCensor } from '../../automation/censor';
import { createLog } from '../../automation/log';
import { type Service, startService } from '../../automation/service';
import type { Settings } from '../../automation/settings';
import { type StackStatus, stackStatusSchema } from '../../automation/status';
import type { DeepPartial, SandboxSettings } from '../../sandbox/sandbox';
import { type Raw, tailnetAccess } from '../engine/configs';
import { findEngine } from '../engine/engine';
import { Environment, ROOT, STACK } from '../engine/harness';

const statusSchema = z.object({ status: stackStatusSchema });
const ADMIN_TOKEN = 'admin-token-of-the-tests-0123456789';

/** Machines boot as real ones do, on a clock that a test moves. */
const STEPPED: DeepPartial<SandboxSettings> = {
  clock: { kind: 'stepped' },
  machines: { bootSeconds: { min: 60, max: 90 } },
};

/** Workers that take jobs from the sandbox's own queue. */
export const jobPool: Raw = {
  size: { min: 0, max: 10 },
  slots: 1,
  image: 'debian-12',
  placements: [
    { serverType: 'cx33', location: 'fsn1' },
    { serverType: 'cpx32', location: 'nbg1' },
  ],
};

/** A stack on the local cloud with the scaling service beside it, on one clock that the test moves. */
export class World {
  /** What the service has logged. */
  readonly events: Record<string, unknown>[] = [];
  private service: Service | undefined;

  private constructor(
    readonly environment: Environment,
    private readonly settings: Settings,
  ) {}

  /** @param pools by name, as in a stack's file; each gets the sandbox's queue of its name unless it has one */
  static async start(
    pools: Record<string, Raw>,
    { config = {}, sandbox = {} }: { config?: Raw; sandbox?: DeepPartial<SandboxSettings> } = {},
  ): Promise<World> {
    const environment = await Environment.start({ ...STEPPED, ...sandbox });
    const port = await freePort();
    const jobs = `${environment.sandbox.endpoints.control.url}/jobs`;
    environment.configure({
      access: tailnetAccess(environment),
      service: { url: `http://127.0.0.1:${port}` },
      autoscaling: { enabled: true },
      pools: Object.fromEntries(
        Object.entries(pools).map(([name, pool]) => [name, { queue: jobsQueue(`${jobs}/${name}`), ...pool }]),
      ),
      ...config,
    });
    const data = join(environment.folder, 'data');
    mkdirSync(join(data, 'pulumi'), { recursive: true });
    const plugins = (await findEngine()).linkPlugins(join(data, 'pulumi'));
    return new World(environment, {
      stacks: [STACK],
      project: join(environment.folder, 'project'),
      data,
      databaseUrl: undefined,
      workers: { host: '127.0.0.1', port },
      admin: { host: '127.0.0.1', port: 0, token: ADMIN_TOKEN },
      dryRun: false,
      environment: { ...environment.serviceVariables, ...plugins, WORKER_POOLS_ROOT: ROOT },
    });
  }

  get sandbox(): Environment['sandbox'] {
    return this.environment.sandbox;
  }

  /** Seconds since 1970 on the world's clock. */
  get now(): number {
    return this.sandbox.clock.now() / 1000;
  }

  async startService(changes: Partial<Settings> = {}): Promise<void> {
    const censor = createCensor();
    const destination = {
      write: (line: string) => void this.events.push(JSON.parse(line) as Record<string, unknown>),
    };
    this.service = await startService(
      { ...this.settings, ...changes },
      {
        clock: {
          now: () => this.now,
          sleep: () => Promise.reject(new Error('a test makes the rounds itself')),
        },
        random: () => 0.5,
        log: createLog(destination, 'debug', censor),
        censor,
      },
    );
  }

  async stopService(): Promise<void> {
    await this.service?.close();
    this.service = undefined;
  }

  /** Time goes on in steps of a round, each with what the service makes of it. */
  async pass(seconds: number, until: () => boolean | Promise<boolean> = () => false): Promise<boolean> {
    for (let passed = 0; passed < seconds; passed += 10) {
      await this.sandbox.advance(10);
      await this.service?.round();
      if (await until()) return true;
    }
    return false;
  }

  async status(): Promise<StackStatus> {
    return statusSchema.parse(await this.ask(`/v1/stacks/${STACK}/status`)).status;
  }

  async ask(path: string, body?: Raw): Promise<unknown> {
    const response = await fetch(`${this.service!.adminUrl}${path}`, {
      method: body ? 'POST' : 'GET',
      headers: { authorization: `Bearer ${ADMIN_TOKEN}`, 'content-type': 'application/json' },
      ...(body ? { body: JSON.stringify(body) } : {}),
    });
    return response.json();
  }

  /** Names of the workers' servers that there are. */
  servers(): string[] {
    return this.sandbox.machines
      .list()
      .map(({ name }) => name)
      .sort();
  }

  /** Requests that Hetzner got, as `METHOD /path`. */
  requests(method: string, path: RegExp): number {
    return this.sandbox.requests
      .list()
      .filter((request) => request.method === method && path.test(request.path)).length;
  }

  async close(): Promise<void> {
    await this.stopService();
    await this.environment.close();
  }
}

function jobsQueue(url: string): Raw {
  return { kind: 'http', url, waiting: 'waiting', running: 'running', oldestAge: 'oldestAge' };
}

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
}
