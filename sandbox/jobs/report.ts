import type { PoolState } from './state';

/** How a pool's queue stands; durations in virtual seconds. */
export interface PoolReport {
  waiting: number;
  running: number;
  done: number;
  /** How long the oldest waiting job has waited; absent when none waits. */
  oldestAge?: number;
  /** From adding to taking, of all jobs taken so far; of a job that went back, to its last taking. */
  waits: { p50: number; p95: number; max: number };
  /**
   * Times that a working machine was deleted or switched off under a job, which went back to the head of the queue.
   * A correct service never causes one.
   */
  lost: number;
  /** The same for machines that hung: only their removal sets such a job free. */
  abandoned: number;
}

export function poolReport(pool: PoolState, now: number): PoolReport {
  const { waiting, running, done, lost, abandoned } = pool;
  const taken = Object.values(running).map(({ addedAt, startedAt }) => (startedAt - addedAt) / 1000);
  const waits = [...pool.waits, ...taken].sort((left, right) => left - right);
  const oldest = Math.min(...waiting.map(({ addedAt }) => addedAt));
  return {
    waiting: waiting.length,
    running: taken.length,
    done,
    ...(waiting.length > 0 && { oldestAge: (now - oldest) / 1000 }),
    waits: { p50: quantile(waits, 0.5), p95: quantile(waits, 0.95), max: waits.at(-1) ?? 0 },
    lost,
    abandoned,
  };
}

/** By nearest rank; 0 of nothing. */
function quantile(sorted: number[], share: number): number {
  return sorted[Math.max(0, Math.ceil(share * sorted.length) - 1)] ?? 0;
}
