import type { SimulatedPolicy } from '../types';
import { peerPolicy } from './peer';
import { ids, launch, NOTHING } from './pool-view';

/** Before-hour-wraps: an idle agent ends when the minutes of its age within the hour are at least this. */
const LAST_MINUTE = 55;

export function beforeHourWraps(ageSeconds: number): boolean {
  return Math.floor(ageSeconds / 60) % 60 >= LAST_MINUTE;
}

/** Agents for the excess workload, those that are planned counted. */
export function excessAgents(queued: number, plannedAgents: number, slots: number): number {
  return Math.max(0, Math.ceil((queued - plannedAgents * slots) / slots));
}

export const jenkins: SimulatedPolicy = peerPolicy({
  name: 'jenkins',
  interval: 10,
  patience: 900,
  create: ({ slots, minSize }) => {
    return ({ now, queued, booting, serving, idle }) => {
      const count = excessAgents(queued, booting.length, slots);
      if (count > 0) return launch(count);
      const ending = idle.filter(({ created }) => beforeHourWraps(now - created));
      return { ...NOTHING, removals: ids(ending.slice(0, Math.max(0, serving.length - minSize))) };
    };
  },
});
