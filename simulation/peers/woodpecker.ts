import { PAID_HOUR } from '../../automation/decide/parameters';
import type { SimulatedPolicy } from '../types';
import { peerPolicy } from './peer';
import { ids, launch, NOTHING } from './pool-view';

const INTERVAL = 60;
/** Before the end of each paid hour: two minutes' margin and one interval (`hourly-round-up` billing). */
const TEARDOWN_WINDOW = 180;
/** Agents that have not been in contact for so long are deleted. */
const STALE = 600;

/** Agents more or less by woodpecker-ci/autoscaler `engine/autoscaler.go`. */
export function agentDelta(
  { free, running, pending, pool }: { free: number; running: number; pending: number; pool: number },
  { perAgent, min, max }: { perAgent: number; min: number; max: number },
): number {
  const available = Math.ceil((free + running) / perAgent);
  const required = Math.ceil((pending + running) / perAgent);
  return Math.min(Math.max(required - available, -(pool - min)), max - pool) + 0;
}

/** As it is, agents that boot are not seen as free workers, so each interval orders again what is on its way. */
function autoscaler(name: string, countsBooting: boolean): SimulatedPolicy {
  return peerPolicy({
    name,
    interval: INTERVAL,
    patience: STALE,
    create: ({ slots, minSize, maxSize }) => {
      return ({ now, queued, running, serving, ready, booting, idle }) => {
        const free = ready.length * slots - running + (countsBooting ? booting.length * slots : 0);
        const delta = agentDelta(
          { free, running, pending: queued, pool: serving.length },
          { perAgent: slots, min: minSize, max: maxSize },
        );
        if (delta >= 0) return launch(delta);
        const ending = idle.filter(
          ({ created }) => PAID_HOUR - ((now - created) % PAID_HOUR) <= TEARDOWN_WINDOW,
        );
        return { ...NOTHING, removals: ids(ending.slice(0, -delta)) };
      };
    },
  });
}

export const woodpecker = autoscaler('woodpecker', false);
export const woodpeckerBooting = autoscaler('woodpecker-booting', true);
