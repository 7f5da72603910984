import { breakerOpen } from './boots';
import { allSoldOut, LIMIT_HOLD, RATE_HOLD } from './placement';
import type { SizeBounds } from './size-bounds';
import type { Stop } from './spending';
import type { Alarm, PoolFacts, PoolMemory, ScaledPool, StackObservation } from './stack-types';

/** A reading older than this decides nothing any more, seconds (see `freshness.ts`). */
const UNREADABLE_AFTER = 120;
/** Waiting for this many times the target is worth an alarm: misses up to there are the policy's business. */
const LATE_FACTOR = 2;

/** What an alarm of one pool is found by. */
export interface PoolSight {
  readonly name: string;
  readonly pool: ScaledPool;
  readonly facts: PoolFacts;
  readonly memory: PoolMemory;
  readonly bounds: SizeBounds;
  readonly failedBoots: number;
  /** Arrival of the oldest waiting job. */
  readonly oldest?: number;
  readonly outdated: number;
  readonly stuck?: string;
  readonly stop?: Stop;
}

type Found = Omit<Alarm, 'pool'>;

/** What a person should know of a pool, and what to do about it. */
export function poolAlarms(sight: PoolSight, observation: StackObservation): Alarm[] {
  return [
    ...queueAlarms(sight, observation),
    ...bootAlarms(sight),
    ...vendorAlarms(sight, observation),
    ...waitAlarms(sight, observation),
    ...stopAlarms(sight),
  ].map((alarm) => ({ ...alarm, pool: sight.name }));
}

function queueAlarms({ pool, facts }: PoolSight, { now, listeningSince }: StackObservation): Found[] {
  if (!pool.hasQueue) return [];
  const age = Math.round(now - (facts.queue?.observedAt ?? listeningSince));
  if (age <= UNREADABLE_AFTER) return [];
  return [
    {
      code: 'queue-unreadable',
      severity: 'critical',
      message:
        facts.queue === undefined
          ? `its queue could not be read since this service began ${age} s ago; the size is held`
          : `its queue was last read ${age} s ago; the size is held`,
      next: "see the queue's error in `worker-pools status`; check its address, credentials and reachability from here",
    },
  ];
}

function bootAlarms({ memory, failedBoots, outdated, stuck }: PoolSight): Found[] {
  const alarms: Found[] = [];
  if (breakerOpen(memory.policy)) {
    alarms.push({
      code: 'workers-never-ready',
      severity: 'critical',
      message: `the last ${failedBoots} launches never became ready; only one is tried every ten minutes`,
      next: "`worker-pools explain --kind worker` has what they said of their set-up; if nothing, look at a booting worker's cloud-init log (/var/log/cloud-init-output.log), and whether it reaches the service; when a launch works, scaling goes on by itself",
    });
    if (outdated > 0)
      alarms.push({
        code: 'rollout-halted',
        severity: 'critical',
        message: `the last ${failedBoots} launches of today's template never became ready; ${outdated} workers of the earlier one are kept`,
        next: 'mend the template (image, user data, workload) or take the edit back; the rollout then goes on by itself',
      });
  }
  if (stuck !== undefined)
    alarms.push({
      code: 'rollout-stuck',
      severity: 'warning',
      message: `${outdated} workers are to be replaced, and none can be: ${stuck}`,
      next: 'give the pool a greater size.max, or scaling.rollout.maxUnavailable of 1; or wait until it needs fewer workers',
    });
  return alarms;
}

function vendorAlarms({ pool, memory }: PoolSight, { now }: StackObservation): Found[] {
  const alarms: Found[] = [];
  const { refused, policy } = memory;
  if (refused?.kind === 'limit' && now - refused.at < 2 * LIMIT_HOLD)
    alarms.push({
      code: 'quota-reached',
      severity: 'critical',
      message: `the account's limit of servers, addresses or placement groups stopped a launch ${ago(refused.at, now)}; one is tried again every ${LIMIT_HOLD / 60} minutes`,
      next: 'ask Hetzner to raise the limit (Cloud Console, Limits), or delete servers that nobody needs',
    });
  if (refused?.kind === 'rate' && now - refused.at < 2 * RATE_HOLD)
    alarms.push({
      code: 'rate-limited',
      severity: 'warning',
      message: `the vendor asked for patience ${ago(refused.at, now)}: too many requests`,
      next: 'nothing, if it passes; else find out what else uses the same project and token',
    });
  if (allSoldOut(pool.placements, policy, now))
    alarms.push({
      code: 'sold-out-everywhere',
      severity: 'critical',
      message:
        pool.placements.length === 0
          ? 'the vendor offers none of its placements now'
          : `all ${pool.placements.length} placements were sold out lately; one is tried at growing intervals, of about ten minutes at most`,
      next: 'add placements (another location or server type) to the pool; shortages last for hours',
    });
  return alarms;
}

function waitAlarms({ pool, facts, bounds, oldest }: PoolSight, { now }: StackObservation): Found[] {
  if (oldest === undefined || now - oldest <= LATE_FACTOR * pool.targetWait) return [];
  const waited = `the oldest job waits for ${Math.round(now - oldest)} s, and ${pool.targetWait} s are wanted`;
  return facts.workers.length >= bounds.max
    ? [
        {
          code: 'at-maximum',
          severity: 'warning',
          message: `${waited}; the pool has all ${bounds.max} workers that it may have`,
          next:
            bounds.order === undefined
              ? 'raise size.max, or accept the wait'
              : `take back the size that ${bounds.order.by} ordered, or accept the wait`,
        },
      ]
    : [
        {
          code: 'late',
          severity: 'warning',
          message: `${waited}; the pool has ${facts.workers.length} of at most ${bounds.max} workers`,
          next: "see the pool's reasons and the other alarms for what holds launches back, and whether its workers take jobs",
        },
      ];
}

function stopAlarms({ stop }: PoolSight): Found[] {
  switch (stop?.code) {
    case undefined:
      return [];
    case 'budget-reached':
      return [
        {
          code: 'budget-reached',
          severity: 'critical',
          message: `launches are held, also below the minimum size: ${stop.reason}`,
          next: 'raise worker-pools:budget, or lower size.min of what needs less; workers that are there go on',
        },
      ];
    case 'spend-unknown':
      return [
        {
          code: 'spend-unknown',
          severity: 'warning',
          message: `launches beyond the minimum size are held: ${stop.reason}`,
          next: "see why the vendor's server list or the prices cannot be read",
        },
      ];
    case 'api-budget-low':
      return [
        {
          code: 'api-budget-low',
          severity: 'warning',
          message: `launches are held: ${stop.reason}`,
          next: 'nothing, if it passes; else find out what else uses the same project and token',
        },
      ];
  }
}

function ago(at: number, now: number): string {
  return `${Math.round(now - at)} s ago`;
}
