import type { Observation, PoolPolicy, WorkerObservation } from './types';
import type { ServiceTimes } from './service-times';

/** A boot that is later than usual is expected within this many seconds, until it is twice as late. */
const OVERDUE_BOOT = 60;

/** When each slot of the worker takes its next job; none for a worker that drains or seems stuck in its boot. */
export function freeSlots(
  worker: WorkerObservation,
  now: number,
  slots: number,
  boot: number,
  services: ServiceTimes,
): number[] {
  switch (worker.state) {
    case 'draining':
      return [];
    case 'booting': {
      const age = now - worker.created;
      if (age > 2 * boot) return [];
      return Array<number>(slots).fill(age > boot ? now + OVERDUE_BOOT : worker.created + boot);
    }
    case 'ready':
      return [
        ...worker.running.map((since) => now + services.remaining(now - since)),
        ...Array<number>(Math.max(0, slots - worker.running.length)).fill(now),
      ];
  }
}

export interface Capacity {
  /** When each slot becomes free, by worker. */
  readonly byWorker: ReadonlyMap<string, readonly number[]>;
  readonly freeAt: readonly number[];
  /** Workers that serve or will: all but the draining ones. */
  readonly size: number;
  readonly running: number;
  readonly booting: number;
}

export function capacityOf(
  { now, workers }: Observation,
  { slots }: PoolPolicy,
  boot: number,
  services: ServiceTimes,
): Capacity {
  const byWorker = new Map(
    workers.map((worker) => [worker.id, freeSlots(worker, now, slots, boot, services)]),
  );
  return {
    byWorker,
    freeAt: [...byWorker.values()].flat(),
    size: workers.filter(({ state }) => state !== 'draining').length,
    running: workers.reduce((sum, { running }) => sum + running.length, 0),
    booting: workers.filter(({ state }) => state === 'booting').length,
  };
}
