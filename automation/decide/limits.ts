import type { ApiAllowance, PricedPlacement, WorkerObservation } from './types';

/** Share of the vendor's request limit that launches leave alone: for deletions, which stop the bill, and a third of it for safety. */
const RESERVE = 0.3;

/** Launches that the vendor's request limit has room for. */
export function apiAllowance(api: ApiAllowance | undefined): number {
  if (api === undefined) return Infinity;
  return Math.max(0, Math.floor(api.remaining - RESERVE * api.limit));
}

/** Launches in this placement that the hourly budget has room for, beside the workers that are paid already. */
export function budgetAllowance(
  hourlyBudget: number | undefined,
  workers: readonly WorkerObservation[],
  placements: readonly PricedPlacement[],
  placement: PricedPlacement,
): number {
  if (hourlyBudget === undefined) return Infinity;
  const dearest = Math.max(...placements.map(({ price }) => price));
  // A worker of a type that the configuration no longer names is counted as the dearest: the budget is a ceiling.
  const priceOf = ({ serverType, location }: WorkerObservation): number =>
    placements.find((known) => known.serverType === serverType && known.location === location)?.price ??
    dearest;
  const spent = workers.reduce((sum, worker) => sum + priceOf(worker), 0);
  // A sum of prices is not exact: a budget of exactly n workers must hold n.
  return placement.price === 0
    ? Infinity
    : Math.max(0, Math.floor((hourlyBudget - spent) / placement.price + 1e-9));
}
