import type { Job } from '../types';

/** An hour that is paid once it has begun. */
export const LEASE = 3600;

/** What every pool that is measured against the bound has to do. */
export interface Service {
  /** Seconds within which each job has to start. */
  readonly targetWait: number;
  /** Jobs that one server runs at once. */
  readonly slots: number;
  /** Seconds that the fastest boot takes. */
  readonly boot: number;
}

/**
 * Server-hours that nobody can do without: the certificate behind the bound, whatever the prices are.
 *
 * Give each interval of `width` seconds a price for a server that is ready all through it. First the prices are lowered
 * until no server, whenever launched and however long kept, is worth more than the hours paid for it. Then a
 * schedule's servers cost at least what they are worth, which is at least what its jobs' places are worth, and each
 * job's place is worth at least the cheapest one in which the job may start. That minimum is taken over all
 * real starting times, not over the intervals' edges; so nothing is rounded, and a solver's tolerance can only lower
 * the sum. (Weak duality of the time-indexed linear programme, in which jobs may even move between servers.)
 * Hours that begin after `end` are not counted, hence what happens there must have no price: only whole intervals
 * before it do.
 *
 * @param width divides an hour
 * @param prices for the intervals from second 0 on; those below zero or missing are taken as zero
 */
export function certifiedHours(
  jobs: readonly Job[],
  end: number,
  service: Service,
  width: number,
  prices: readonly number[],
): number {
  const counted = Math.floor(end / width);
  const clean = prices.slice(0, counted).map((price) => (price > 0 ? price : 0));
  const boot = Math.floor(Math.min(service.boot, LEASE) / width);
  const scale = affordableScale(clean, LEASE / width, boot);
  const worth = integral(clean, width);
  const sum = jobs.reduce((total, { arrival, service: length }) => {
    const starts = kinks(arrival, arrival + service.targetWait, length, width);
    return total + Math.min(...starts.map((start) => worth(start + length) - worth(start)));
  }, 0);
  return (scale * sum) / service.slots;
}

/** Where the worth of a job's place, as a function of its start, changes its slope: the minimum is at one of these. */
export function kinks(from: number, to: number, length: number, width: number): number[] {
  const starts = [from, to];
  for (let edge = Math.ceil(from / width) * width; edge < to; edge += width) starts.push(edge);
  for (let edge = Math.ceil((from + length) / width) * width; edge < to + length; edge += width) {
    starts.push(Math.min(to, Math.max(from, edge - length)));
  }
  return starts;
}

/** The largest factor up to 1 at which no server earns more than it costs. */
function affordableScale(prices: readonly number[], lease: number, boot: number): number {
  if (bestProfit(prices, lease, boot, 1) <= 0) return 1;
  let [low, high] = [0, 1];
  for (let step = 0; step < 60; step += 1) {
    const middle = (low + high) / 2;
    if (bestProfit(prices, lease, boot, middle) <= 0) low = middle;
    else high = middle;
  }
  return low;
}

/**
 * What the best server earns: launched at the edge of some interval, ready `boot` intervals later, kept for whole hours.
 * Between two edges a server's worth changes linearly, so no other moment is better than both.
 */
function bestProfit(prices: readonly number[], lease: number, boot: number, scale: number): number {
  const sums = [0];
  for (const price of prices) sums.push(sums.at(-1)! + price * scale);
  const upTo = (interval: number): number => sums[Math.min(prices.length, Math.max(0, interval))]!;
  const renewal = new Array<number>(prices.length + 2 * lease + 1).fill(0);
  let best = 0;
  for (let start = prices.length; start > -lease; start -= 1) {
    const after = Math.max(0, renewal[start + 2 * lease] ?? 0);
    renewal[start + lease] = upTo(start + lease) - upTo(start) - 1 + after;
    best = Math.max(best, upTo(start + lease) - upTo(start + boot) - 1 + after);
  }
  return best;
}

/** The integral of the prices over time, from 0. */
function integral(prices: readonly number[], width: number): (seconds: number) => number {
  const sums = [0];
  for (const price of prices) sums.push(sums.at(-1)! + price);
  return (seconds) => {
    const interval = Math.min(prices.length, Math.floor(seconds / width));
    const within = interval < prices.length ? (seconds / width - interval) * prices[interval]! : 0;
    return sums[interval]! + within;
  };
}
