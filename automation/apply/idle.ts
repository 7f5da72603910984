import type { RegisteredWorker, Registry } from '../registry/types';

/** A beat older than this many seconds says nothing of now: three beats are missing. */
const BEAT_VALIDITY = 40;

/**
 * Whether a worker is provably without a job: it was told to take no more, and has said since, a moment ago, that none
 * runs. One that could still take a job is not idle, however quiet it is.
 */
export function isConfirmedIdle({ drain, beatAt, busy, running }: RegisteredWorker, now: number): boolean {
  return (
    drain?.toldAt !== undefined &&
    beatAt !== undefined &&
    beatAt > drain.toldAt &&
    now - beatAt <= BEAT_VALIDITY &&
    busy === 0 &&
    running.length === 0
  );
}

/** Ids of the workers that are confirmed idle at this moment, and on which nobody holds a slot. */
export async function idleNow(registry: Registry, environment: string, now: number): Promise<Set<string>> {
  const [workers, load] = await Promise.all([
    registry.workers.list(environment),
    registry.slots.load(environment),
  ]);
  const held = new Set(Object.values(load).flatMap((pool) => Object.keys(pool.held)));
  return new Set(
    workers
      .filter((worker) => isConfirmedIdle(worker, now) && !held.has(worker.worker))
      .map(({ worker }) => worker),
  );
}
