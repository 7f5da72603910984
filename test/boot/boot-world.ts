import { execFile } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import { z } from 'zod';
import { hostKey } from '../../components/model/worker-machine';
import { HOST_ADDRESS } from '../../sandbox/kernel/guest-network';
import { hostNetwork } from '../../sandbox/qemu/addresses';
import type { DeepPartial, SandboxSettings } from '../../sandbox/sandbox';
import type { Raw } from '../engine/configs';
import { REGISTRATION_SECRET, STACK } from '../engine/harness';
import { World } from '../service/world';
import { emptyDatabase, sql } from '../automation/registry/databases';

const run = promisify(execFile);

/** Seconds between two rounds of the service: half of what it takes by itself. */
const ROUND = 5;

/** The name that the program gives the NAT machine. */
export const NAT_MACHINE = `${STACK}-nat`;

const serversSchema = z.object({
  servers: z.array(
    z.object({
      id: z.number(),
      public_net: z.object({ ipv4: z.object({ ip: z.string() }).nullable() }),
      private_net: z.array(z.object({ ip: z.string() })),
    }),
  ),
});

type Place = Awaited<ReturnType<typeof emptyDatabase>>;
/** One worker of a pool as the service sees it. */
export type SeenWorker = Awaited<ReturnType<World['pool']>>['workers'][number];

/** A stack on machines that boot for real, with the service beside it and a queue in a real PostgreSQL. */
export class BootWorld {
  private constructor(
    readonly world: World,
    private readonly queue: Place,
  ) {}

