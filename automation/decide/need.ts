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
  const claims = [
    ...waitingClaims(state.waiting, now, boot, pool, parameters),
    ...expectedClaims(state, now, boot, pool, parameters),
  ];
  return { now, boot, capacity, services, claims, jobs: claims.length + capacity.running };
}

/** A job that no launch can save any more shall at least not wait much longer: so an overdue queue always recovers. */
function waitingClaims(
  waiting: readonly number[],
  now: number,
  boot: number,
  { targetWait }: PoolPolicy,
  { deadlineShare, recoveryShare }: Parameters,
): Claim[] {
  const rescued = now + boot + REACTION + recoveryShare * targetWait;
  const tooLate = now + boot + REACTION;
  return waiting.map((arrival) => {
    const deadline = arrival + deadlineShare * targetWait;
    return { arrival, deadline: deadline < tooLate ? rescued : deadline };
  });
}

function expectedClaims(
  { bursts, minutes }: PolicyState,
  now: number,
  boot: number,
  { targetWait, tick }: PoolPolicy,
  { deadlineShare, forecast }: Parameters,
): Claim[] {
  if (!forecast) return [];
  const came = minutes.at(-1) ?? 0;
  return expectedBursts(bursts, now - tick, now + boot + REACTION + tick).flatMap(({ at, jobs }) => {
    const left = at <= now ? Math.max(0, jobs - came) : jobs;
    const arrival = Math.max(now, at);
    return Array<Claim>(left).fill({ arrival, deadline: arrival + deadlineShare * targetWait });
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
