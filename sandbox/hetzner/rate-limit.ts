/** A bucket that refills evenly and holds at most an hour's worth of requests. */
export interface Bucket {
  tokens: number;
  /** Virtual milliseconds. */
  refilledAt: number;
}

const HOUR_MS = 3_600_000;

/** Adds what has flown in since the last look, then takes one token; false when there is none. */
export function takeToken(bucket: Bucket, perHour: number, now: number): boolean {
  const elapsed = Math.max(0, now - bucket.refilledAt);
  bucket.tokens = Math.min(perHour, bucket.tokens + (elapsed * perHour) / HOUR_MS);
  bucket.refilledAt = Math.max(now, bucket.refilledAt);
  if (bucket.tokens < 1) return false;
  bucket.tokens -= 1;
  return true;
}

/** The vendor's three headers; `RateLimit-Reset` is the Unix second at which the bucket is full again. */
export function rateLimitHeaders(bucket: Bucket, perHour: number): Record<string, string> {
  const fullAt = bucket.refilledAt + ((perHour - bucket.tokens) * HOUR_MS) / perHour;
  return {
    'RateLimit-Limit': String(perHour),
    'RateLimit-Remaining': String(Math.floor(bucket.tokens)),
    'RateLimit-Reset': String(Math.ceil(fullAt / 1000)),
  };
}
