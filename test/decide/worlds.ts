import {
  INITIAL_STATE,
  type Observation,
  type PolicyState,
  type PoolPolicy,
  type WorkerObservation,
} from '../../automation/decide';

/** Some moment on a whole minute: Saturday, 2026-01-03 10:40 UTC. */
export const NOW = 1_767_436_800;

export const pool: PoolPolicy = {
  minSize: 0,
  maxSize: 40,
  slots: 1,
  targetWait: 300,
  standby: 0,
  schedule: [],
  placements: [
    { serverType: 'cx33', location: 'fsn1', price: 0.01 },
    { serverType: 'cpx32', location: 'nbg1', price: 0.02 },
  ],
  tick: 10,
};

/** A policy that has seen a hundred jobs of a minute and boots of 90 s. */
export const experienced: PolicyState = {
  ...INITIAL_STATE,
  tolerance: 2,
  services: Array<number>(100).fill(60),
  boots: Array<number>(20).fill(90),
  minute: NOW,
};

export function worker(id: string, age: number, change: Partial<WorkerObservation> = {}): WorkerObservation {
  return {
    id,
    serverType: 'cx33',
    location: 'fsn1',
    created: NOW - age,
    state: 'ready',
    running: [],
    ...change,
  };
}

/** Jobs that have waited for these seconds, longest first, and these workers. */
export function observed(
  waited: readonly number[],
  workers: readonly WorkerObservation[] = [],
  change: Partial<Observation> = {},
): Observation {
  const arrivals = waited.map((wait) => NOW - wait).sort((a, b) => a - b);
  return { now: NOW, queue: { observedAt: NOW, depth: arrivals.length, arrivals }, workers, ...change };
}
