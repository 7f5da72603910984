import { sizeBounds } from '../components/model/pool';
import type { StackConfig } from '../components/model/config-schema';
import type { StackPolicy } from './decide/stack-types';
import type { PricedPlacement } from './decide/types';

/**
 * The bounds and wishes of every pool, in the file's order.
 * @param placements where each pool may launch now, with prices
 * @param tick seconds between two decisions
 */
export function stackPolicy(
  { pools, budget }: StackConfig,
  placements: (pool: string) => readonly PricedPlacement[],
  tick: number,
): StackPolicy {
  return {
    pools: Object.fromEntries(
      Object.entries(pools).map(([name, pool]) => {
        const { min, max } = sizeBounds(pool);
        const { targetWait, standby, schedule, rollout } = pool.scaling;
        return [
          name,
          {
            minSize: min,
            maxSize: max,
            slots: pool.slots,
            targetWait,
            standby,
            schedule,
            rollout,
            placements: placements(name),
            tick,
            hasQueue: pool.queue !== undefined && !('fixed' in pool.size),
          },
        ];
      }),
    ),
    ...(budget.hourly === undefined ? {} : { hourlyBudget: budget.hourly }),
    ...(budget.monthly === undefined ? {} : { monthlyBudget: budget.monthly }),
  };
}
