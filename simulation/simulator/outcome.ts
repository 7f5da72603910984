import type { Outcome, ServerRecord, Trace } from '../types';
import type { Server } from './fleet';

const HOUR = 3600;

/** Started hours of one server; one that is deleted in the very second of its creation still costs one. */
export function startedHours({ created, deleted }: Pick<ServerRecord, 'created' | 'deleted'>): number {
  return Math.max(1, Math.ceil((deleted - created) / HOUR));
}

export interface Counts {
  readonly busyDeletes: number;
  readonly apiWrites: number;
  readonly unfinished: number;
}

/** Sums one run up, as of `end`. A job that never started has waited until then, and is late. */
export function sumUp(
  trace: Trace,
  targetWait: number,
  starts: readonly (number | undefined)[],
  fleet: readonly Server[],
  counts: Counts,
  end: number,
): Outcome {
  const servers = fleet.map(({ created, ready, deleted }): ServerRecord => ({
    created,
    ...(ready === undefined ? {} : { ready }),
    deleted: deleted ?? end,
  }));
  const waits = trace.jobs.map(({ arrival }, index) => (starts[index] ?? end) - arrival);
  const late = waits.filter((wait, index) => starts[index] === undefined || wait > targetWait).length;
  const sorted = Float64Array.from(waits).sort();
  return {
    hours: servers.reduce((sum, server) => sum + startedHours(server), 0),
    lateShare: trace.jobs.length === 0 ? 0 : late / trace.jobs.length,
    p95Wait: quantile(sorted, 0.95),
    p99Wait: quantile(sorted, 0.99),
    maxWait: sorted.at(-1) ?? 0,
    launches: servers.length,
    ...counts,
    starts,
    servers,
  };
}

/** The least value that is not exceeded by a share `q` of the values; 0 where there are none. */
function quantile(sorted: Float64Array, q: number): number {
  return sorted[Math.max(0, Math.ceil(q * sorted.length) - 1)] ?? 0;
}
