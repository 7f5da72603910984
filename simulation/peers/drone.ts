import type { SimulatedPolicy } from '../types';
import { peerPolicy } from './peer';
import { ids, launch, NOTHING } from './pool-view';

/** Its default is 5 min; asked every minute it does better, so that is what it is compared by. */
const INTERVAL = 60;
const MIN_AGE = 55 * 60;
const INSTALL_DEADLINE = 30 * 60;

/** Servers more (or, negative, less) by drone/autoscaler `engine/calc.go`; every server that exists is capacity. */
export function serverDiff(pending: number, running: number, capacity: number, perServer: number): number {
  const free = Math.max(capacity - running, 0);
  // Adding 0 turns the -0 that ceil makes of -0.5 into 0.
  return Math.ceil((pending - free) / perServer) + 0;
}

export const drone: SimulatedPolicy = peerPolicy({
  name: 'drone',
  interval: INTERVAL,
  patience: INSTALL_DEADLINE,
  create: ({ slots, minSize, maxSize }) => {
    return ({ now, queued, running, serving, idle }) => {
      const diff = serverDiff(queued, running, serving.length * slots, slots);
      if (diff > 0) return launch(Math.min(diff, maxSize - serving.length));
      const old = idle.filter(({ created }) => now - created >= MIN_AGE).slice(0, -diff);
      // The planner gives the whole step up rather than go below the minimum.
      return serving.length - old.length < minSize ? NOTHING : { ...NOTHING, removals: ids(old) };
    };
  },
});
