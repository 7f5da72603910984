import type { Freshness } from './freshness';
import type { Outlook } from './need';
import { PAID_HOUR, type Parameters } from './parameters';
import { allInTime } from './projection';
import type { Observation, PlannedRemoval, PoolPolicy, WorkerObservation } from './types';

export interface Release {
  readonly removals: readonly PlannedRemoval[];
  readonly drains: readonly PlannedRemoval[];
  readonly resumes: readonly string[];
}

/** Seconds until the worker's paid hour ends, by the server's own `created`. */
export function paidTimeLeft({ created }: Pick<WorkerObservation, 'created'>, now: number): number {
  return PAID_HOUR - ((now - created) % PAID_HOUR);
}

const isIdle = ({ state, running }: WorkerObservation): boolean =>
  state !== 'booting' && running.length === 0;

/**
 * Workers that leave at the end of a paid hour: to delete one earlier saves nothing, and to keep an
 * idle one into the next hour buys no more than launching it again later would. The one whose hour ends first
 * goes first, and each only where all jobs still start in time without it and those that went before.
 */
export function releaseAtHourEnd(
  { now, workers }: Observation,
  view: Outlook,
  floor: number,
  parameters: Parameters,
): PlannedRemoval[] {
  const gone = new Set<string>();
  let size = view.capacity.size;
  const ending = workers
    .filter((worker) => isIdle(worker) && paidTimeLeft(worker, now) <= parameters.hourEndMargin)
    .toSorted((a, b) => paidTimeLeft(a, now) - paidTimeLeft(b, now));
  return ending.flatMap((worker) => {
    const serves = worker.state === 'ready';
    if (serves && size <= floor) return [];
    if (serves && !canDoWithout(view, gone, worker.id)) return [];
    gone.add(worker.id);
    if (serves) size -= 1;
    const left = Math.ceil(paidTimeLeft(worker, now));
    return [{ id: worker.id, reason: `idle, and its paid hour ends in ${left} s` }];
  });
}

/** Busy workers that stop taking jobs so that they are idle when their hour ends, where the others suffice. */
export function drainBeforeHourEnd(
  { now, workers }: Observation,
  view: Outlook,
  floor: number,
  leaving: ReadonlySet<string>,
  { boundaryDrain, drainReserve, hourEndMargin }: Parameters,
): PlannedRemoval[] {
  if (boundaryDrain === 0) return [];
  const least = Math.max(floor, Math.ceil(drainReserve * view.load));
  const lead = hourEndMargin + view.services.quantile(boundaryDrain);
  const gone = new Set(leaving);
  let size = view.capacity.size - leaving.size;
  return workers
    .filter(
      (worker) => worker.state === 'ready' && !leaving.has(worker.id) && paidTimeLeft(worker, now) <= lead,
    )
    .toSorted((a, b) => paidTimeLeft(a, now) - paidTimeLeft(b, now))
    .flatMap((worker) => {
      if (size <= least || !canDoWithout(view, gone, worker.id)) return [];
      gone.add(worker.id);
      size -= 1;
      const left = Math.ceil(paidTimeLeft(worker, now));
      return [{ id: worker.id, reason: `its paid hour ends in ${left} s and the others suffice` }];
    });
}

/** Draining workers that shall serve again: needed now, or still busy when their hour ended, and so paid anew. */
export function resume(
  { now, workers }: Observation,
  pool: PoolPolicy,
  view: Outlook,
  needed: number,
  { boundaryDrain, hourEndMargin }: Parameters,
): string[] {
  const lead = hourEndMargin + view.services.quantile(boundaryDrain) + pool.tick;
  const room = Math.max(0, pool.maxSize - view.capacity.size);
  return workers
    .filter(({ state, leaving }) => state === 'draining' && leaving !== true)
    .toSorted((a, b) => paidTimeLeft(b, now) - paidTimeLeft(a, now))
    .filter((worker, index) => index < needed || paidTimeLeft(worker, now) > lead)
    .slice(0, room)
    .map(({ id }) => id);
}

/** Workers above the greatest size: the idle ones go at once, the others when their jobs are done. */
export function shrinkToMaximum(
  { now, workers }: Observation,
  { maxSize }: PoolPolicy,
): { removals: PlannedRemoval[]; drains: PlannedRemoval[] } {
  const serving = workers.filter(({ state }) => state !== 'draining');
  const victims = serving
    .toSorted((a, b) => a.running.length - b.running.length || paidTimeLeft(a, now) - paidTimeLeft(b, now))
    .slice(0, Math.max(0, serving.length - maxSize))
    .map((worker) => ({
      worker,
      reason: `${serving.length} workers are more than the greatest size ${maxSize}`,
    }));
  const named = (busy: boolean): PlannedRemoval[] =>
    victims
      .filter(({ worker }) => worker.running.length > 0 === busy)
      .map(({ worker, reason }) => ({ id: worker.id, reason }));
  return { removals: named(false), drains: named(true) };
}

/** What may be released at all, by how far the queue's reading can be relied upon. */
export function mayRelease(freshness: Freshness): boolean {
  return freshness !== 'unknown';
}

/** Whether all jobs still start in time without this worker and those that are gone. */
export function canDoWithout(
  { capacity, claims, services }: Outlook,
  gone: ReadonlySet<string>,
  id: string,
): boolean {
  if (claims.length === 0) return true;
  const freeAt = [...capacity.byWorker].flatMap(([worker, slots]) =>
    worker === id || gone.has(worker) ? [] : slots,
  );
  return allInTime(claims, freeAt, services.mean);
}
