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

/** What the registry knows of workers at this moment. */
export interface WorkersNow {
  /** Confirmed idle, and nobody holds a slot on it. */
  isIdle(worker: string): boolean;
  hasSpokenSince(worker: string, time: number): boolean;
}

export async function workersNow(registry: Registry, environment: string, now: number): Promise<WorkersNow> {
  const [rows, load] = await Promise.all([
    registry.workers.list(environment),
    registry.slots.load(environment),
  ]);
  const known = new Map(rows.map((row) => [row.worker, row]));
  const held = new Set(Object.values(load).flatMap((pool) => Object.keys(pool.held)));
  return {
    isIdle: (worker) => {
      const row = known.get(worker);
      return row !== undefined && isConfirmedIdle(row, now) && !held.has(worker);
    },
    hasSpokenSince: (worker, time) => (known.get(worker)?.seenAt ?? -Infinity) > time,
  };
}
