/** A trace that cannot be simulated. The message names the file, the places and what would be right. */
export class TraceError extends Error {
  override name = 'TraceError';
}

/** More would only hide the first ones. */
const SHOWN = 8;

/** Longer is a mistake in the unit, not a trace. */
const LONGEST = 366 * 86_400;

export interface Row {
  /** Where it stands in the file, for a person: `jobs[3]`, `line 5`. */
  place: string;
  arrival: unknown;
  service: unknown;
}

/** What is wrong with the jobs and the horizon, in the order of the file. */
export function jobFaults(rows: readonly Row[], horizon: unknown): string[] {
  if (rows.length === 0) return ['there is no job in it'];
  const faults: string[] = [];
  let last = 0;
  for (const { place, arrival, service } of rows) {
    if (!isSeconds(arrival)) {
      faults.push(`${place}: arrival is ${show(arrival)}; it must be a number of seconds, 0 or more`);
    } else if (arrival < last) {
      faults.push(
        `${place}: arrival is ${show(arrival)}, before the ${show(last)} of the job above; sort the jobs by arrival`,
      );
    } else last = arrival;
    if (!isSeconds(service) || service === 0) {
      faults.push(`${place}: service is ${show(service)}; it must be a number of seconds above 0`);
    }
  }
  if (!isSeconds(horizon) || horizon === 0) {
    faults.push(`horizon is ${show(horizon)}; it must be a number of seconds above 0`);
  } else if (horizon < last) {
    faults.push(`horizon is ${show(horizon)}, before the last arrival at ${show(last)}`);
  } else if (horizon > LONGEST) {
    faults.push(
      `the trace is ${Math.round(horizon / 86_400)} days long, at most 366 are simulated; ` +
        'times are seconds from the start of the trace, not from 1970 and not milliseconds',
    );
  }
  return faults;
}

/** @throws TraceError when there are faults */
export function refuse(source: string, faults: readonly string[]): void {
  if (faults.length === 0) return;
  const more = faults.length - SHOWN;
  const lines = [...faults.slice(0, SHOWN), ...(more > 0 ? [`and ${more} more like these`] : [])];
  throw new TraceError(`${source} is not a trace:\n${lines.map((line) => `  ${line}`).join('\n')}`);
}

function isSeconds(value: unknown): value is number {
  return typeof value === 'number' && Number.isFinite(value) && value >= 0;
}

function show(value: unknown): string {
  if (value === undefined) return 'missing';
  return typeof value === 'number' ? String(value) : JSON.stringify(value);
}
