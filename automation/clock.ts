import { setTimeout as delay } from 'node:timers/promises';

/** The service's time. A demo on a fast clock brings its own. */
export interface Clock {
  /** Seconds since 1970. */
  now(): number;
  /** Resolves after that many seconds, or as soon as the signal says so. */
  sleep(seconds: number, signal: AbortSignal): Promise<void>;
}

/** Time that runs `rate` times as fast as the machine's, from `start` (seconds since 1970) on. */
export function clockFrom(start: number, rate: number): Clock {
  const begun = performance.now();
  return {
    now: () => start + ((performance.now() - begun) / 1000) * rate,
    sleep: async (seconds, signal) => {
      await delay((seconds / rate) * 1000, undefined, { signal }).catch(() => undefined);
    },
  };
}

/** The machine's own time, which follows its corrections. */
export const systemClock: Clock = {
  now: () => Date.now() / 1000,
  sleep: async (seconds, signal) => {
    await delay(seconds * 1000, undefined, { signal }).catch(() => undefined);
  },
};
