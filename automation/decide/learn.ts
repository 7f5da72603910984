import type { Observation, PoolPolicy } from './types';
import type { Parameters } from './parameters';
import type { PolicyState } from './state';
import { recordMinute } from './recurrence';
import { followQueue } from './waiting';

const SERVICES_KEPT = 400;
const BOOTS_KEPT = 50;
const MINUTE = 60;
const MINUTES_KEPT = 180;
/** Time constant of the arrival rate, seconds: long enough to ride out single jobs, short enough to follow a morning. */
const RATE_MEMORY = 900;

/** What the observation teaches. The waiting jobs are part of the state from here on. */
export function learn(
  observation: Observation,
  pool: PoolPolicy,
  state: PolicyState,
  parameters: Parameters,
): PolicyState {
  const { queue } = observation;
  const { arrivals, waits: derived } = followQueue(queue, state.waiting, state.readAt);
  const waits = observation.waits ?? derived;
  const arrived = Math.max(0, arrivals.length - state.waiting.length + waits.length);
  return {
    ...state,
    ...countArrivals(arrived, observation.now, pool.tick, state),
    tolerance: waits.reduce(
      (tolerance, wait) => steer(tolerance, wait > pool.targetWait, parameters),
      state.tolerance,
    ),
    services: latest(state.services, observation.served, SERVICES_KEPT),
    boots: latest(state.boots, observation.booted, BOOTS_KEPT),
    waiting: arrivals,
    readAt: queue.observedAt,
  };
}

/**
 * One step of on-line quantile tracking: each late start lowers the tolerance, each one in time raises it a little,
 * and they balance where the share of late starts is the target (Robbins and Monro's stochastic approximation).
 */
function steer(
  tolerance: number,
  late: boolean,
  { lateTarget, toleranceGain, tolerance: bounds }: Parameters,
): number {
  const step = Math.exp(toleranceGain * (lateTarget - (late ? 1 : 0)));
  return Math.min(bounds.max, Math.max(bounds.min, tolerance * step));
}

function countArrivals(
  arrived: number,
  now: number,
  tick: number,
  state: PolicyState,
): Pick<PolicyState, 'arrivalRate' | 'minutes' | 'minute' | 'bursts'> {
  const elapsed = state.readAt === undefined ? tick : Math.max(0, now - state.readAt);
  const kept = Math.exp(-elapsed / RATE_MEMORY);
  const arrivalRate = state.arrivalRate * kept + (elapsed > 0 ? ((1 - kept) * arrived) / elapsed : 0);
  const minute = now - (now % MINUTE);
  const soFar = (state.minutes.at(-1) ?? 0) + arrived;
  if (minute === state.minute)
    return {
      ...state,
      arrivalRate,
      minutes: arrived === 0 ? state.minutes : [...state.minutes.slice(0, -1), soFar],
    };
  const usual = state.minutes.reduce((sum, jobs) => sum + jobs, 0) / state.minutes.length;
  return {
    arrivalRate,
    minutes: [...state.minutes.slice(0, -1), soFar, 0].slice(-MINUTES_KEPT),
    minute,
    bursts: recordMinute(state.bursts, state.minute, soFar, usual),
  };
}

function latest(kept: readonly number[], news: readonly number[] = [], limit: number): readonly number[] {
  return news.length === 0 ? kept : [...kept, ...news].slice(-limit);
}
