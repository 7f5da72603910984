import type { SimulatedPolicy } from '../types';
import { peerPolicy } from './peer';
import { launch, NOTHING, shrink } from './pool-view';

const LOOP_INTERVAL = 10;
/** Between two scale-ins in the Elastic CI stack's mode. */
const SCALE_IN_COOLDOWN = 3600;
/** Instances that run no agent are looked for after this. */
const DANGLING_CHECK = 3600;

/** Instances by buildkite-agent-scaler `scaler/scaler.go`, with its default instance buffer of 0. */
export function desiredInstances(scheduled: number, running: number, agentsPerInstance: number): number {
  return Math.ceil((scheduled + running) / agentsPerInstance);
}

export const buildkite: SimulatedPolicy = peerPolicy({
  name: 'buildkite',
  interval: LOOP_INTERVAL,
  patience: DANGLING_CHECK,
  create: ({ slots, minSize, maxSize }) => {
    let scaledInAt = 0;
    return (view) => {
      const { now, queued, running, serving } = view;
      const desired = Math.min(maxSize, Math.max(minSize, desiredInstances(queued, running, slots)));
      if (desired >= serving.length) return launch(desired - serving.length);
      if (now - scaledInAt < SCALE_IN_COOLDOWN) return NOTHING;
      scaledInAt = now;
      return shrink(serving.length - desired, view);
    };
  },
});
