import type { SimulatedPolicy } from '../types';
import { peerPolicy } from './peer';
import { ids, IdleTimes, launch, NOTHING } from './pool-view';

const INTERVAL = 30;
const DEPTH = 5;
const IDLE_TIME = 60;

/** The textbook's step: one more where at least five wait. */
export function steps(depth: number): number {
  return depth >= DEPTH ? 1 : 0;
}

export const depth5: SimulatedPolicy = peerPolicy({
  name: 'depth-5',
  interval: INTERVAL,
  patience: 900,
  create: ({ minSize }) => {
    const idleTimes = new IdleTimes();
    return (view) => {
      const idleFor = idleTimes.observe(view);
      if (view.queued > 0) return launch(steps(view.queued));
      const unused = view.idle.filter(({ id }) => (idleFor.get(id) ?? 0) > IDLE_TIME);
      return { ...NOTHING, removals: ids(unused.slice(0, Math.max(0, view.serving.length - minSize))) };
    };
  },
});
