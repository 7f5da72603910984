import loadHighs, { type Highs } from 'highs';
import { GRACE } from '../simulator';
import type { Job, Trace } from '../types';
import { certifiedHours, LEASE, type Service } from './prices';
import { programmeOf } from './programme';
import { lighten, type WeightedJob } from './weights';

export type { Service } from './prices';

/** Server-hours that no policy can do without, though it knew the future and no boot ever failed. */
export interface Bound {
  /** Whole, as hours are paid. */
  readonly hours: number;
  /** Before it was rounded up. */
  readonly fractional: number;
  /** Seconds of the programme's intervals: the longer, the weaker the bound; it stays one. */
  readonly width: number;
}

/** Tried in turn until the programme is small enough; each divides an hour. */
const WIDTHS = [60, 120, 300, 600, 1200, 1800, 3600];
/** Variables that are solved for in seconds. */
const MOST_COLUMNS = 100_000;
/** A trace that is still too large at the longest interval has this much time, in seconds. */
const TIME_LIMIT = 120;
/** Far wider than the errors of the sums, far narrower than an hour. */
const ROUNDING = 1e-6;

let solver: Promise<Highs> | undefined;

/**
 * Lower bound on the paid hours of every schedule that starts every job within the target wait.
 *
 * The solver only proposes prices; what is returned is what `certifiedHours` makes of them, so neither the solver's
 * tolerance, nor a time limit, nor the merging of similar jobs can make it more than a bound.
 */
export async function offlineBound(trace: Trace, service: Service): Promise<Bound> {
  const end = endOfCount(trace, service);
  const { width, jobs } = resolution(trace.jobs, end, service);
  const prices = await solve(jobs, end, service, width);
  const even = new Array<number>(prices.length).fill(width / LEASE);
  const fractional = Math.max(
    ...[prices, even].map((proposal) => certifiedHours(trace.jobs, end, service, width, proposal)),
  );
  return { hours: Math.ceil(fractional - ROUNDING), fractional, width };
}

/** A run ends with its last job, or is given up; the last second in which a job can run that is not late. */
function endOfCount({ jobs, horizon }: Trace, { targetWait }: Service): number {
  const last = jobs.reduce((end, { arrival, service }) => Math.max(end, arrival + targetWait + service), 0);
  // Rounded up to the hour: up to there, whole intervals are counted.
  return Math.min(horizon + GRACE, LEASE * Math.ceil(last / LEASE));
}

/** The shortest intervals at which the programme can be solved. */
function resolution(
  all: readonly Job[],
  end: number,
  service: Service,
): { width: number; jobs: WeightedJob[] } {
  const columns = (jobs: number, width: number): number =>
    jobs * (2 + (2 * service.targetWait) / width) + (3 * end) / width;
  const tried = WIDTHS.map((width) => ({ width, jobs: lighten(all, width) }));
  return tried.find(({ width, jobs }) => columns(jobs.length, width) <= MOST_COLUMNS) ?? tried.at(-1)!;
}

/** Prices of the intervals, as good as the solver finds them. */
async function solve(
  jobs: readonly WeightedJob[],
  end: number,
  service: Service,
  width: number,
): Promise<number[]> {
  const highs = await (solver ??= loadHighs());
  const { model, capacityRows } = programmeOf(jobs, end, service, width);
  return highs.withModel(model, (instance) => {
    // Interior point without crossover: prices need not be a vertex, and it takes a tenth of the time.
    instance.options.set({
      output_flag: false,
      solver: 'ipm',
      run_crossover: 'off',
      time_limit: TIME_LIMIT,
    });
    instance.run();
    const { rowDual } = instance.getSolution();
    return capacityRows.map((row) => (rowDual[row] ?? 0) * service.slots);
  });
}
