import type { Observation, WorkerObservation } from '../../automation/decide/types';
import type { Commands } from '../types';

export const NOTHING: Commands = { launches: [], removals: [], drains: [], retirements: [], resumes: [] };

/** Launches in the first placement: no peer's formula chooses one by load. */
export function launch(count: number): Commands {
  return { ...NOTHING, launches: Array<number>(Math.max(0, count)).fill(0) };
}

export const ids = (workers: readonly WorkerObservation[]): string[] => workers.map(({ id }) => id);

/** The counts that peers' formulas are made of. */
export interface PoolView {
  readonly now: number;
  readonly queued: number;
  readonly running: number;
  /** Booting and ready; those that drain are as good as gone. */
  readonly serving: readonly WorkerObservation[];
  readonly booting: readonly WorkerObservation[];
  readonly ready: readonly WorkerObservation[];
  /** Ready and without a job. */
  readonly idle: readonly WorkerObservation[];
}

export function viewOf({ now, queue, workers }: Observation): PoolView {
  const serving = workers.filter(({ state }) => state !== 'draining');
  const ready = serving.filter(({ state }) => state === 'ready');
  return {
    now,
    queued: queue.depth,
    running: workers.reduce((sum, { running }) => sum + running.length, 0),
    serving,
    booting: serving.filter(({ state }) => state === 'booting'),
    ready,
    idle: ready.filter(({ running }) => running.length === 0),
  };
}

/**
 * Takes `count` workers out of service, the idle ones at once and the others when their jobs are done. Peers that
 * would stop a running job are not charged for that here.
 */
export function shrink(count: number, { serving }: PoolView): Commands {
  const victims = serving
    .toSorted((a, b) => a.running.length - b.running.length || a.created - b.created)
    .slice(0, Math.max(0, count));
  return { ...NOTHING, retirements: ids(victims) };
}

/** Since when each worker has been without a job, as far as one who looks now and then can see. */
export class IdleTimes {
  #since = new Map<string, number>();

  /** Seconds for which each idle worker has been so; to be called at every decision. */
  observe({ now, idle }: PoolView): ReadonlyMap<string, number> {
    this.#since = new Map(idle.map(({ id }) => [id, this.#since.get(id) ?? now]));
    return new Map([...this.#since].map(([id, since]) => [id, now - since]));
  }
}

/** Boots that have taken longer than `patience` seconds. */
export function stuck({ now, booting }: PoolView, patience: number): readonly WorkerObservation[] {
  return booting.filter(({ created }) => now - created > patience);
}
