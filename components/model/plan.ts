import { sizeBounds } from './pool';
import type { PoolConfig, StackConfig } from './config-schema';
import { ConfigError } from './errors';
import { CONFIG_NAMESPACE } from './schema-faults';
import {
  EMPTY_POOL,
  launch,
  remove,
  removedMembers,
  type Launch,
  type MemberRecord,
  type Membership,
  type PoolMembership,
} from './membership';

/** A worker that the cloud has, read from its server's labels. */
export interface LabelledWorker {
  pool: string;
  member: MemberRecord;
  /** Its server's, as Hetzner says it; absent where only the engine's state tells of the server. */
  status?: string;
}

export interface PlanInput {
  config: StackConfig;
  /** What the last update recorded; undefined for a new stack. */
  recorded: Membership | undefined;
  /** What a new member of the pool is launched as, now. */
  launchOf: (pool: string) => Launch;
}

/**
 * The membership that a run without an intent declares: pools of fixed size follow the file, all others stay as they
 * were recorded, because their size belongs to the service. A pool that is new starts at its smallest size.
 */
export function planMembership({ config, recorded, launchOf }: PlanInput): Membership {
  const configured = Object.entries(config.pools).map(([name, pool]): [string, PoolMembership] => {
    const before = recorded?.[name];
    const wanted =
      before === undefined || 'fixed' in pool.size ? sizeBounds(pool).min : before.members.length;
    return [name, resize(name, before ?? EMPTY_POOL, wanted, launchOf)];
  });
  const gone = Object.entries(recorded ?? {})
    .filter(([name]) => config.pools[name] === undefined)
    .map(([name, { nextSerial }]): [string, PoolMembership] => [name, { nextSerial, members: [] }]);
  return Object.fromEntries([...gone, ...configured]);
}

/**
 * Stops a run that would remove more workers of a pool than its `maxUnavailable`, unless they are named.
 * @param allowed names of workers or pools whose removal was confirmed
 * @throws ConfigError naming the workers and how to confirm
 */
export function guardRemoval(
  config: StackConfig,
  before: Membership,
  after: Membership,
  allowed: readonly string[],
): void {
  const removed = removedMembers(before, after);
  const faults = Object.keys(before).flatMap((pool) => {
    if (allowed.includes(pool)) return [];
    const ids = removed
      .map(({ id }) => id)
      .filter((id) => before[pool]!.members.some((member) => member.id === id) && !allowed.includes(id));
    const budget = config.pools[pool]?.scaling.rollout.maxUnavailable ?? 0;
    if (ids.length <= budget) return [];
    return [
      {
        path: `pool ${pool}`,
        message: `this would remove ${ids.join(', ')}, and maxUnavailable is ${budget}. If that is meant, say so once: WORKER_POOLS_ALLOW_REMOVAL=${pool} pulumi up`,
      },
    ];
  });
  if (faults.length > 0) throw new ConfigError(faults, 'This would take workers away.');
}

/**
 * Stops a run that would take the private network away from under workers, unless `network` is confirmed.
 * @param before as recorded; undefined where nothing was
 * @param after as configured; null without a network
 * @throws ConfigError naming the workers and how to confirm
 */
export function guardNetwork(
  before: string | null | undefined,
  after: string | null,
  membership: Membership,
  allowed: readonly string[],
): void {
  const ids = Object.values(membership).flatMap(({ members }) => members.map(({ id }) => id));
  if (!before || before === after || ids.length === 0 || allowed.includes('network')) return;
  throw new ConfigError(
    [
      {
        path: `${CONFIG_NAMESPACE}:network`,
        message: `${before} would ${after === null ? 'go' : `become ${after}`}, and ${ids.join(', ')} would lose their private addresses. Let the pools shrink to nothing first; or, if that is meant, say so once: WORKER_POOLS_ALLOW_REMOVAL=network pulumi up`,
      },
    ],
    'This would take the private network away from running workers.',
  );
}

/**
 * Stops a run that would take the NAT gateway away from workers that have no other way out, unless `network` is confirmed.
 * @param ids workers that run without a public address
 * @throws ConfigError naming the workers and how to confirm
 */
