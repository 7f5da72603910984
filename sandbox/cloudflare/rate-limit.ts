/** Milliseconds: the time over which requests are counted, and how long a block lasts. */
const WINDOW = 300_000;

/** Seconds for which the vendor answers 429 to everything once the budget is used up. */
export const BLOCK_SECONDS = WINDOW / 1000;

export const TOO_MANY_REQUESTS = {
  code: 971,
  message: 'Please wait and consider throttling your request speed',
};

/** The present state of one user's request budget; times in virtual milliseconds since the epoch. */
export interface Bucket {
  tokens: number;
  filledAt: number;
  blockedUntil: number;
}

export function fullBucket(capacity: number, now: number): Bucket {
  return { tokens: capacity, filledAt: now, blockedUntil: 0 };
}

/**
 * Takes one request out of a bucket that refills evenly over five minutes; an empty one blocks for five minutes.
 * Source: developers.cloudflare.com/fundamentals/api/reference/limits.
 * @returns the bucket afterwards, and the milliseconds to wait: 0 when the request may pass
 */
export function takeRequest(bucket: Bucket, capacity: number, now: number): { bucket: Bucket; wait: number } {
  if (now < bucket.blockedUntil) return { bucket, wait: bucket.blockedUntil - now };
  const refilled = bucket.tokens + ((now - bucket.filledAt) * capacity) / WINDOW;
  const tokens = Math.min(capacity, refilled);
  if (tokens >= 1) return { bucket: { ...bucket, tokens: tokens - 1, filledAt: now }, wait: 0 };
  const blockedUntil = now + WINDOW;
  return { bucket: { tokens: capacity, filledAt: blockedUntil, blockedUntil }, wait: WINDOW };
}
