import { ServiceTimes } from '../../automation/decide/service-times';
import type { SimulatedPolicy } from '../types';
import { peerPolicy } from './peer';
import { launch, NOTHING, shrink } from './pool-view';

/** Target tracking's alarms look at one-minute data: three in a row to scale out, fifteen to scale in. */
const DATAPOINT = 60;
const OUT_AFTER = 3;
const IN_AFTER = 15;
/** Scale-in only when the metric is this much below its target. */
const IN_BELOW = 0.9;

/** Acceptable backlog for each instance: acceptable latency by mean processing time (AWS, "Scaling based on Amazon SQS"). */
export function acceptableBacklog(latency: number, processingTime: number): number {
  return latency / processingTime;
}

/** Capacity that brings the backlog per instance to its target. */
export function desiredCapacity(visible: number, target: number): number {
  return Math.ceil(visible / target);
}

export const aws: SimulatedPolicy = peerPolicy({
  name: 'aws',
  interval: DATAPOINT,
  patience: 600,
  create: ({ targetWait, minSize, maxSize }) => {
    const served: number[] = [];
    let above = 0;
    let below = 0;
    return (view, observation) => {
      served.push(...(observation.served ?? []));
      const { queued, ready, serving, idle } = view;
      const target = acceptableBacklog(targetWait, new ServiceTimes(served.slice(-400)).mean);
      // With no instance in service there is no backlog per instance; the guide's group then starts one.
      const backlog = ready.length === 0 ? (queued > 0 ? Infinity : 0) : queued / ready.length;
      above = backlog > target ? above + 1 : 0;
      below = backlog < IN_BELOW * target ? below + 1 : 0;
      const desired = Math.min(maxSize, Math.max(minSize, desiredCapacity(queued, target)));
      if (serving.length === 0 && queued > 0) return launch(Math.max(1, desired));
      if (above >= OUT_AFTER) return launch(desired - serving.length);
      if (below < IN_AFTER) return NOTHING;
      // Busy instances are protected from scale-in: the metric does not see the jobs they run.
      return shrink(Math.min(idle.length, serving.length - desired), view);
    };
  },
});
