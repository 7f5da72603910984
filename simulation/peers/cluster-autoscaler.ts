import type { SimulatedPolicy } from '../types';
import { peerPolicy } from './peer';
import { ids, IdleTimes, launch, NOTHING } from './pool-view';

/** Defaults of kubernetes/autoscaler `config/flags/flags.go`. */
const SCAN_INTERVAL = 10;
const UNNEEDED_TIME = 600;
const DELAY_AFTER_ADD = 600;
const MAX_NODE_PROVISION_TIME = 900;
const MAX_EMPTY_BULK_DELETE = 10;

/** Nodes for the pods that fit nowhere, less the nodes that are coming; a job is a pod that takes one slot. */
export function nodesToAdd(pending: number, upcoming: number, slots: number): number {
  return Math.max(0, Math.ceil(pending / slots) - upcoming);
}

export const clusterAutoscaler: SimulatedPolicy = peerPolicy({
  name: 'cluster-autoscaler',
  interval: SCAN_INTERVAL,
  patience: MAX_NODE_PROVISION_TIME,
  create: ({ slots, minSize }) => {
    const idleTimes = new IdleTimes();
    let addedAt = -Infinity;
    return (view) => {
      const { now, queued, booting, serving, idle } = view;
      const unneeded = idleTimes.observe(view);
      const count = nodesToAdd(queued, booting.length, slots);
      if (count > 0) {
        addedAt = now;
        return launch(count);
      }
      if (now - addedAt < DELAY_AFTER_ADD) return NOTHING;
      const empty = idle.filter(({ id }) => (unneeded.get(id) ?? 0) >= UNNEEDED_TIME);
      const most = Math.min(MAX_EMPTY_BULK_DELETE, serving.length - minSize);
      return { ...NOTHING, removals: ids(empty.slice(0, Math.max(0, most))) };
    };
  },
});
