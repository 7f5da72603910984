import { failureOf, neverReady, probing, usualBoot } from './boots';
import { floorOf, keptForStandby } from './floor';
import { freshness } from './freshness';
import { learn } from './learn';
import { boundedLaunches } from './launches';
import { launchNeed, outlook } from './need';
import { PARAMETERS, type Parameters } from './parameters';
import { followOffers, LIMIT_HOLD, nextProbe, RATE_HOLD, rememberSoldOut } from './placement';
import { drainBeforeHourEnd, releaseAtHourEnd, resume, shrinkToMaximum } from './release';
import { standbyShortage, standbySlots } from './standby';
import { INITIAL_STATE, type PolicyState } from './state';
import type { Observation, Plan, PlannedRemoval, PoolPolicy } from './types';

export { INITIAL_STATE, PARAMETERS };
export type { Parameters, PolicyState };
export type * from './types';

export interface Decision {
  readonly plan: Plan;
  readonly state: PolicyState;
  /** Further workers that are wanted now, resumed ones among them, whatever the bounds let through. */
  readonly needed: number;
}

/**
 * LEASE-SLO: how many workers a pool needs, and which. Launches as few workers as start every job within the target
 * wait, counting those that boot, and lets one go only at the end of an hour that is paid anyway. Pure: same
 * observation, bounds and state, same decision.
 */
export function decide(
  observation: Observation,
  pool: PoolPolicy,
  before: PolicyState,
  parameters: Parameters = PARAMETERS,
): Decision {
  const state = remember(observation, pool, learn(observation, pool, before, parameters));
  const { now, workers, queue } = observation;
  const boot = usualBoot(state, parameters);
  const reading = freshness(now, queue.observedAt, pool.tick);
  const reasons: string[] = [];

  const failed = neverReady(workers, observation, state, parameters);
  const removals: PlannedRemoval[] = failed.map((worker) => ({
    id: worker.id,
    reason: failureOf(worker, now, state, parameters),
  }));
  const working = { ...observation, workers: workers.filter((worker) => !failed.includes(worker)) };
  const view = outlook(working, pool, state, boot, parameters);

  const floor = Math.min(pool.maxSize, floorOf(pool, now, boot));
  const standby = standbySlots(pool, state, boot);
  const need = launchNeed(view, pool, state);
  const lacking = [
    { count: reading === 'unknown' ? 0 : need.workers, reason: need.reason },
    {
      count: floor - view.capacity.size,
      reason: `${view.capacity.size} workers, and at least ${floor} are wanted now`,
    },
    {
      count: Math.ceil(standbyShortage(standby, working, pool.slots) / pool.slots),
      reason: `${standby} slots shall be free for what arrives during a boot`,
    },
  ];
  const wanted = lacking.reduce((most, one) => (one.count > most.count ? one : most));
  const needed = Math.max(0, wanted.count);
  if (needed > 0) reasons.push(wanted.reason);
  if (reading === 'unknown')
    reasons.push(`the queue was last read ${Math.round(now - queue.observedAt)} s ago: the size is held`);

  const resumes = resume(working, pool, view, needed, parameters);
  const launches = boundedLaunches(
    Math.max(0, needed - resumes.length),
    observation,
    working.workers,
    pool,
    state,
    reasons,
  );

  const excess = shrinkToMaximum(working, pool);
  const drains = [...excess.drains];
  removals.push(...excess.removals);
  if (reading !== 'unknown' && needed === 0 && resumes.length === 0) {
    const keep = Math.max(floor, keptForStandby(standby, view.capacity.running, pool.slots));
    const ending = releaseAtHourEnd(working, view, keep, parameters).filter(({ id }) => !names(removals, id));
    removals.push(...ending);
    if (reading === 'fresh') {
      const leaving = new Set([...removals, ...drains].map(({ id }) => id));
      drains.push(...drainBeforeHourEnd(working, view, keep, leaving, parameters));
    }
  }
  reasons.push(...removals.map(({ id, reason }) => `${id} is removed: ${reason}`));
  reasons.push(...drains.map(({ id, reason }) => `${id} takes no further job: ${reason}`));
  if (resumes.length > 0) reasons.push(`${resumes.join(', ')} shall take jobs again: paid for, and needed`);

  return {
    plan: { ...launches.plan, removals, drains, resumes, reasons },
    state: {
      ...probing(state, launches.count, now),
      condemned: failed.map(({ id }) => id),
      failedBoots: state.failedBoots + failed.filter(({ id }) => !state.condemned.includes(id)).length,
    },
    needed,
  };
}

const names = (removals: readonly PlannedRemoval[], id: string): boolean =>
  removals.some((one) => one.id === id);

function remember(observation: Observation, { placements }: PoolPolicy, state: PolicyState): PolicyState {
  const { failures = [], now, booted = [], luck = 0.5 } = observation;
  const met = (kind: string): boolean => failures.some((failure) => failure.kind === kind);
  const hold = met('limit') ? LIMIT_HOLD : met('rate') ? RATE_HOLD : 0;
  const soldOut = rememberSoldOut(followOffers(state.soldOut, placements), observation, now);
  const probe = nextProbe(soldOut, observation, now, luck);
  return {
    ...state,
    soldOut,
    ...(probe === undefined ? {} : { soldOutProbeAt: probe }),
    launchesHeldUntil: Math.max(state.launchesHeldUntil, hold > 0 ? now + hold : 0),
    failedBoots: booted.length > 0 ? 0 : state.failedBoots,
  };
}
