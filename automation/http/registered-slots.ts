import type { WorkerBook, WorkerKey } from '../registry/types';

/** Workers remembered at once; the memory starts anew beyond. */
const LIMIT = 20_000;

/** How many slots a worker registered with, without a query for each heartbeat. A worker's slots never change. */
export interface RegisteredSlots {
  remember(worker: WorkerKey, slots: number): void;
  forget(worker: WorkerKey): void;
  /** Undefined when it never registered. */
  find(worker: WorkerKey): Promise<number | undefined>;
}

export function registeredSlots(workers: Pick<WorkerBook, 'list'>): RegisteredSlots {
  const known = new Map<string, number>();
  const loading = new Map<string, Promise<void>>();
  const remember: RegisteredSlots['remember'] = (worker, slots) => {
    if (known.size >= LIMIT) known.clear();
    known.set(keyOf(worker), slots);
  };
  // After a restart every worker beats at about the same time: one query serves them all.
  const load = (environment: string): Promise<void> => {
    const running = loading.get(environment);
    if (running) return running;
    const started = workers
      .list(environment)
      .then((list) => list.forEach((worker) => remember(worker, worker.slots)))
      .finally(() => loading.delete(environment));
    loading.set(environment, started);
    return started;
  };
  return {
    remember,
    forget: (worker) => void known.delete(keyOf(worker)),
    find: async (worker) => {
      if (!known.has(keyOf(worker))) await load(worker.environment);
      return known.get(keyOf(worker));
    },
  };
}

function keyOf({ environment, pool, worker }: WorkerKey): string {
  return JSON.stringify([environment, pool, worker]);
}
