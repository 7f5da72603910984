import type { StackConfig } from '../components/model/config-schema';
import { sizeBounds } from '../components/model/pool';
import type { Alarm, StackPlan } from './decide/stack-types';
import type { QueueState } from './observe/queue-readings';
import type { WorkerView } from './observe/types';
import type { Orders } from './registry/types';
import type { UpdateState } from './term';
import type { PoolStatus, StackStatus, StandingAlarm } from './status';

/** Everything that the status of a stack is made of. */
export interface StatusFacts {
  readonly environment: string;
  readonly now: number;
  readonly leader: string;
  readonly dryRun: boolean;
  readonly config: StackConfig;
  readonly orders: Orders;
  readonly workers: readonly WorkerView[];
  readonly queues: ReadonlyMap<string, QueueState>;
  readonly plan: Pick<StackPlan, 'pools' | 'alarms'>;
  readonly update: UpdateState;
  readonly api: StackStatus['api'];
  readonly spentThisMonth: number | undefined;
  /** EUR gross an hour of the NAT machine. */
  readonly gatewayHourly: number;
  readonly deprecations: StackStatus['deprecations'];
  /** The alarms of the status before: one that still stands keeps its time. */
  readonly before: readonly StandingAlarm[];
}

export function reportStatus(facts: StatusFacts): StackStatus {
  const { environment, now, leader, dryRun, config, orders, workers, update, api, deprecations } = facts;
  const { hourly: hourlyBudget, monthly: monthlyBudget } = config.budget;
  return {
    environment,
    at: now,
    leader,
    enabled: config.autoscaling.enabled,
    dryRun,
    ...(orders.pause ? { paused: orders.pause } : {}),
    pools: Object.fromEntries(Object.keys(config.pools).map((name) => [name, reportPool(name, facts)])),
    update: updateOf(update),
    ...(api ? { api } : {}),
    cost: {
      hourly: euro(costOf(workers) + facts.gatewayHourly),
      ...(facts.spentThisMonth === undefined ? {} : { month: facts.spentThisMonth }),
      ...(hourlyBudget === undefined ? {} : { hourlyBudget }),
      ...(monthlyBudget === undefined ? {} : { monthlyBudget }),
    },
    deprecations,
    alarms: standing(facts.plan.alarms, facts.before, now),
  };
}

/** Without what only the next try goes by. */
function updateOf(update: UpdateState): StackStatus['update'] {
  const { runningSince, lastAt, lastSeconds, lastOutcome, lastProblem } = update;
  return {
    ...(runningSince === undefined ? {} : { runningSince }),
    ...(lastAt === undefined ? {} : { lastAt }),
    ...(lastSeconds === undefined ? {} : { lastSeconds }),
    ...(lastOutcome === undefined ? {} : { lastOutcome }),
    ...(lastProblem === undefined ? {} : { lastProblem }),
  };
}

/** Alarms as they stand now, each since when it does. */
export function standing(
  alarms: readonly Alarm[],
  before: readonly StandingAlarm[],
  now: number,
): StandingAlarm[] {
  return alarms.map((alarm) => {
    const same = before.find(({ code, pool }) => code === alarm.code && pool === alarm.pool);
    return { ...alarm, since: same?.since ?? now };
  });
}

function reportPool(name: string, { now, config, orders, workers, queues, plan }: StatusFacts): PoolStatus {
  const pool = config.pools[name]!;
  const members = workers.filter((worker) => worker.pool === name);
  const order = orders.sizes[name];
  const rollout = orders.rollouts[name];
  const drifted = members.filter((worker) => worker.drifted).length;
  return {
    ...sizeBounds(pool),
    slots: pool.slots,
    targetWait: pool.scaling.targetWait,
    desired: plan.pools[name]?.desired ?? members.length,
    drifted,
    ...queueOf(queues.get(name)),
    ...(order && now < order.until ? { order: { size: order.size, by: order.by, until: order.until } } : {}),
    ...(rollout ? { rollout: { by: rollout.by, left: leftOf(rollout.workers, members) } } : {}),
    reasons: [...(plan.pools[name]?.reasons ?? [])],
    workers: members.map(workerStatus),
    hourly: costOf(members),
  };
}

function queueOf(state: QueueState | undefined): Pick<PoolStatus, 'queue'> {
  if (!state) return {};
  const { kind, reading, error } = state;
  return {
    queue: {
      kind,
      ...(reading
        ? {
            readAt: reading.at,
            waiting: reading.waiting,
            ...(reading.running === undefined ? {} : { running: reading.running }),
            ...(reading.oldestAge === undefined ? {} : { oldestAge: reading.oldestAge }),
          }
        : {}),
      ...(error === undefined ? {} : { error }),
    },
  };
}

function workerStatus({
  id,
  status,
  failedStep,
  member,
  created,
  drifted,
  server,
  registered,
  device,
  hourly,
}: WorkerView): PoolStatus['workers'][number] {
  const address = device?.address ?? registered?.address;
  const drain = registered?.drain;
  return {
    id,
    status,
    ...(failedStep === undefined ? {} : { failedStep }),
    serverType: member.serverType,
    location: member.location,
    created,
    busy: registered?.busy ?? 0,
    slots: registered?.slots ?? 0,
    drifted,
    ...(server ? { serverId: server.id } : {}),
    ...(address === undefined ? {} : { address }),
    ...(device ? { deviceId: device.id } : {}),
    ...(registered ? { seenAt: registered.seenAt } : {}),
    ...(drain ? { drain: { cause: drain.cause, reason: drain.reason, since: drain.since } } : {}),
    hourly,
  };
}

/** Workers that a rollout has yet to replace; all drifted ones where it names none. */
function leftOf(named: readonly string[], members: readonly WorkerView[]): number {
  return members.filter(({ id, drifted }) => (named.length === 0 ? drifted : named.includes(id))).length;
}

function costOf(workers: readonly WorkerView[]): number {
  return euro(workers.reduce((sum, { hourly }) => sum + hourly, 0));
}

/** A sum of prices is not exact. */
function euro(amount: number): number {
  return Math.round(amount * 1e6) / 1e6;
}
