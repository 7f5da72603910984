/** How far the reading of the queue can be relied upon. */
export type Freshness = 'fresh' | 'old' | 'unknown';

/** From this age on, nothing is decided by the queue, seconds. */
const UNKNOWN_AFTER = 120;

/** `old`, after two ticks: only what is certain is done; `unknown`: the size is held. */
export function freshness(now: number, observedAt: number, tick: number): Freshness {
  const age = now - observedAt;
  if (age > UNKNOWN_AFTER) return 'unknown';
  return age > 2 * tick ? 'old' : 'fresh';
}
