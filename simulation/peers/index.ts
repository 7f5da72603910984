import type { SimulatedPolicy } from '../types';
import { arc } from './arc';
import { aws } from './aws';
import { buildkite } from './buildkite';
import { clusterAutoscaler } from './cluster-autoscaler';
import { depth5 } from './depth';
import { drone } from './drone';
import { gitlab } from './gitlab';
import { jenkins } from './jenkins';
import { keda } from './keda';
import { leaseSlo } from './lease-slo';
import { woodpecker, woodpeckerBooting } from './woodpecker';

export { keda, type KedaOptions } from './keda';
export { leaseSlo } from './lease-slo';

/** Every policy that can be simulated by name, with its default parameters. */
export const policies: Readonly<Record<string, SimulatedPolicy>> = Object.fromEntries(
  [
    leaseSlo(),
    keda(),
    aws,
    clusterAutoscaler,
    drone,
    woodpecker,
    woodpeckerBooting,
    gitlab,
    arc,
    buildkite,
    jenkins,
    depth5,
  ].map((policy) => [policy.name, policy]),
);
