/** Seconds: a held lock is mostly another update, and those take seconds to a few minutes. */
const FIRST_WAIT = 2;
const LONGEST_WAIT = 60;

/**
 * Seconds to wait before a stack that was found locked is tried again. Doubles with each attempt, and is drawn between
 * half and the whole of that: two starters on a self-managed backend can both see each other's lock and both fail
 * (its `lock.go` writes its own, then lists), and with fixed waits they would meet again each time.
 * @param attempt 0 after the first failure
 * @param random draws from [0, 1)
 */
export function busyBackoff(attempt: number, random: () => number): number {
  const longest = Math.min(LONGEST_WAIT, FIRST_WAIT * 2 ** Math.min(attempt, 30));
  return longest * (0.5 + random() / 2);
}
