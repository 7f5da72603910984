import { PAID_HOUR } from '../../automation/decide/parameters';
import type { SimulatedPolicy } from '../types';
import { limitGrowth, recommend, Stabilization, SYNC_INTERVAL } from './horizontal-pod-autoscaler';
import { peerPolicy } from './peer';
import { ids, launch, NOTHING, shrink } from './pool-view';

/** KEDA's RabbitMQ scaler, `mode: QueueLength`; waiting and unacknowledged messages count (keda.sh, RabbitMQ Queue). */
const DEFAULT_TARGET = 20;
/** From one replica to none (keda.sh, ScaledObject spec). From none to one it takes no longer than a look at the queue. */
const COOLDOWN = 300;
/** cluster-autoscaler's max-node-provision-time. */
const PATIENCE = 900;
/** What goes with the service's release at the end of a paid hour: its tick, its patience with boots, its margin. */
const SERVICE = { tick: 10, patience: 450, margin: 45 };

export interface KedaOptions {
  readonly name?: string;
  /** Jobs for each replica. */
  readonly target?: number;
  /** Release idle workers only when their paid hour ends, which KEDA does not: for a comparison of the formulas alone. */
  readonly releaseAtHourEnd?: boolean;
}

export function keda({
  name = 'keda',
  target = DEFAULT_TARGET,
  releaseAtHourEnd = false,
}: KedaOptions = {}): SimulatedPolicy {
  return peerPolicy({
    name,
    interval: releaseAtHourEnd ? SERVICE.tick : SYNC_INTERVAL,
    patience: releaseAtHourEnd ? SERVICE.patience : PATIENCE,
    create: ({ minSize, maxSize }) => {
      const stabilization = new Stabilization();
      let activeAt = -Infinity;
      return (view) => {
        const { now, queued, running, serving, idle } = view;
        const metric = queued + running;
        if (metric > 0) activeAt = now;
        const replicas = serving.length;
        const asleep = now - activeAt > COOLDOWN;
        const recommended = Math.max(
          asleep ? minSize : 1,
          limitGrowth(recommend(metric, target, replicas), replicas),
        );
        if (recommended > replicas) {
          stabilization.apply(now, recommended);
          return launch(Math.min(recommended, maxSize) - replicas);
        }
        if (!releaseAtHourEnd) return shrink(replicas - stabilization.apply(now, recommended), view);
        const ending = idle.filter(
          ({ created }) => PAID_HOUR - ((now - created) % PAID_HOUR) <= SERVICE.margin,
        );
        return { ...NOTHING, removals: ids(ending.slice(0, replicas - recommended)) };
      };
    },
  });
}
