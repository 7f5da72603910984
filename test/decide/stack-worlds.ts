import { decideStack } from '../../automation/decide/stack';
import { INITIAL_POOL_MEMORY } from '../../automation/decide/memory';
import type {
  PoolFacts,
  PoolMemory,
  ScaledPool,
  StackDecision,
  StackMemory,
  StackObservation,
  StackPlan,
  StackPolicy,
} from '../../automation/decide/stack-types';
import type { WorkerView } from '../../automation/observe/types';
import type { DrainCause, RegisteredWorker } from '../../automation/registry/types';
import { experienced, NOW, pool } from './worlds';

export const CI: ScaledPool = { ...pool, hasQueue: true, rollout: { maxSurge: 1, maxUnavailable: 0 } };
/** Three workers, always, and no queue. */
export const FIXED: ScaledPool = { ...CI, minSize: 3, maxSize: 3, hasQueue: false };

export const KNOWING: PoolMemory = { policy: experienced, proven: { 'cx33/fsn1': NOW, 'cpx32/nbg1': NOW } };

export interface WorkerTraits {
  readonly status?: WorkerView['status'];
  /** Of one that boots: the step in which its set-up failed. */
  readonly failedStep?: string;
  /** Seconds since its server was created. */
  readonly age?: number;
  /** Jobs that run on it. */
  readonly busy?: number;
  readonly drifted?: boolean;
  readonly drain?: DrainCause;
  /** Seconds since a heartbeat carried the drain; never where absent. */
  readonly told?: number;
  /** Seconds since it last beat. */
  readonly beat?: number;
  readonly pool?: string;
  readonly server?: boolean;
}

/** A member of pool `ci`: ready, idle, half an hour old, and heard of two seconds ago, where nothing else is said. */
export function view(id: string, traits: WorkerTraits = {}): WorkerView {
  const { age = 1800, drifted = false, pool: name = 'ci', drain, busy = 0, beat = 2 } = traits;
  const status = traits.status ?? (drain === undefined ? 'ready' : 'draining');
  const created = NOW - age;
  const registered: RegisteredWorker = {
    environment: 'test',
    pool: name,
    worker: id,
    hostname: id,
    slots: 1,
    address: '10.0.0.1',
    registeredAt: created + 60,
    seenAt: NOW - beat,
    beatAt: NOW - beat,
    busy,
    running: Array<number>(busy).fill(NOW - 20),
    ...(drain === undefined
      ? {}
      : {
          drain: {
            cause: drain,
            reason: `drained by ${drain}`,
            since: NOW - 60,
            ...(traits.told === undefined ? {} : { toldAt: NOW - traits.told }),
          },
        }),
  };
  return {
    id,
    pool: name,
    member: {
      id,
      configHash: drifted ? 'old' : 'new',
      configHashVersion: 1,
      serverType: 'cx33',
      location: 'fsn1',
      launchedAt: new Date(created * 1000).toISOString(),
    },
    status,
    created,
    drifted,
    hourly: 0.01,
    ...(traits.server === false ? {} : { server: serverOf(id, name, created) }),
    ...(status === 'booting' ? {} : { registered }),
    ...(traits.failedStep === undefined ? {} : { failedStep: traits.failedStep }),
  };
}

function serverOf(id: string, name: string, created: number): NonNullable<WorkerView['server']> {
  return {
    id: 1,
    name: id,
    pool: name,
    worker: id,
    created,
    status: 'running',
    serverType: 'cx33',
    location: 'fsn1',
    configHash: 'new',
    configHashVersion: 1,
    publicIpv4: false,
  };
}

/** Jobs that all have waited for `age` seconds, in a queue that was read `read` seconds ago. */
export function queue(waiting: number, age = 0, read = 0): NonNullable<PoolFacts['queue']> {
  return { observedAt: NOW - read, waiting, ...(waiting > 0 ? { oldest: NOW - age } : {}) };
}

export function facts(workers: readonly WorkerView[], change: Partial<PoolFacts> = {}): PoolFacts {
  return { queue: queue(0), workers, served: [], booted: [], failures: [], launched: [], ...change };
}

export function stack(
  pools: Readonly<Record<string, PoolFacts>>,
  change: Partial<StackObservation> = {},
): StackObservation {
  return {
    now: NOW,
    pools,
    orders: { sizes: {}, rollouts: {} },
    listeningSince: NOW - 86_400,
    ...change,
  };
}

/** One decision over pool `ci` alone. */
export function decideCi(
  seen: PoolFacts,
  {
    pool: change = {},
    memory = {},
    ...observation
  }: Partial<StackObservation> & { pool?: Partial<ScaledPool>; memory?: Partial<PoolMemory> } = {},
  limits: Omit<StackPolicy, 'pools'> = {},
): StackDecision {
  return decideStack(
    stack({ ci: seen }, observation),
    { pools: { ci: { ...CI, ...change } }, ...limits },
    { pools: { ci: { ...KNOWING, ...memory } } },
  );
}

/** A memory in which these pools know what `ci` knows. */
export function knowing(...names: string[]): StackMemory {
  return { pools: Object.fromEntries(names.map((name) => [name, KNOWING])) };
}

/** What a plan changes, in a form that reads well in an assertion. */
export function changes({ launches, removals, drains, resumes }: StackPlan): {
  launches: number;
  removals: string[];
  drains: string[];
  resumes: string[];
} {
  return {
    launches: launches.length,
    removals: removals.map(({ id, because }) => `${id} ${because}`),
    drains: drains.map(({ id, cause }) => `${id} ${cause}`),
    resumes: [...resumes],
  };
}

export const NOTHING = { launches: 0, removals: [], drains: [], resumes: [] };

export function alarmCodes({ alarms }: StackPlan): string[] {
  return alarms.map(({ pool: name, code }) => (name === undefined ? code : `${name} ${code}`));
}

export { INITIAL_POOL_MEMORY };
