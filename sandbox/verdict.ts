import type { Hetzner } from './hetzner';
import type { Jobs } from './jobs';
import type { Machines } from './machines';
import type { Tailscale } from './tailscale';

/** How a day went, for whoever played it; what is right to be left is the player's to know. */
export interface Verdict {
  /** Jobs that are not done. */
  unfinished: number;
  done: number;
  /** Times that a working machine was deleted or switched off under a job. */
  lost: number;
  /** Times that a hung machine with a job was. */
  abandoned: number;
  /** Most servers at one instant, by the value of the pool label. */
  peaks: Record<string, number>;
  /** Values of the worker label that two servers had at one instant. */
  doubles: string[];
  /** Names of the servers that are there. */
  servers: string[];
  /** Those of them whose heartbeat the service does not take: hung, failed, still booting or unknown to it. */
  unregistered: string[];
  /** Host names of the tailnet's devices. */
  devices: string[];
}

/** The labels by which a tenant tells pools and workers apart. */
export interface Labels {
  pool: string;
  worker: string;
}

export function verdictOf(
  {
    hetzner,
    tailscale,
    machines,
    jobs,
  }: { hetzner: Hetzner; tailscale: Tailscale; machines: Machines; jobs: Jobs },
  labels: Labels,
): Verdict {
  const reports = Object.values(jobs.report());
  const sum = (of: (report: (typeof reports)[number]) => number): number =>
    reports.reduce((total, report) => total + of(report), 0);
  const pools = Object.entries(hetzner.fleetReport(labels.pool));
  const workers = Object.entries(hetzner.fleetReport(labels.worker));
  const servers = hetzner
    .costReport()
    .flatMap((project) => project.servers)
    .filter(({ deletedAt }) => deletedAt === undefined);
  const registered = new Set(
    machines
      .list()
      .filter(({ state, heartbeat }) => state === 'ready' && heartbeat?.registered === true)
      .map(({ serverId }) => serverId),
  );
  return {
    unfinished: sum(({ waiting, running }) => waiting + running),
    done: sum(({ done }) => done),
    lost: sum(({ lost }) => lost),
    abandoned: sum(({ abandoned }) => abandoned),
    peaks: Object.fromEntries(pools.map(([pool, { peak }]) => [pool, peak])),
    doubles: workers.filter(([, { peak }]) => peak > 1).map(([worker]) => worker),
    servers: servers.map(({ name }) => name).sort(),
    unregistered: servers
      .filter(({ id }) => !registered.has(id))
      .map(({ name }) => name)
      .sort(),
    devices: tailscale.hostnames().sort(),
  };
}
