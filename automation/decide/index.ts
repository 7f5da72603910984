import { breakerAllowance, neverReady, usualBoot } from './boots';
import { assignCells } from './cells';
import { freshness } from './freshness';
import { learn } from './learn';
import { apiAllowance, budgetAllowance } from './limits';
import { launchNeed, outlook } from './need';
import { PARAMETERS, type Parameters } from './parameters';
import { choosePlacements, LIMIT_HOLD, RATE_HOLD, rememberSoldOut } from './placement';
import { drainBeforeHourEnd, releaseAtHourEnd, resume, shrinkToMaximum } from './release';
import { scheduledMinimum } from './schedule';
import { standbyShortage, standbySlots } from './standby';
import { INITIAL_STATE, type PolicyState } from './state';
import type { Observation, Plan, PlannedRemoval, PoolPolicy } from './types';

export { INITIAL_STATE, PARAMETERS };
export type { Parameters, PolicyState };
export type * from './types';

export interface Decision {
  readonly plan: Plan;
  readonly state: PolicyState;
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
  const state = remember(observation, learn(observation, pool, before, parameters));
  const { now, workers, queue } = observation;
  const boot = usualBoot(state, parameters);
  const reading = freshness(now, queue.observedAt, pool.tick);
  const reasons: string[] = [];

  const failed = neverReady(workers, now, boot, parameters);
  const removals: PlannedRemoval[] = failed.map(({ id, created }) => ({
    id,
    reason: `not ready after ${Math.round(now - created)} s; ${Math.round(boot)} s is usual`,
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
  const launches = bounded(
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

  const probed = launches.count > 0 && state.failedBoots > 0;
  return {
    plan: { ...launches.plan, removals, drains, resumes, reasons },
    state: {
      ...state,
      condemned: failed.map(({ id }) => id),
      failedBoots: state.failedBoots + failed.filter(({ id }) => !state.condemned.includes(id)).length,
      ...(probed ? { probedAt: now } : {}),
    },
  };
}

const names = (removals: readonly PlannedRemoval[], id: string): boolean =>
  removals.some((one) => one.id === id);

function remember({ failures = [], now, booted = [] }: Observation, state: PolicyState): PolicyState {
  const met = (kind: string): boolean => failures.some((failure) => failure.kind === kind);
  const hold = met('limit') ? LIMIT_HOLD : met('rate') ? RATE_HOLD : 0;
  return {
    ...state,
    soldOut: rememberSoldOut(state.soldOut, failures, now),
    launchesHeldUntil: Math.max(state.launchesHeldUntil, hold > 0 ? now + hold : 0),
    failedBoots: booted.length > 0 ? 0 : state.failedBoots,
  };
}

/** Workers of a window that begins within a boot are launched now, so that they are ready when it begins. */
function floorOf({ minSize, schedule }: PoolPolicy, now: number, boot: number): number {
  return Math.max(minSize, scheduledMinimum(schedule, now), scheduledMinimum(schedule, now + boot));
}

function keptForStandby(standby: number, running: number, slots: number): number {
  return standby === 0 ? 0 : Math.ceil((standby + running) / slots);
}

/**
 * The launches that every bound allows, the tightest one named where it holds some back. Failed boots count against
 * the bounds until they are really gone, but not as `working`.
 */
function bounded(
  needed: number,
  { now, workers, api }: Observation,
  working: Observation['workers'],
  pool: PoolPolicy,
  state: PolicyState,
  reasons: string[],
): { count: number; plan: Pick<Plan, 'launches' | 'alternatives'> } {
  const { order, most } = choosePlacements(pool.placements, state.soldOut, now, pool.tick);
  const [placement, ...alternatives] = order;
  if (needed === 0 || placement === undefined) return { count: 0, plan: { launches: [], alternatives: [] } };
  const bounds = [
    { count: pool.maxSize - workers.length, reason: `the greatest size is ${pool.maxSize}` },
    { count: most, reason: 'every placement was sold out lately' },
    {
      count: budgetAllowance(pool.hourlyBudget, workers, pool.placements, placement),
      reason: `the budget is ${pool.hourlyBudget} EUR an hour`,
    },
    { count: apiAllowance(api), reason: `${api?.remaining} of ${api?.limit} requests are left` },
    {
      count: breakerAllowance(state, working, now),
      reason: `the last ${state.failedBoots} launches never became ready`,
    },
    {
      count: now < state.launchesHeldUntil ? 0 : Infinity,
      reason: 'the vendor refused further servers: its limit or its rate was met',
    },
  ];
  const tightest = bounds.reduce((least, one) => (one.count < least.count ? one : least));
  const count = Math.max(0, Math.min(needed, tightest.count));
  if (count < needed) reasons.push(`${count} of ${needed} are launched: ${tightest.reason}`);
  const { serverType, location } = placement;
  const launches = Array.from({ length: count }, () => ({ serverType, location }));
  return {
    count,
    plan: {
      launches: assignCells(launches, workers, pool.cellSize),
      alternatives: alternatives.map((other) => ({ serverType: other.serverType, location: other.location })),
    },
  };
}
