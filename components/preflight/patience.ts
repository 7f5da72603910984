/** How long a caller puts up with a vendor's passing faults. Milliseconds. */
export interface Patience {
  /** Most tries of one request. */
  readonly tries: number;
  /** Least wait before the second try; twice as long before each further one, up to a minute. */
  readonly firstWait: number;
  /** Most that all waits of one request may take together; a longer one is not begun. */
  readonly totalWait: number;
}

/** Somebody sits in front of it: rather a clear error within seconds. */
export const PERSONS_PATIENCE: Patience = { tries: 3, firstWait: 500, totalWait: 10_000 };

/** A service that would otherwise have nothing to go by until its next tick. */
export const SERVICES_PATIENCE: Patience = { tries: 5, firstWait: 1_000, totalWait: 60_000 };

const LONGEST_WAIT = 60_000;

/**
 * Milliseconds to wait before the given try (the second is 2): until the vendor takes requests again where it says so, else
 * exponential with jitter.
 * @returns undefined where waiting that long would be longer than the caller's patience
 */
export function pauseBefore(
  attempt: number,
  {
    patience,
    waited,
    retryIn,
    random,
  }: { patience: Patience; waited: number; retryIn: number | undefined; random: number },
): number | undefined {
  const backOff = Math.min(LONGEST_WAIT, patience.firstWait * 2 ** (attempt - 2) * (1 + random));
  // Callers that were all told the same moment do not come back in the same moment.
  const pause = retryIn === undefined || retryIn <= 0 ? backOff : retryIn + random * patience.firstWait;
  return waited + pause > patience.totalWait ? undefined : pause;
}
