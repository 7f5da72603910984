import type { Observation } from '../../automation/decide/types';
import type { Commands, Scenario, SimulatedPolicy } from '../types';
import { ids, type PoolView, stuck, viewOf } from './pool-view';

export interface Peer {
  readonly name: string;
  /** Seconds between two of its decisions. */
  readonly interval: number;
  /** Seconds after which it gives a boot up. */
  readonly patience: number;
  /** The rule of one run; it may remember what it saw. */
  readonly create: (scenario: Scenario) => (view: PoolView, observation: Observation) => Commands;
}

/** A peer's rule as a policy of the simulator: boots that never end are removed before the rule looks. */
export function peerPolicy({ name, interval, patience, create }: Peer): SimulatedPolicy {
  return {
    name,
    create: (scenario) => {
      const rule = create(scenario);
      return {
        interval,
        decide: (observation) => {
          const failed = stuck(viewOf(observation), patience);
          const workers = observation.workers.filter((worker) => !failed.includes(worker));
          const seen = { ...observation, workers };
          const commands = rule(viewOf(seen), seen);
          return { ...commands, removals: [...commands.removals, ...ids(failed)] };
        },
      };
    },
  };
}
