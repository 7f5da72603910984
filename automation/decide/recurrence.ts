/** A minute, or several in a row, in which far more jobs arrived than usual. */
export interface Burst {
  /** Start of its first minute. */
  readonly at: number;
  readonly jobs: number;
  readonly until: number;
}

const MINUTE = 60;
/** Periods that schedulers of batch work use: minutes that divide an hour, the hour, the day, the week. */
const PERIODS = [5, 10, 15, 20, 30, 60, 120, 240, 360, 720, 1440, 10080].map((minutes) => minutes * MINUTE);
const HOUR = 60 * MINUTE;
/** A period is believed after this many bursts in step: chance puts bursts in step with a short one more easily. */
const cyclesToBelieve = (period: number): number => (period < HOUR ? 5 : 3);
/** A burst may begin this much earlier or later than the period says: as bursts begin with minutes, not at all. */
const JITTER = 30;
const SMALLEST_BURST = 6;
/** How many times the usual arrivals of a minute make a burst. */
const STEEPNESS = 4;
const KEPT = 400;

/** Takes the minute that has just ended into the record of bursts. */
export function recordMinute(
  bursts: readonly Burst[],
  minute: number,
  jobs: number,
  usual: number,
): readonly Burst[] {
  if (jobs < Math.max(SMALLEST_BURST, STEEPNESS * usual)) return bursts;
  const last = bursts.at(-1);
  if (last?.until === minute)
    return [...bursts.slice(0, -1), { at: last.at, jobs: last.jobs + jobs, until: minute + MINUTE }];
  return [...bursts, { at: minute, jobs, until: minute + MINUTE }].slice(-KEPT);
}

/**
 * Bursts to expect between two moments: what has come in step with one of the usual periods three to five times
 * running is expected again, with the least of their sizes. Being wrong costs one unneeded launch a cycle, and only once:
 * the cycle that stays out ends the belief.
 */
export function expectedBursts(
  bursts: readonly Burst[],
  from: number,
  to: number,
): { at: number; jobs: number }[] {
  const expected = new Map<number, { at: number; jobs: number }>();
  for (const latest of bursts) {
    for (const period of PERIODS) {
      const at = latest.at + period;
      if (at < from || at >= to) continue;
      const earlier = Array.from({ length: cyclesToBelieve(period) - 1 }, (_, cycle) =>
        bursts.find((burst) => Math.abs(burst.at - (latest.at - (cycle + 1) * period)) <= JITTER),
      );
      if (earlier.some((burst) => burst === undefined)) continue;
      const jobs = Math.min(latest.jobs, ...earlier.map((burst) => burst?.jobs ?? 0));
      expected.set(at, { at, jobs: Math.max(jobs, expected.get(at)?.jobs ?? 0) });
    }
  }
  return [...expected.values()];
}