  /** Brings a stack up; each pool follows its part of one table of jobs, whose address its machines are given. */
  static async start(
    describe: (queueUrl: string) => { pools: Record<string, Raw>; config?: Raw },
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
      const { pools, config = {} } = describe(url.replace('127.0.0.1', HOST_ADDRESS));
      const following = Object.entries(pools).map(([name, pool]) => [
        name,
        { queue: jobsIn(url, name), ...pool },
      ]);
      const world = await World.start(Object.fromEntries(following) as Record<string, Raw>, {
        sandbox: { clock: { kind: 'real', rate: 1 }, machineKind: 'qemu', ...sandbox },
      });
      return await BootWorld.running(world, queue, config);
    } catch (error) {
      await queue.remove();
      throw error;
    }
  }

  private static async running(world: World, queue: Place, config: Raw): Promise<BootWorld> {
    try {
      world.edit({}, surroundings(world, config));
      const { code, text } = await world.environment.up();
      if (code !== 0) throw new Error(`pulumi up failed:\n${text}`);
      await world.startService();
      return new BootWorld(world, queue);
    } catch (error) {
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

  /** The vendor's reset: as if by the button at the machine. */
  async reset(machine: string): Promise<void> {
    const { servers } = serversSchema.parse(await this.world.hetzner('GET', `/servers?name=${machine}`));
    await this.world.hetzner('POST', `/servers/${servers[0]?.id}/actions/reset`, {});
  }

  /** Whether a machine has been told to take no further jobs. */
  async drains(machine: string): Promise<boolean> {
    return (await this.ssh(machine, 'ls /run/worker-pools').catch(() => '')).includes('drain');
  }

  /** Rounds of the service until something holds. @throws Error that shows what the machines said when it never does */
  async until(what: string, holds: () => boolean | Promise<boolean>, seconds: number): Promise<void> {
    const deadline = Date.now() + seconds * 1000;
    for (;;) {
      await this.world.round();
      if (await holds()) return;
      if (Date.now() > deadline)
        throw new Error(`after ${seconds} s still not: ${what}\n${await this.account()}`);
      await sleep(ROUND * 1000);
    }
  }

  /** Runs a command as root on a machine, by SSH under the host key that is known beforehand. */
  async ssh(machine: string, command: string): Promise<string> {
    const { args, target } = await this.sshTo(machine);
    const { stdout } = await run('ssh', [...args, target, command], { timeout: 180_000 });
    return stdout;
  }

  /** The same by the machine's name alone, through a program that makes the connection. */
  async sshThrough(proxy: string[], machine: string, command: string): Promise<string> {
    const args = [...this.sshOptions(machine, machine), '-o', `ProxyCommand=${proxy.join(' ')}`];
    const { stdout } = await run('ssh', [...args, `root@${machine}`, command], { timeout: 180_000 });
    return stdout;
  }

  /** A request to the tailnet's API by somebody with the OAuth client's secret. */
  async tailnetApi(method: string, path: string, body?: unknown): Promise<unknown> {
    const { url, oauthClientId, oauthClientSecret } = this.world.sandbox.endpoints.tailscale;
    const form = {
      grant_type: 'client_credentials',
      client_id: oauthClientId,
      client_secret: oauthClientSecret,
    };
    const token = await fetch(`${url}/api/v2/oauth/token`, {
      method: 'POST',
      body: new URLSearchParams(form),
    });
    const { access_token } = z.object({ access_token: z.string() }).parse(await token.json());
    const response = await fetch(`${url}/api/v2${path}`, {
      method,
      headers: { authorization: `Bearer ${access_token}`, 'content-type': 'application/json' },
      ...(body !== undefined && { body: JSON.stringify(body) }),
    });
    if (!response.ok) throw new Error(`${method} ${path}: ${await response.text()}`);
    return response.json();
  }

  /** How ssh reaches a machine: by its public address, else through the NAT machine of its network. */
  private async sshTo(machine: string): Promise<{ args: string[]; target: string }> {
    const { publicIpv4, privateIp } = await this.addressesOf(machine);
    const address = publicIpv4 ?? privateIp ?? '';
    const args = this.sshOptions(machine, address);
    if (publicIpv4 === undefined) {
      const jump = await this.sshTo(NAT_MACHINE);
      args.push('-o', `ProxyCommand=ssh ${jump.args.join(' ')} -W %h:%p ${jump.target}`);
    }
    return { args, target: `root@${address}` };
  }

  private sshOptions(machine: string, address: string): string[] {
    const { folder, privateKeyFile } = this.world.environment;
    const known = join(folder, `known-${machine}`);
    writeFileSync(known, `${address} ${hostKey(REGISTRATION_SECRET, machine).publicKey}\n`);
    const options = [
      'BatchMode=yes',
      'StrictHostKeyChecking=yes',
      `UserKnownHostsFile=${known}`,
      'GlobalKnownHostsFile=/dev/null',
      'IdentitiesOnly=yes',
      'ConnectTimeout=60',
      'LogLevel=ERROR',
    ];
    return ['-F', '/dev/null', '-i', privateKeyFile, ...options.flatMap((option) => ['-o', option])];
  }

  /** What a machine's console has said. */
  console(machine: string): string {
    const found = this.world.sandbox.machines.list().find(({ name }) => name === machine);
    return found?.log ?? '';
  }

  /** What `worker-pools explain` shows of a worker, youngest first. */
  async explained(worker: string): Promise<{ kind: string; summary: string }[]> {
    const answer = (await this.world.ask(`/v1/stacks/${STACK}/audit?worker=${worker}`)) as {
      entries: { kind: string; summary: string }[];
    };
    return answer.entries;
  }

  async close(): Promise<void> {
    await this.world.close();
    await this.queue.remove();
  }

  private async addressesOf(machine: string): Promise<{ publicIpv4?: string; privateIp?: string }> {
    const { servers } = serversSchema.parse(await this.world.hetzner('GET', `/servers?name=${machine}`));
    const [server] = servers;
    if (!server) throw new Error(`no server is called ${machine}`);
    const publicIpv4 = server.public_net.ipv4?.ip;
    const privateIp = server.private_net[0]?.ip;
    return {
      ...(publicIpv4 !== undefined && { publicIpv4 }),
      ...(privateIp !== undefined && { privateIp }),
    };
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

/**
 * What every machine must be told to live here: nothing outside this computer but the package archive. On a tailnet where
 * the sandbox has a real one.
 */
function surroundings({ environment, settings, sandbox }: World, { machines, access, ...config }: Raw): Raw {
  const { publicKeyFile, privateKeyFile } = environment;
  const { tailnet } = sandbox.endpoints;
  return {
    access: {
      sshKeys: [publicKeyFile],
      ssh: { privateKeyFile, ...(!tailnet && { from: ['127.0.0.0/8'] }) },
      ...(tailnet
        ? {
            connectivity: 'tailscale',
            tags: ['tag:worker'],
            tailscale: { loginServer: tailnet.loginServer, packages: tailnet.packages },
          }
        : { connectivity: 'direct' }),
      ...(access as Raw | undefined),
    },
    machines: {
      timeServers: [HOST_ADDRESS],
      resolvers: [hostNetwork.resolver],
      ...(machines as Raw | undefined),
    },
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
