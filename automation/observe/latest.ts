import { setTimeout as delay } from 'node:timers/promises';

/** Real time that a round waits for an answer; what comes later is there for the next one. */
const ROUND_PATIENCE_MS = 3_000;

/**
 * The latest answer of somebody who may be slow or fail: one question at a time, and a round that asks does not wait for
 * long. A failure keeps the answer before.
 */
export class Latest<T> {
  /** The last good answer. */
  value: T | undefined;
  /** Why the latest question failed; undefined after a good answer. */
  error: unknown;
  /** Failures in a row began then, seconds since 1970. */
  failingSince: number | undefined;
  private asking: Promise<void> | undefined;

  /**
   * @param now seconds since 1970
   * @param patience real milliseconds that the caller waits
   */
  async ask(question: () => Promise<T>, now: number, patience = ROUND_PATIENCE_MS): Promise<void> {
    this.asking ??= question()
      .then(
        (answer) => {
          this.value = answer;
          this.error = undefined;
          this.failingSince = undefined;
        },
        (error: unknown) => {
          this.error = error;
          this.failingSince ??= now;
        },
      )
      .finally(() => (this.asking = undefined));
    const inTime = new AbortController();
    const timeout = delay(patience, undefined, { signal: inTime.signal }).catch(() => undefined);
    await Promise.race([this.asking, timeout]);
    inTime.abort();
  }
}
