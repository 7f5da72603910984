import { setTimeout as sleep } from 'node:timers/promises';
import { z } from 'zod';
import { HOST_ADDRESS } from '../../sandbox/kernel/guest-network';
import { hostNetwork } from '../../sandbox/qemu/addresses';
import type { DeepPartial, SandboxSettings } from '../../sandbox/sandbox';
import { emptyDatabase, sql } from '../automation/registry/databases';
import type { Raw } from '../engine/configs';
import { STACK } from '../engine/harness';
import { keyRequest } from '../sandbox/tailscale/tailnet';
import { World } from '../service/world';
import { prepare } from './prepare';
import { RemoteShell } from './remote-shell';
import { tailnetApi, type TailnetApi } from './tailnet-api';
import { TailscaleClient } from './tailscale-client';

/** Milliseconds between two rounds of the service: half of what it takes by itself. */
const ROUND = 5000;

/** For two boots: a translated guest on a busy machine takes so long that the service may give the first one up. */
export const BOOT_SECONDS = 1200;

/** The name that the program gives the NAT machine. */
export const NAT_MACHINE = `${STACK}-nat`;

const serversSchema = z.object({
  servers: z.array(
    z.object({
      id: z.number(),
      public_net: z.object({ ipv4: z.object({ ip: z.string() }).nullable() }),
    }),
  ),
});

const devicesSchema = z.object({
  devices: z.array(z.object({ hostname: z.string(), tags: z.array(z.string()).optional() })),
});

type Place = Awaited<ReturnType<typeof emptyDatabase>>;
/** One worker of a pool as the service sees it. */
type SeenWorker = Awaited<ReturnType<World['pool']>>['workers'][number];

/** What a stack here is made of, where its machines are to find its table of jobs. */
export interface StackPlan {
  pools: Record<string, Raw>;
  config?: Differences;
}

/** Sections of the stack's file; of the machines' surroundings only what is not as usual here. */
interface Differences {
  machines?: Raw;
  network?: Raw;
}

/**
 * A stack on machines that boot for real and join a real tailnet, with the service beside it, a queue in a real
 * PostgreSQL, and an operator's computer on the tailnet.
 */
export class BootWorld {
  private readonly shell: RemoteShell;
  private readonly rounds: Promise<void>;
  private readonly ending = new AbortController();

  private constructor(
    readonly world: World,
    private readonly queue: Place,
    private readonly operator: TailscaleClient,
    private readonly tailnet: TailnetApi,
  ) {
    const { folder, privateKeyFile } = world.environment;
    this.shell = new RemoteShell(folder, privateKeyFile);
    this.rounds = this.makeRounds();
    // Whoever waits for something is told.
    this.rounds.catch(() => undefined);
  }

  /** Brings a stack up; each pool follows its part of one table of jobs, whose address its machines are given. */
  static async start(
    plan: (queueUrl: string) => StackPlan,
    sandbox: DeepPartial<SandboxSettings> = {},
  ): Promise<BootWorld> {
    const queue = await emptyDatabase();
    const { url } = queue.location;
    try {
      await sql(
        url,
        `create table jobs (id serial, pool text not null, state text not null default 'new', machine text,
           created_at timestamptz default now())`,
      );
      const { pools, config = {} } = plan(url.replace('127.0.0.1', HOST_ADDRESS));
      await prepare(new Set(Object.values(pools).map(({ image }) => String(image))));
      const following = Object.entries(pools).map(([name, pool]) => [
        name,
        { queue: jobsIn(url, name), ...pool },
      ]);
      const world = await World.start(Object.fromEntries(following) as Record<string, Raw>, {
        sandbox: {
          clock: { kind: 'real', rate: 1 },
          machineKind: 'qemu',
          tailnetKind: 'headscale',
          ...sandbox,
        },
      });
      return await BootWorld.running(world, queue, config);
    } catch (error) {
      await queue.remove();
      throw error;
    }
  }

  private static async running(world: World, queue: Place, config: Differences): Promise<BootWorld> {
    let operator: TailscaleClient | undefined;
    try {
      const { tailscale, tailnet } = world.sandbox.endpoints;
      const call = tailnetApi(tailscale);
      // The check of a NAT machine reaches it by its tailnet address, which takes an interface of this computer's own.
      const options = config.network ? { networkInterface: 'operator' } : {};
      operator = await TailscaleClient.start(tailnet!.programs, options);
      const { body } = await call('POST', '/api/v2/tailnet/-/keys', keyRequest({ ephemeral: true }));
      await operator.up(tailnet!.hostLoginServer, (body as { key: string }).key, 'operator');
      world.edit({}, surroundings(world, config));
      const { code, text } = await world.environment.up({ WORKER_POOLS_READY_TIMEOUT: String(BOOT_SECONDS) });
      if (code !== 0) throw new Error(`pulumi up failed:\n${text}`);
      await world.startService();
      // Before its first round the service has no status.
      await world.round();
      return new BootWorld(world, queue, operator, call);
    } catch (error) {
      await operator?.close();
      await world.close();
      throw error;
    }
  }

  /** The NTP server that machines are told. */
  get timeServer(): string {
    return HOST_ADDRESS;
  }

  async addJobs(pool: string, count: number): Promise<void> {
    await sql(
      this.queue.location.url,
      `insert into jobs (pool) select '${pool}' from generate_series(1, ${count})`,
    );
  }

  /** The pool's jobs: how each stands, and the machine that did it. */
  async jobs(pool: string): Promise<{ state: string; machine: string | null }[]> {
    const rows = await sql(
      this.queue.location.url,
      `select state, machine from jobs where pool = '${pool}' order by id`,
    );
    return rows as { state: string; machine: string | null }[];
  }