export function guardGateway(config: StackConfig, ids: readonly string[], allowed: readonly string[]): void {
  const { network } = config;
  if (ids.length === 0 || !network || 'stack' in network || network.natGateway || allowed.includes('network'))
    return;
  throw new ConfigError(
    [
      {
        path: `${CONFIG_NAMESPACE}:network.natGateway`,
        message: `is gone, and ${ids.join(', ')} run without a public address and would reach nothing. Keep it until they are replaced; or, if that is meant, say so once: WORKER_POOLS_ALLOW_REMOVAL=network pulumi up`,
      },
    ],
    'This would take the way out away from running workers.',
  );
}

/**
 * Workers that only an interrupted update can have left: younger than the record, and not planned either. A worker that
 * is older than the record's serial was taken out of it on purpose.
 */
export function stragglers(
  recorded: Membership | undefined,
  planned: Membership,
  workers: readonly LabelledWorker[],
): LabelledWorker[] {
  return workers.filter(({ pool, member }) => {
    if (planned[pool]?.members.some(({ id }) => id === member.id)) return false;
    return serialOf(member.id) >= (recorded?.[pool]?.nextSerial ?? 1);
  });
}

/** The record with workers taken back in, as after an interrupted update; members stay as they are recorded. */
export function adopt(recorded: Membership | undefined, workers: readonly LabelledWorker[]): Membership {
  return workers.reduce<Membership>((membership, { pool, member }) => {
    const { nextSerial, members } = membership[pool] ?? EMPTY_POOL;
    if (members.some(({ id }) => id === member.id)) return membership;
    return {
      ...membership,
      [pool]: {
        nextSerial: Math.max(nextSerial, serialOf(member.id) + 1),
        members: [...members, member],
      },
    };
  }, recorded ?? {});
}

/** The membership with every serial spent that a worker has had: one that is let go must not come back under its id. */
export function withSerialsSpent(membership: Membership, workers: readonly LabelledWorker[]): Membership {
  return Object.fromEntries(
    Object.entries(membership).map(([pool, { nextSerial, members }]) => {
      const serials = workers
        .filter((worker) => worker.pool === pool)
        .map(({ member }) => serialOf(member.id));
      return [pool, { nextSerial: Math.max(nextSerial, ...serials.map((serial) => serial + 1)), members }];
    }),
  );
}

/** Whether a member was launched from another template, or on a placement that the pool no longer lists. */
export function isDrifted(
  member: MemberRecord,
  pool: PoolConfig,
  current: { configHash: string; configHashVersion: number },
): boolean {
  const listed = pool.placements.some(
    ({ serverType, location }) => serverType === member.serverType && location === member.location,
  );
  if (!listed) return true;
  return member.configHashVersion === current.configHashVersion && member.configHash !== current.configHash;
}

function resize(
  name: string,
  pool: PoolMembership,
  wanted: number,
  launchOf: (pool: string) => Launch,
): PoolMembership {
  const surplus = pool.members.length - wanted;
  if (surplus > 0)
    return remove(
      pool,
      pool.members.slice(-surplus).map(({ id }) => id),
    );
  return launch(
    name,
    pool,
    Array.from({ length: -surplus }, () => launchOf(name)),
  );
}

function serialOf(id: string): number {
  return Number.parseInt(id.slice(id.lastIndexOf('-') + 1), 36);
}

/**
 * Stops a run after an interrupted update: a plain run would delete the workers that the update had finished.
 * @param allowed names of workers whose removal was confirmed
 * @throws ConfigError naming the workers and both ways on
 */
export function guardInterrupted(left: readonly LabelledWorker[], allowed: readonly string[]): void {
  const ids = left.map(({ member }) => member.id).filter((id) => !allowed.includes(id));
  if (ids.length === 0) return;
  const list = ids.join(',');
  throw new ConfigError(
    [
      {
        path: `workers ${ids.join(', ')}`,
        message: `an update was interrupted before it recorded them. Keep those that it finished: WORKER_POOLS_ADOPT=${list} pulumi up. Or let them go: WORKER_POOLS_ALLOW_REMOVAL=${list} pulumi up, then delete by hand the server that was in the making, if one is left`,
      },
    ],
    'The previous update of this stack was interrupted.',
  );
}
