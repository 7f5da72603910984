import type { SimulatedPolicy } from '../types';
import { peerPolicy } from './peer';
import { ids, IdleTimes, launch, NOTHING } from './pool-view';

const INTERVAL = 10;
const IDLE_COUNT = 0;
/** The policy of GitLab's examples. */
const IDLE_TIME = 20 * 60;

/** Instances wanted by the fleeting task scaler: jobs taken or asked for and idle capacity, by jobs per instance. */
export function instancesWanted(inUse: number, idleCount: number, perInstance: number): number {
  return Math.ceil((inUse + idleCount) / perInstance);
}

export const gitlab: SimulatedPolicy = peerPolicy({
  name: 'gitlab',
  interval: INTERVAL,
  patience: 600,
  create: ({ slots, minSize, maxSize }) => {
    const idleTimes = new IdleTimes();
    return (view) => {
      const { queued, running, serving, idle } = view;
      const idleFor = idleTimes.observe(view);
      const wanted = Math.min(
        maxSize,
        Math.max(minSize, instancesWanted(queued + running, IDLE_COUNT, slots)),
      );
      if (wanted >= serving.length) return launch(wanted - serving.length);
      const unused = idle.filter(({ id }) => (idleFor.get(id) ?? 0) >= IDLE_TIME);
      return { ...NOTHING, removals: ids(unused.slice(0, serving.length - wanted)) };
    };
  },
});
