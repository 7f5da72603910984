import type { QueueObservation } from './types';

export interface Waiting {
  /** Arrivals of the jobs that wait now, oldest first. */
  readonly arrivals: readonly number[];
  /** Waits of the jobs that have left since, as far as the queue's depth shows. */
  readonly waits: readonly number[];
}

/**
 * When the waiting jobs arrived. A source that tells only its depth is followed first in, first out: what it grew by
 * arrived between the two readings, what it shrank by were the oldest. Growth and shrinkage in between cancel out
 * unseen, so this sees waits that are at most too long.
 */
export function followQueue(
  queue: QueueObservation,
  known: readonly number[],
  readAt: number | undefined,
): Waiting {
  if (queue.arrivals !== undefined) return { arrivals: queue.arrivals, waits: [] };
  const gone = Math.max(0, known.length - queue.depth);
  const between = readAt === undefined ? queue.observedAt : (readAt + queue.observedAt) / 2;
  const stayed = known.slice(gone);
  const arrivals = [...stayed, ...Array<number>(queue.depth - stayed.length).fill(between)];
  if (queue.oldest !== undefined && arrivals.length > 0) arrivals[0] = queue.oldest;
  return { arrivals, waits: known.slice(0, gone).map((arrival) => queue.observedAt - arrival) };
}
