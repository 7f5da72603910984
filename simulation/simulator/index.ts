import type { Outcome, Scenario, SimulatedPolicy, Trace } from '../types';
import { Run } from './run';

/** How long after the trace's horizon a run may go on, so that its last jobs end. */
export const GRACE = 6 * 3600;

/**
 * Plays the trace against a pool that the policy sizes. The run ends when the horizon is past and every job has ended
 * (at the latest `GRACE` after it); cost counts until then, so that work cannot be put off beyond the end.
 * @throws RangeError when the scenario cannot be played, e.g. no slots
 */
export function simulate(trace: Trace, policy: SimulatedPolicy, scenario: Scenario): Outcome {
  check(scenario);
  return new Run(trace, policy.create(scenario), scenario).play(trace.horizon + GRACE);
}

function check({ slots, tick, boot, minSize, maxSize, placements, neverReadyShare }: Scenario): void {
  const faults = [
    ...(Number.isInteger(slots) && slots >= 1 ? [] : [`slots is ${slots}; it must be a whole number from 1`]),
    ...(tick > 0 ? [] : [`tick is ${tick}; it must be more than 0 seconds`]),
    ...(boot.min >= 0 && boot.max >= boot.min
      ? []
      : [`boot is ${boot.min}-${boot.max}; give the shorter time first`]),
    ...(minSize >= 0 && maxSize >= Math.max(1, minSize)
      ? []
      : [`size is ${minSize} to ${maxSize}; the greatest must be at least 1 and the least`]),
    ...(placements.length > 0 ? [] : ['there is no placement; name at least one']),
    ...(neverReadyShare >= 0 && neverReadyShare < 1
      ? []
      : [`neverReadyShare is ${neverReadyShare}; it must be from 0 to less than 1`]),
  ];
  if (faults.length > 0) throw new RangeError(`This scenario cannot be played: ${faults.join('; ')}.`);
}
