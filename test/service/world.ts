import { mkdirSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import type { AddressInfo } from 'node:net';
import { z } from 'zod';
import { createCensor } from '../../automation/censor';
import { createLog } from '../../automation/log';
import { type Service, startService } from '../../automation/service';
import type { Settings } from '../../automation/settings';
import { type PoolStatus, type StackStatus, stackStatusSchema } from '../../automation/status';
import type { FleetReport } from '../../sandbox/hetzner';
import type { MachineView } from '../../sandbox/machines';
import type { DeepPartial, SandboxSettings } from '../../sandbox/sandbox';
import { type Raw, tailnetAccess } from '../engine/configs';
import { findEngine } from '../engine/engine';
import { Environment, ROOT, STACK } from '../engine/harness';

const statusSchema = z.object({ status: stackStatusSchema });
const HOUR = 3600;
/** Seconds before the end of a paid hour from which on an idle worker may be let go, and some to spare. */
const HOUR_END = 90;
const ADMIN_TOKEN = 'admin-token-of-the-tests-0123456789';

/** Machines boot as real ones do, on a clock that a test moves. */
const STEPPED: DeepPartial<SandboxSettings> = {
  clock: { kind: 'stepped' },
  machines: { bootSeconds: { min: 60, max: 90 } },
};

const NO_FLEET: FleetReport = {
  servers: 0,
  alive: 0,
  peak: 0,
  names: [],
  hoursStarted: 0,
  net: 0,
  gross: 0,
};

/** Limits of an account that has been a customer for long. */
export const GROWN: DeepPartial<SandboxSettings> = {
  hetzner: { durationFactor: 0, limits: { servers: 200, primaryIps: 200 } },
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
  /** Is told of each as it is logged. */
  onEvent: (event: Record<string, unknown>) => void = () => undefined;
  private readonly services: Service[] = [];

  private constructor(
    readonly environment: Environment,
    readonly settings: Settings,
    private config: Raw,
  ) {}

  /** @param pools by name, as in a stack's file; each gets the sandbox's queue of its name unless it has one */
  static async start(
    pools: Record<string, Raw>,
    { config = {}, sandbox = {} }: { config?: Raw; sandbox?: DeepPartial<SandboxSettings> } = {},
  ): Promise<World> {
    const environment = await Environment.start({ ...STEPPED, ...sandbox });
    const port = await freePort();
    const jobs = `${environment.sandbox.endpoints.control.url}/jobs`;
    const file: Raw = {
      access: tailnetAccess(environment),
      service: { url: `http://127.0.0.1:${port}` },
      autoscaling: { enabled: true },
      pools: Object.fromEntries(
        Object.entries(pools).map(([name, pool]) => [name, { queue: jobsQueue(`${jobs}/${name}`), ...pool }]),
      ),
      ...config,
    };
    environment.configure(file);
    const data = join(environment.folder, 'data');
    mkdirSync(join(data, 'pulumi'), { recursive: true });
    const plugins = (await findEngine()).linkPlugins(join(data, 'pulumi'));
    const settings: Settings = {
      stacks: [STACK],
      project: join(environment.folder, 'project'),
      data,
      databaseUrl: undefined,
      workers: { host: '127.0.0.1', port },
      admin: { host: '127.0.0.1', port: 0, token: ADMIN_TOKEN },
      dryRun: false,
      environment: { ...environment.serviceVariables, ...plugins, WORKER_POOLS_ROOT: ROOT },
    };
    return new World(environment, settings, file);
  }

  /** A world whose stack is up, with the service beside it. */
  static async running(...[pools, options]: Parameters<typeof World.start>): Promise<World> {
    const world = await World.start(pools, options);
    try {
      // In this process: what a command of its own takes to load the program is several times what the update takes.
      await world.inTime(1, () => world.environment.upInline());
      await world.startService();
    } catch (error) {
      await world.close();
      throw error;
    }
    return world;
  }

  /** Edits the stack's file: `changes` to its pools by name, and to the rest of it. */
  edit(pools: Record<string, Raw>, rest: Raw = {}, entries: Raw = {}): void {
    const before = this.config['pools'] as Record<string, Raw>;
    const changed = Object.entries(pools).map(([name, changes]) => [name, { ...before[name], ...changes }]);
    this.config = { ...this.config, ...rest, pools: { ...before, ...(Object.fromEntries(changed) as Raw) } };
    this.environment.configure(this.config, entries);
  }

  get sandbox(): Environment['sandbox'] {
    return this.environment.sandbox;
  }

  /** Seconds since 1970 on the world's clock. */
  get now(): number {
    return this.sandbox.clock.now() / 1000;
  }

  async startService(changes: Partial<Settings> = {}): Promise<Service> {
    const censor = createCensor();
    const destination = {
      write: (line: string) => {
        const event = JSON.parse(line) as Record<string, unknown>;
        this.events.push(event);
        this.onEvent(event);
      },
    };
    const service = await startService(
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
    this.services.push(service);
    return service;
  }

  async stopService(): Promise<void> {
    for (const service of this.services.splice(0)) await service.close();
  }

  /** All that the service has kept, apart from what the stack records, is lost. Only while none runs. */
  forgetRegistry(): void {
    rmSync(join(this.settings.data, 'registry'), { recursive: true, force: true });
  }

  /** One round of every service, and what it starts. */
  async round(): Promise<void> {
    await Promise.all(this.services.map((service) => service.round()));
  }

  /** Time goes on by itself, `rate` seconds a second, while something waits for the vendor. */
  async inTime<T>(rate: number, work: () => Promise<T>): Promise<T> {
    this.sandbox.setClockMode({ kind: 'real', rate });
    return work().finally(() => this.sandbox.setClockMode({ kind: 'stepped' }));
  }

  /** Time goes on in steps of a round, each with what the service makes of it. */
  async pass(
    seconds: number,
    until: () => boolean | Promise<boolean> = () => false,
    step = 10,
  ): Promise<boolean> {
    for (let passed = 0; passed < seconds; passed += step) {
      await this.sandbox.advance(step);
      await this.round();
      if (await until()) return true;
    }
    return false;
  }

  /** Time goes on with a round a minute: for what the service only looks on at. */
  async rest(seconds: number): Promise<void> {
    for (let left = seconds; left > 0; left -= 60) {
      await this.sandbox.advance(Math.min(60, left));
      await this.round();
    }
  }

  /** Until an idle pool has no server: what its hours are paid for is rested through. False if it still has one after two hours. */
  async emptied(pool: string): Promise<boolean> {
    const deadline = this.now + 2 * HOUR;
    for (let { alive } = this.fleet(pool); alive > 0; { alive } = this.fleet(pool)) {
      if (this.now > deadline) return false;
      await this.rest(Math.min(HOUR, ...this.ages(pool).map((age) => HOUR - (age % HOUR))) - HOUR_END);
      await this.pass(HOUR_END + 10, () => this.fleet(pool).alive < alive);
    }
    return true;
  }

  async status(): Promise<StackStatus> {
    return statusSchema.parse(await this.ask(`/v1/stacks/${STACK}/status`)).status;
  }

  async pool(name: string): Promise<PoolStatus> {
    const { pools } = await this.status();
    return pools[name]!;
  }

  /** Codes of the alarms that stand, each with its pool where it has one. */
  async alarms(): Promise<string[]> {
    const { alarms } = await this.status();
    return alarms.map(({ code, pool }) => (pool === undefined ? code : `${pool}: ${code}`));
  }

  /** What Prometheus would scrape. */
  async metrics(): Promise<string> {
    return (await fetch(`${this.services[0]!.adminUrl}/metrics`)).text();
  }

  async ask(path: string, body?: Raw): Promise<unknown> {
    const response = await fetch(`${this.services[0]!.adminUrl}${path}`, {
      method: body ? 'POST' : 'GET',
      headers: { authorization: `Bearer ${ADMIN_TOKEN}`, 'content-type': 'application/json' },
      ...(body ? { body: JSON.stringify(body) } : {}),
    });
    return response.json();
  }

  /** Jobs of this many seconds for a pool. */
  addJobs(pool: string, count: number, seconds: number): void {
    this.sandbox.jobs.add(
      pool,
      Array.from({ length: count }, () => ({ seconds })),
    );
  }

  /** Servers of a pool: ever made, there now, and the most at one instant. */
  fleet(pool: string): FleetReport {
    return this.sandbox.hetzner.fleetReport('pool')[pool] ?? NO_FLEET;
  }

  /** The machines of a pool, the failed and hung ones too. */
  machines(pool: string): MachineView[] {
    return this.sandbox.machines.list().filter(({ name }) => name.startsWith(`${STACK}-${pool}-`));
  }

  /** Seconds since each of a pool's servers started. */
  ages(pool: string): number[] {
    return this.machines(pool).map(({ startedAt }) => this.now - Date.parse(startedAt) / 1000);
  }

  /** A request to Hetzner by somebody with the project's token. @throws Error with the answer when it is refused */
  async hetzner(method: string, path: string, body?: Raw): Promise<unknown> {
    const { url, token } = this.sandbox.endpoints.hetzner;
    const response = await fetch(`${url}${path}`, {
      method,
      headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
      ...(body ? { body: JSON.stringify(body) } : {}),
    });
    const text = await response.text();
    if (!response.ok) throw new Error(`${method} ${path}: ${text}`);
    return text === '' ? undefined : JSON.parse(text);
  }

  /** A server that no record knows. */
  async createServer(name: string, labels: Record<string, string>): Promise<void> {
    const body = { name, server_type: 'cx33', location: 'fsn1', image: 'debian-12', labels };
    await this.hetzner('POST', '/servers', body);
  }

  /** Where workers and callers for slots reach the service. */
  get workersUrl(): string {
    return this.services[0]!.workersUrl;
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
