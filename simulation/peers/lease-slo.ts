import { decide, INITIAL_STATE, PARAMETERS, type Parameters, type PoolPolicy } from '../../automation/decide';
import type { Scenario, SimulatedPolicy } from '../types';

/** The service's own policy, here with other parameters for ablations and tuning where given. */
export function leaseSlo(name = 'lease-slo', parameters: Parameters = PARAMETERS): SimulatedPolicy {
  return {
    name,
    create: (scenario) => {
      const pool = poolOf(scenario);
      const placementIndex = ({ serverType, location }: { serverType: string; location: string }): number =>
        scenario.placements.findIndex(
          (placement) => placement.serverType === serverType && placement.location === location,
        );
      let state = { ...INITIAL_STATE, tolerance: parameters.tolerance.initial };
      return {
        interval: scenario.tick,
        decide: (observation) => {
          const decision = decide(observation, pool, state, parameters);
          state = decision.state;
          const { launches, removals, drains, resumes } = decision.plan;
          return {
            launches: launches.map(placementIndex),
            removals: removals.map(({ id }) => id),
            drains: drains.map(({ id }) => id),
            retirements: [],
            resumes,
          };
        },
      };
    },
  };
}

function poolOf({ minSize, maxSize, slots, targetWait, tick, placements }: Scenario): PoolPolicy {
  return {
    minSize,
    maxSize,
    slots,
    targetWait,
    tick,
    standby: 0,
    schedule: [],
    placements: placements.map((placement) => ({ ...placement, price: 1 })),
  };
}
