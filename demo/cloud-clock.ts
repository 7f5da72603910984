import { setTimeout as delay } from 'node:timers/promises';
import { z } from 'zod';
import type { Clock } from '../automation/clock';

/** How much faster than real the time of the demo runs. */
export const RATE = {
  /** While people wait for machines to boot. */
  booting: 10,
  /** While the service watches and waits. */
  watching: 60,
  /** While it updates: that takes two or three real seconds, which on a fast clock were minutes of a paid hour. */
  updating: 4,
} as const;

const clockSchema = z.object({
  now: z.iso.datetime().transform((text) => Date.parse(text) / 1000),
  rate: z.number(),
});
/** The longest look away from a clock whose rate may change, milliseconds. */
const GLANCE_MS = 50;

/** The local cloud's time, which this clock reads once and then follows, and its rate. */
export class CloudClock implements Clock {
  private constructor(
    private readonly url: string,
    /** Seconds since 1970 at an instant of this process. */
    private base: { seconds: number; at: number; rate: number },
  ) {}

  /** @param control URL of the local cloud's control API */
  static async read(control: string): Promise<CloudClock> {
    const url = `${control}/clock`;
    return new CloudClock(url, await ask(url));
  }

  now(): number {
    const { seconds, at, rate } = this.base;
    return seconds + ((performance.now() - at) / 1000) * rate;
  }

  async sleep(seconds: number, signal: AbortSignal): Promise<void> {
    const until = this.now() + seconds;
    for (let left = seconds; left > 0 && !signal.aborted; left = until - this.now()) {
      const wait = Math.min(GLANCE_MS, (left / this.base.rate) * 1000);
      await delay(wait, undefined, { signal }).catch(() => undefined);
    }
  }

  /** Changes how fast the cloud's time runs, for everybody in it. */
  async setRate(rate: number): Promise<void> {
    this.base = await ask(this.url, { mode: 'real', rate });
  }
}

/** The cloud's answer stands for the middle of the call. */
async function ask(url: string, change?: object): Promise<{ seconds: number; at: number; rate: number }> {
  const asked = performance.now();
  const response = await fetch(url, {
    ...(change && {
      method: 'PUT',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(change),
    }),
  });
  if (!response.ok) throw new Error(`the local cloud's clock answered ${response.status}`);
  const { now, rate } = clockSchema.parse(await response.json());
  return { seconds: now, at: (asked + performance.now()) / 2, rate };
}
