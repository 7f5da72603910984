import { isDrifted } from '../../components/model/plan';
import { physicalName } from '../../components/model/names';
import type { PoolConfig } from '../../components/model/config-schema';
import type { MemberRecord, Membership } from '../../components/model/membership';
import type { RegisteredWorker } from '../registry/types';
import type { CloudServer, Dated, TailnetDevice, WorkerStatus, WorkerView } from './types';

/** All that is known of a stack's workers at one moment. Seconds since 1970. */
export interface FleetFacts {
  readonly now: number;
  readonly environment: string;
  readonly membership: Membership;
  /** The latest complete list; undefined before the first. */
  readonly servers: Dated<CloudServer> | undefined;
  readonly registered: readonly RegisteredWorker[];
  /** By worker that says that its set-up failed: in which step. */
  readonly failedSteps: Readonly<Record<string, string>>;
  readonly devices: Dated<TailnetDevice> | undefined;
  readonly pools: Readonly<Record<string, PoolConfig>>;
  /** Today's template of each pool. */
  readonly templates: Readonly<Record<string, { configHash: string; configHashVersion: number }>>;
  /** EUR gross an hour; undefined where no price is known. */
  readonly hourly: (
    placement: { serverType: string; location: string },
    publicIpv4: boolean,
  ) => number | undefined;
  /** Since when this process hears the workers. */
  readonly listeningSince: number;
  /** Since when the registry is kept: it cannot know who registered before. */
  readonly registrySince: number;
  /** Since when no update runs: a list from before may lack servers in the making. `now` while one runs. */
  readonly settledSince: number;
  readonly memory: FleetMemory;
}

/** What one look remembers for the next. Plain JSON. */
export interface FleetMemory {
  /** The list that was counted last. */
  readonly listedAt?: number;
  /** Members that lists in a row had no living server for, and in how many. */
  readonly gone: Readonly<Record<string, number>>;
  /** When each member that has not registered was first seen with no update running: by then its machine was made. */
  readonly made: Readonly<Record<string, number>>;
}

export const NO_MEMORY: FleetMemory = { gone: {}, made: {} };

export interface FleetView {
  /** Every member, as recorded. */
  readonly workers: readonly WorkerView[];
  /** Ours by label, and not in the membership. */
  readonly strangers: readonly CloudServer[];
  /** Members that the latest list has no living server for, though it should. */
  readonly missing: readonly string[];
  readonly memory: FleetMemory;
}

/** Not heard of for this long: four beats. */
export const SILENT_AFTER = 60;
/** A list may lack a new server for a while after its launch: the engine has to get to it, and the vendor's lists lag. */
export const LAUNCH_GRACE = 120;
/** A worker from before the registry that is older than this may have booted and worked for long. */
const UNKNOWN_AFTER = 240;
/** One list may be wrong: one that is paged while servers come and go can miss a server. */
const LISTS_UNTIL_LOST = 2;
/** Hetzner's words for a server that does not run and does not start by itself. */
const NOT_RUNNING = ['off', 'stopping', 'deleting'];

/**
 * Every member of a stack with all that is known of it. What could not be read says nothing: a worker is lost only by two
 * complete lists in a row, and not while it still speaks.
 */
