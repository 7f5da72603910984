import type { SimulatedPolicy } from '../types';
import { peerPolicy } from './peer';
import { ids, launch, NOTHING } from './pool-view';

/** Runners of a scale set by actions-runner-controller `cmd/ghalistener/scaler`. */
export function targetRunners(minRunners: number, assignedJobs: number, maxRunners: number): number {
  return Math.min(minRunners + assignedJobs, maxRunners);
}

/** Ephemeral runners: a machine for each job, gone when the job is done. */
export const arc: SimulatedPolicy = peerPolicy({
  name: 'arc',
  interval: 10,
  patience: 900,
  create: ({ minSize, maxSize }) => {
    return ({ queued, running, serving, idle }, { workers }) => {
      const used = serving.filter((worker) => worker.running.length > 0);
      const target = targetRunners(minSize, queued + running, maxSize);
      const surplus = workers.length - target;
      return {
        ...(surplus < 0 ? launch(-surplus) : NOTHING),
        removals: ids(idle.slice(0, Math.max(0, surplus))),
        retirements: ids(used),
      };
    };
  },
});
