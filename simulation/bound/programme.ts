import type { ModelData } from 'highs';
import type { Job } from '../types';
import { Matrix } from './matrix';
import { kinks, LEASE, type Service } from './prices';
import type { WeightedJob } from './weights';

/** A linear programme, and which of its rows is the capacity of each interval from second 0 on. */
export interface Programme {
  readonly model: ModelData;
  readonly capacityRows: readonly number[];
}

/**
 * Fewest paid hours that serve the trace, relaxed to intervals of `width` seconds: in each, the jobs that run
 * (averaged over the interval) fit into the servers that are ready. Variables: servers launched and renewed for an hour
 * at each interval's edge, servers paid for in each interval, and for each job the share of it at each starting time.
 * @param width divides an hour
 */
export function programmeOf(
  jobs: readonly WeightedJob[],
  end: number,
  service: Service,
  width: number,
): Programme {
  const matrix = new Matrix();
  const intervals = Math.floor(end / width);
  const lease = LEASE / width;
  const boot = Math.floor(Math.min(service.boot, LEASE) / width);
  const capacityRows = Array.from({ length: intervals }, () => matrix.addRow(0, Infinity));
  // Servers may have been launched in the hour before the trace: a fresh one must be able to serve its first job.
  const first = 1 - lease;
  const paidRows = new Map(range(first, intervals).map((at) => [at, matrix.addRow(0, 0)]));
  const renewalRows = new Map(range(first, intervals).map((at) => [at, matrix.addRow(0, Infinity)]));

  for (const at of range(first, intervals)) {
    const hour = [
      [paidRows.get(at), -1],
      [paidRows.get(at + lease), 1],
      [renewalRows.get(at + lease), 1],
    ] as const;
    const booting = range(at, at + boot).map((interval) => [capacityRows[interval], -service.slots] as const);
    matrix.addColumn(1, [...hour, ...booting]);
    matrix.addColumn(1, [...hour, [renewalRows.get(at), -1]]);
    matrix.addColumn(0, [
      [paidRows.get(at), 1],
      [paidRows.get(at + 1), -1],
      [capacityRows[at], service.slots],
    ]);
  }
  for (const job of jobs) {
    const row = matrix.addRow(job.weight, job.weight);
    for (const start of kinks(job.arrival, job.arrival + service.targetWait, job.service, width)) {
      const places = occupied(start, job, width).map(([at, share]) => [capacityRows[at], -share] as const);
      matrix.addColumn(0, [[row, 1], ...places]);
    }
  }
  return { model: matrix.model(), capacityRows };
}

/** Share of each interval that the job fills when it starts then. */
function occupied(start: number, { service }: Job, width: number): (readonly [number, number])[] {
  const end = start + service;
  return range(Math.floor(start / width), Math.ceil(end / width)).map((at) => {
    const from = Math.max(start, at * width);
    const to = Math.min(end, (at + 1) * width);
    return [at, (to - from) / width];
  });
}

function range(from: number, to: number): number[] {
  return Array.from({ length: Math.max(0, to - from) }, (_, index) => from + index);
}