export function viewFleet(facts: FleetFacts): FleetView {
  const { membership, servers, registered, devices, memory, environment } = facts;
  const serverOf = new Map(servers?.items.map((server) => [server.worker, server]));
  const registeredOf = new Map(registered.map((worker) => [worker.worker, worker]));
  const deviceOf = new Map(
    devices?.items.toSorted((a, b) => a.lastSeen - b.lastSeen).map((device) => [device.hostname, device]),
  );
  const members = Object.entries(membership).flatMap(([pool, { members: all }]) =>
    all.map((member) => ({ pool, member })),
  );
  const missing = members.flatMap(({ member }) =>
    servers && isMissing(member, serverOf.get(member.id), servers.at, facts.settledSince) ? [member.id] : [],
  );
  const made = followMaking(
    members.flatMap(({ member: { id } }) => (registeredOf.has(id) ? [] : [id])),
    facts,
  );
  const next = { ...countGone(memory, servers?.at, missing), made };
  const workers = members.map(({ pool, member }): WorkerView => {
    const server = serverOf.get(member.id);
    const worker = registeredOf.get(member.id);
    const device = deviceOf.get(physicalName(environment, member.id));
    const config = facts.pools[pool];
    const template = facts.templates[pool];
    const failedStep = worker ? undefined : facts.failedSteps[member.id];
    const created = server?.created ?? Date.parse(member.launchedAt) / 1000;
    return {
      id: member.id,
      pool,
      member,
      status: statusOf(worker, created, next.gone[member.id] ?? 0, facts),
      created,
      ...(worker ? {} : { bootingSince: made[member.id] ?? facts.now }),
      ...(failedStep === undefined ? {} : { failedStep }),
      drifted: !config || (template !== undefined && isDrifted(member, config, template)),
      hourly: hourlyOf(member, server?.publicIpv4 ?? config?.publicNetwork.ipv4 ?? true, config, facts),
      ...(server && { server }),
      ...(worker && { registered: worker }),
      ...(device && { device }),
    };
  });
  const ids = new Set(members.map(({ member }) => member.id));
  return {
    workers,
    strangers: servers?.items.filter(({ worker }) => !ids.has(worker)) ?? [],
    missing,
    memory: next,
  };
}

/** A list from before the launch, or soon after it, says nothing; nor does one from before the end of the latest update. */
function isMissing(
  member: MemberRecord,
  server: CloudServer | undefined,
  listedAt: number,
  settledSince: number,
): boolean {
  if (server && !NOT_RUNNING.includes(server.status)) return false;
  const launched = server?.created ?? Date.parse(member.launchedAt) / 1000;
  return listedAt >= Math.max(launched + LAUNCH_GRACE, settledSince);
}

function countGone(
  memory: FleetMemory,
  listedAt: number | undefined,
  missing: readonly string[],
): Pick<FleetMemory, 'listedAt' | 'gone'> {
  if (listedAt === undefined || (memory.listedAt !== undefined && listedAt <= memory.listedAt)) return memory;
  return { listedAt, gone: Object.fromEntries(missing.map((id) => [id, (memory.gone[id] ?? 0) + 1])) };
}

/** The vendor may take a quarter of an hour to make a machine, and an update ends no sooner than that. */
function followMaking(
  unregistered: readonly string[],
  { memory, now, settledSince }: FleetFacts,
): FleetMemory['made'] {
  const settled = settledSince < now;
  return Object.fromEntries(
    unregistered.flatMap((id) => {
      const made = memory.made[id] ?? (settled ? now : undefined);
      return made === undefined ? [] : [[id, made]];
    }),
  );
}

function statusOf(
  worker: RegisteredWorker | undefined,
  created: number,
  listsGone: number,
  { now, listeningSince, registrySince, servers }: FleetFacts,
): WorkerStatus {
  const spokeSinceList = worker !== undefined && servers !== undefined && worker.seenAt > servers.at;
  if (listsGone >= LISTS_UNTIL_LOST && !spokeSinceList) return 'lost';
  if (worker === undefined) {
    return created < registrySince && now - created > UNKNOWN_AFTER ? 'silent' : 'booting';
  }
  // Silence weighs more than a drain: nobody knows whether it still runs its jobs out.
  if (now - Math.max(worker.seenAt, listeningSince) > SILENT_AFTER) return 'silent';
  return worker.drain ? 'draining' : 'ready';
}

/** A type that has no price any more counts as the dearest of the pool's: budgets are ceilings. */
function hourlyOf(
  member: MemberRecord,
  publicIpv4: boolean,
  config: PoolConfig | undefined,
  { hourly }: FleetFacts,
): number {
  const known = hourly(member, publicIpv4);
  if (known !== undefined) return known;
  const others = config?.placements.map((placement) => hourly(placement, publicIpv4) ?? 0) ?? [];
  return Math.max(0, ...others);
}
