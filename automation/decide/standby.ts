import type { PolicyState } from './state';
import type { Observation, PoolPolicy } from './types';

/** Share of the boots' durations in which more may arrive than the standby holds. */
const SHORTFALL = 0.05;
const MINUTE = 60;

/**
 * Slots to keep free. Where a job may wait longer than a boot takes, only what is configured; below that no launch can
 * come in time, and the standby holds what arrives during a boot (newsvendor; negative binomial by the mean and the
 * dispersion of the last hours' minutes).
 */
export function standbySlots(
  { standby, slots, targetWait, tick }: PoolPolicy,
  { minutes }: PolicyState,
  boot: number,
): number {
  const configured = standby * slots;
  if (targetWait >= boot + tick) return configured;
  const whole = minutes.slice(0, -1);
  if (whole.length === 0) return configured;
  const mean = whole.reduce((sum, jobs) => sum + jobs, 0) / whole.length;
  const variance = whole.reduce((sum, jobs) => sum + (jobs - mean) ** 2, 0) / whole.length;
  const exposed = (boot + tick - targetWait) / MINUTE;
  return Math.max(configured, negativeBinomialQuantile(mean * exposed, variance * exposed, 1 - SHORTFALL));
}

/** Free slots that the standby lacks, beyond those that waiting jobs will take. */
export function standbyShortage(wanted: number, { queue, workers }: Observation, slots: number): number {
  if (wanted === 0) return 0;
  const free = workers
    .filter(({ state }) => state !== 'draining')
    .reduce((sum, { running }) => sum + slots - running.length, 0);
  return Math.max(0, wanted + queue.depth - free);
}

/** Least count that is not exceeded with this probability; Poisson where the variance is no more than the mean. */
function negativeBinomialQuantile(mean: number, variance: number, probability: number): number {
  if (mean <= 0) return 0;
  const excess = Math.max(variance - mean, 1e-6 * mean);
  const size = mean ** 2 / excess;
  const share = mean / (mean + size);
  let term = Math.exp(-size * Math.log1p(mean / size));
  let total = term;
  let count = 0;
  while (total < probability && count < 10_000) {
    term *= ((size + count) / (count + 1)) * share;
    count += 1;
    total += term;
  }
  return count;
}
