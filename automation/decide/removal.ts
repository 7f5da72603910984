import type { WorkerView } from '../observe/types';
import { isReady } from './members';
import { paidTimeLeft } from './release';
import type { StackParameters } from './stack-parameters';
import type { StackPlan } from './stack-types';
import type { Plan } from './types';

export type Removal = StackPlan['removals'][number];
export type Drain = StackPlan['drains'][number];

/**
 * Whether a worker said, after it was told to take no further job, that it runs none. Only then can it be deleted: what
 * it said before may be out of date by a job.
 */
export function isConfirmedIdle({ status, registered }: WorkerView, now: number, beatLife: number): boolean {
  if (status !== 'draining' || registered?.drain?.toldAt === undefined) return false;
  const { beatAt, busy, running, drain } = registered;
  if (beatAt === undefined || drain.toldAt === undefined) return false;
  return beatAt > drain.toldAt && now - beatAt <= beatLife && busy === 0 && running.length === 0;
}

/** Workers that drain for good, and are through with it. */
export function departures(
  leaving: readonly WorkerView[],
  now: number,
  { beatLife, policy: { hourEndMargin } }: StackParameters,
): Removal[] {
  return leaving
    .filter((worker) => isConfirmedIdle(worker, now, beatLife))
    .flatMap((worker): Removal[] => {
      const { id, pool, registered, created } = worker;
      const drain = registered?.drain;
      if (drain === undefined) return [];
      const left = Math.ceil(paidTimeLeft({ created }, now));
      // A person may look at what is drained by hand until its hour ends, and give it back.
      if (drain.cause === 'operator' && left > hourEndMargin) return [];
      const ends = drain.cause === 'operator' ? `, and its paid hour ends in ${left} s` : '';
      return [{ id, pool, because: 'idle', reason: `${drain.reason}; idle since it was told${ends}` }];
    });
}

/**
 * What the policy lets go, in the safe order: a worker that takes jobs is first told to stop, and leaves in a later
 * decision, if it then says that it is idle and the policy still lets it go.
 * @param least workers that stay ready: to the policy one that boots is as good, but it may never be ready
 */
export function release(
  { removals, drains }: Pick<Plan, 'removals' | 'drains'>,
  serving: readonly WorkerView[],
  now: number,
  least: number,
  { beatLife }: StackParameters,
): { removals: Removal[]; drains: Drain[] } {
  let spare = serving.filter(isReady).length - least;
  const byId = new Map(serving.map((worker) => [worker.id, worker]));
  const leaves: Removal[] = [];
  const stops: Drain[] = [];
  for (const { id, reason } of removals) {
    const worker = byId.get(id);
    if (worker === undefined) continue;
    const { pool, status } = worker;
    if (status === 'booting') leaves.push({ id, pool, because: 'useless', reason });
    else if (isConfirmedIdle(worker, now, beatLife)) leaves.push({ id, pool, because: 'idle', reason });
    else if (isReady(worker) && spare-- > 0) stops.push({ id, pool, cause: 'policy', reason });
  }
  for (const { id, reason } of drains) {
    const worker = byId.get(id);
    if (worker !== undefined && isReady(worker) && spare-- > 0)
      stops.push({ id, pool: worker.pool, cause: 'policy', reason });
  }
  return { removals: leaves, drains: stops };
}
