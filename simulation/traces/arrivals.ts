import { exponential, type Random } from './random';

/** Arrivals a second at a time. */
export type Rate = (seconds: number) => number;

/** A Poisson process whose rate changes with time, by thinning one of the highest rate. */
export function poissonArrivals(random: Random, horizon: number, rate: Rate, highest: number): number[] {
  const arrivals: number[] = [];
  for (let at = exponential(random, 1 / highest); at < horizon; at += exponential(random, 1 / highest)) {
    if (random() * highest < rate(at)) arrivals.push(at);
  }
  return arrivals;
}

/** A Poisson process that changes between two rates after exponential sojourns: bursts without a pattern. */
export function switchingArrivals(
  random: Random,
  horizon: number,
  states: readonly { rate: number; sojourn: number }[],
): number[] {
  const arrivals: number[] = [];
  for (let from = 0, index = 0; from < horizon; index += 1) {
    const { rate, sojourn } = states[index % states.length]!;
    const to = Math.min(horizon, from + exponential(random, sojourn));
    for (let at = from + exponential(random, 1 / rate); at < to; at += exponential(random, 1 / rate)) {
      arrivals.push(at);
    }
    from = to;
  }
  return arrivals;
}

/** `count` arrivals within `jitter` seconds of each full `period`, from `offset` on. */
export function periodicArrivals(
  random: Random,
  horizon: number,
  { period, offset = 0, count, jitter }: { period: number; offset?: number; count: number; jitter: number },
): number[] {
  const arrivals: number[] = [];
  for (let start = offset; start < horizon; start += period) {
    for (let index = 0; index < count; index += 1) {
      const at = start + random() * jitter;
      if (at < horizon) arrivals.push(at);
    }
  }
  return arrivals;
}
