import { capacityOf, type Capacity } from './capacity';
import type { Parameters } from './parameters';
import { allInTime, leastWorkers, type Claim } from './projection';
import { expectedBursts } from './recurrence';
import { ServiceTimes } from './service-times';
import type { PolicyState } from './state';
import type { Observation, PoolPolicy } from './types';

/** From a decision to its requests, seconds. */
const REACTION = 10;

/** What has to be started by when, and what there is to start it on. */
export interface Outlook {
  readonly now: number;
  readonly boot: number;
  readonly capacity: Capacity;
  readonly services: ServiceTimes;
  readonly claims: readonly Claim[];
  /** Workers that the arrivals of the last quarter of an hour keep busy. */
  readonly load: number;
  /** Waiting and running jobs, and those that a recurring burst is about to bring. */
  readonly jobs: number;
}

export function outlook(
  observation: Observation,
  pool: PoolPolicy,
  state: PolicyState,
  boot: number,
  parameters: Parameters,
): Outlook {
  const { now } = observation;
  const services = new ServiceTimes(state.services);
  const capacity = capacityOf(observation, pool, boot, services);
  const patience = pool.targetWait * deadlineShare(state.tolerance, parameters);
  const claims = [
    ...waitingClaims(
      state.waiting,
      now + boot + REACTION,
      patience,
      parameters.recoveryShare * pool.targetWait,
    ),
    ...(parameters.forecast ? expectedClaims(state, now, boot, pool.tick, patience) : []),
  ];
  const load = (state.arrivalRate * services.mean) / pool.slots;
  return { now, boot, capacity, services, claims, load, jobs: claims.length + capacity.running };
}

function deadlineShare(tolerance: number, { deadlineShare: { least, slope, most } }: Parameters): number {
  return Math.min(most, least + slope * (tolerance - 1));
}

/** A job that no launch can save any more shall at least not wait much longer: so an overdue queue always recovers. */
function waitingClaims(
  waiting: readonly number[],
  earliestHelp: number,
  patience: number,
  recovery: number,
): Claim[] {
  return waiting.map((arrival) => {
    const deadline = arrival + patience;
    return { arrival, deadline: deadline < earliestHelp ? earliestHelp + recovery : deadline };
  });
}

/** Jobs of recurring bursts that begin before a worker launched now is ready, less those that have come already. */
function expectedClaims(
  { bursts, minutes }: PolicyState,
  now: number,
  boot: number,
  tick: number,
  patience: number,
): Claim[] {
  const came = minutes.at(-1) ?? 0;
  return expectedBursts(bursts, now - tick, now + boot + REACTION + tick).flatMap(({ at, jobs }) => {
    const left = at <= now ? Math.max(0, jobs - came) : jobs;
    const arrival = Math.max(now, at);
    return Array<Claim>(left).fill({ arrival, deadline: arrival + patience });
  });
}

export interface LaunchNeed {
  readonly workers: number;
  readonly reason: string;
}

/** New workers that the wait target needs: what the projection asks for, and no more than the tolerance allows. */
export function launchNeed(view: Outlook, pool: PoolPolicy, state: PolicyState): LaunchNeed {
  const { now, boot, claims, jobs, capacity, services } = view;
  const { slots, targetWait } = pool;
  const most = Math.ceil(claims.length / slots);
  const projected = leastWorkers(most, (workers) =>
    allInTime(claims, capacity.freeAt, services.mean, workers * slots, now + boot + REACTION),
  );
  const tolerated = Math.max(jobs > 0 ? 1 : 0, Math.ceil(jobs / (state.tolerance * slots))) - capacity.size;
  const oldest = now - (state.waiting[0] ?? now);
  const overdue = oldest > targetWait && capacity.booting === 0 ? 1 : 0;
  const workers = projected === 0 ? 0 : Math.max(0, overdue, Math.min(projected, tolerated));
  return {
    workers,
    reason:
      `${claims.length} waiting or expected and ${capacity.running} running jobs on ${capacity.size} workers: ` +
      `to start all within ${targetWait} s takes ${projected} more; at ${state.tolerance.toFixed(1)} jobs a slot, ` +
      `${Math.max(0, tolerated)} may be launched`,
  };
}