  async workers(pool: string): Promise<SeenWorker[]> {
    return (await this.world.pool(pool)).workers;
  }

  async isReady(pool: string): Promise<boolean> {
    return (await this.workers(pool)).some(({ status }) => status === 'ready');
  }

  /** Whether neither the service nor the vendor knows a worker of the pool. */
  async isEmpty(pool: string): Promise<boolean> {
    return this.world.fleet(pool).alive === 0 && (await this.workers(pool)).length === 0;
  }

  /** A person's order: so many workers for the next hour. */
  async scale(pool: string, size: number): Promise<void> {
    const order = { by: 'anna', size, forSeconds: 3600 };
    await this.world.ask(`/v1/stacks/${STACK}/pools/${pool}/scale`, order);
  }

  /** Jobs that wait are wanted no more. */
  async takeJobsBack(pool: string): Promise<void> {
    await sql(this.queue.location.url, `delete from jobs where pool = '${pool}'`);
  }

  /** What the vendor does to a machine's power. */
  async power(machine: string, action: 'reset' | 'poweroff'): Promise<void> {
    await this.world.hetzner('POST', `/servers/${(await this.server(machine)).id}/actions/${action}`, {});
  }

  /** What `worker-pools explain` shows of a worker, youngest first. */
  async explained(worker: string): Promise<{ kind: string; summary: string }[]> {
    const answer = (await this.world.ask(`/v1/stacks/${STACK}/audit?worker=${worker}`)) as {
      entries: { kind: string; summary: string }[];
    };
    return answer.entries;
  }

  /** What a machine's console has said. */
  console(machine: string): string {
    const found = this.world.sandbox.machines.list().find(({ name }) => name === machine);
    return found?.log ?? '';
  }

  /** Tags of a machine's devices on the tailnet. */
  async devices(machine: string): Promise<(string[] | undefined)[]> {
    const { body } = await this.tailnet('GET', '/api/v2/tailnet/-/devices');
    const { devices } = devicesSchema.parse(body);
    return devices.filter(({ hostname }) => hostname === machine).map(({ tags }) => tags);
  }

  /** Another computer joins the tailnet with a key. */
  async join(key: string, hostname: string): Promise<void> {
    const { programs, hostLoginServer } = this.world.sandbox.endpoints.tailnet!;
    const client = await TailscaleClient.start(programs);
    await client.up(hostLoginServer, key, hostname).finally(() => client.close());
  }

  /** Runs a command as root on a machine, by its name on the tailnet. */
  async ssh(machine: string, command: string): Promise<string> {
    const [program, args] = this.operator.command('nc', machine, '22');
    return this.shell.run(machine, machine, command, [program, ...args]);
  }

  /** The same by the machine's public address: as long as it is not on the tailnet. */
  async sshByAddress(machine: string, command: string): Promise<string> {
    const { public_net } = await this.server(machine);
    return this.shell.run(machine, public_net.ipv4?.ip ?? '', command);
  }

  /** Until something holds. @throws Error that shows what the machines said when it does not in that time */
  async until(what: string, holds: () => boolean | Promise<boolean>, seconds: number): Promise<void> {
    const deadline = Date.now() + seconds * 1000;
    while (!(await holds())) {
      if (Date.now() > deadline)
        throw new Error(`after ${seconds} s still not: ${what}\n${await this.account()}`);
      await Promise.race([sleep(1000), this.rounds]);
    }
  }

  async close(): Promise<void> {
    this.ending.abort();
    try {
      await this.rounds;
    } finally {
      await this.operator.close();
      await this.world.close();
      await this.queue.remove();
    }
  }

  /** The service's rounds, one after the other. */
  private async makeRounds(): Promise<void> {
    const { signal } = this.ending;
    while (!signal.aborted) {
      await this.world.round();
      await sleep(ROUND, undefined, { signal }).catch(() => undefined);
    }
  }

  private async server(machine: string): Promise<z.infer<typeof serversSchema>['servers'][number]> {
    const { servers } = serversSchema.parse(await this.world.hetzner('GET', `/servers?name=${machine}`));
    const [server] = servers;
    if (!server) throw new Error(`no server is called ${machine}`);
    return server;
  }

  private async account(): Promise<string> {
    const { pools } = await this.world.status();
    const workers = Object.entries(pools).flatMap(([pool, { workers, reasons }]) => [
      `${pool}: ${reasons.join('; ')}`,
      ...workers.map(({ id, status }) => `  ${id} ${status}`),
    ]);
    const consoles = this.world.sandbox.machines
      .list()
      .map(({ name, state, log }) => `--- ${name} (${state})\n${log.split('\n').slice(-40).join('\n')}`);
    return [...workers, ...consoles].join('\n');
  }
}

/** What every machine must be told to live here: nothing outside this computer but the package archive. */
function surroundings({ environment, settings, sandbox }: World, { machines, ...config }: Differences): Raw {
  const { publicKeyFile, privateKeyFile } = environment;
  const { loginServer, packages } = sandbox.endpoints.tailnet!;
  return {
    access: {
      connectivity: 'tailscale',
      sshKeys: [publicKeyFile],
      ssh: { privateKeyFile },
      tags: ['tag:worker'],
      tailscale: { loginServer, packages },
    },
    machines: { timeServers: [HOST_ADDRESS], resolvers: [hostNetwork.resolver], ...machines },
    service: { url: `http://${HOST_ADDRESS}:${settings.workers.port}` },
    ...config,
  };
}

function jobsIn(url: string, pool: string): Raw {
  return {
    kind: 'postgres',
    url,
    query: `select count(*) filter (where state = 'new') as waiting, count(*) filter (where state = 'taken') as running,
      extract(epoch from now() - min(created_at) filter (where state = 'new')) as oldest_age from jobs where pool = '${pool}'`,
  };
}
