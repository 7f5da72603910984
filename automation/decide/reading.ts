import type { PoolFacts } from './stack-types';
import type { PolicyState } from './state';
import type { QueueObservation } from './types';

/** What the policy sees of a pool's queue. */
export function readingOf(
  { queue }: Pick<PoolFacts, 'queue'>,
  hasQueue: boolean,
  { waiting, readAt }: PolicyState,
  now: number,
): QueueObservation {
  if (!hasQueue) return { observedAt: now, depth: 0 };
  // Never read since the start: what was remembered of it goes on to hold, and its age holds the size.
  if (queue === undefined) return { observedAt: readAt ?? 0, depth: waiting.length, arrivals: waiting };
  return {
    observedAt: queue.observedAt,
    depth: queue.waiting,
    ...(queue.oldest === undefined ? {} : { oldest: queue.oldest }),
  };
}
