import { breakerAllowance } from './boots';
import { assignCells } from './cells';
import { apiAllowance, budgetAllowance } from './limits';
import { choosePlacements } from './placement';
import type { PolicyState } from './state';
import type { Observation, Plan, PoolPolicy } from './types';

/**
 * The launches that every bound allows, the tightest one named where it holds some back. Failed boots count against
 * the bounds until they are really gone, but not as `working`.
 */
export function boundedLaunches(
  needed: number,
  { now, workers, api }: Observation,
  working: Observation['workers'],
  pool: PoolPolicy,
  state: PolicyState,
  reasons: string[],
): { count: number; plan: Pick<Plan, 'launches' | 'alternatives'> } {
  const { order, most } = choosePlacements(pool.placements, state, now);
  const [placement, ...alternatives] = order;
  if (needed === 0 || placement === undefined) {
    if (needed > 0)
      reasons.push(`none of ${needed} is launched: the vendor offers none of the placements now`);
    return { count: 0, plan: { launches: [], alternatives: [] } };
  }
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
