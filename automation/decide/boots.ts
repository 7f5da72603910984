import type { WorkerObservation } from './types';
import type { Parameters } from './parameters';
import type { PolicyState } from './state';

/** Launches that fail in a row before the template is thought to be broken. */
const FAILURES_TO_OPEN = 3;
/** While it is, one launch at this interval finds out whether it is healed, seconds. */
const PROBE_INTERVAL = 600;

/** The boot time that a new worker is planned with. */
export function usualBoot({ boots }: PolicyState, { bootQuantile, bootPrior }: Parameters): number {
  const sorted = boots.toSorted((a, b) => a - b);
  return sorted[Math.ceil(bootQuantile * sorted.length) - 1] ?? bootPrior;
}

/** By then every worker has tried again that nobody answered: its longest pause is a minute, and one try may be lost. */
const HEARD_AFTER = 120;

/**
 * Workers that say that their set-up has failed, and those whose boot has taken so long that it must have; of the latter
 * none as long as it may only be that nobody listened.
 */
export function neverReady(
  workers: readonly WorkerObservation[],
  { now, listeningSince = -Infinity }: { now: number; listeningSince?: number },
  state: PolicyState,
  parameters: Parameters,
): readonly WorkerObservation[] {
  const heard = now - listeningSince > HEARD_AFTER;
  const patience = heard ? longestBoot(state, parameters) : Infinity;
  return workers.filter(
    (worker) =>
      worker.state === 'booting' && (worker.failedStep !== undefined || bootAge(worker, now) > patience),
  );
}

/** Seconds within which a worker has to be ready. Before a boot was seen nobody knows what the pool's set-up takes. */
function longestBoot(state: PolicyState, parameters: Parameters): number {
  const { factor, min, max } = parameters.neverReady;
  if (state.boots.length === 0) return max;
  return Math.min(max, Math.max(min, factor * usualBoot(state, parameters)));
}

/** Why such a worker is removed. */
export function failureOf(
  worker: WorkerObservation,
  now: number,
  state: PolicyState,
  parameters: Parameters,
): string {
  if (worker.failedStep !== undefined) return `its set-up failed in step ${worker.failedStep}`;
  const usual =
    state.boots.length === 0
      ? 'no worker of its pool has been ready yet'
      : `${Math.round(usualBoot(state, parameters))} s is usual`;
  return `not ready after ${Math.round(bootAge(worker, now))} s; ${usual}`;
}

/** Seconds that a worker has had to boot. */
function bootAge({ bootingSince, created }: WorkerObservation, now: number): number {
  return now - (bootingSince ?? created);
}

/** Whether the template is thought to be broken. */
export function breakerOpen({ failedBoots }: PolicyState): boolean {
  return failedBoots >= FAILURES_TO_OPEN;
}

/** What is known once so many have been launched: after a boot that failed, each finds out whether the template is healed. */
export function probing(state: PolicyState, launches: number, now: number): PolicyState {
  return launches > 0 && state.failedBoots > 0 ? { ...state, probedAt: now } : state;
}

/** How many launches the breaker lets through: one probe at a time while nothing that is launched gets ready. */
export function breakerAllowance(
  state: PolicyState,
  workers: readonly WorkerObservation[],
  now: number,
): number {
  if (!breakerOpen(state)) return Infinity;
  if (workers.some(({ state }) => state === 'booting')) return 0;
  return now - (state.probedAt ?? -Infinity) >= PROBE_INTERVAL ? 1 : 0;
}
