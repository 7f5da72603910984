import type { Burst } from './recurrence';
import type { SoldOut } from './placement';
import { PARAMETERS } from './parameters';

/** What the policy remembers of a pool between decisions. Plain JSON, so that it survives a restart in the registry. */
export interface PolicyState {
  /** Jobs that a slot is trusted to take on within the target wait (see `learn.ts`). */
  readonly tolerance: number;
  /** The latest service times, oldest first. */
  readonly services: readonly number[];
  /** The latest boot times, oldest first. */
  readonly boots: readonly number[];
  /** Arrivals of the waiting jobs as far as known, oldest first. */
  readonly waiting: readonly number[];
  /** When the queue was last read. */
  readonly readAt?: number;
  /** Arrivals per second, smoothed. */
  readonly arrivalRate: number;
  /** Arrivals in each of the latest minutes, the current one last. */
  readonly minutes: readonly number[];
  /** Start of the current minute. */
  readonly minute: number;
  readonly bursts: readonly Burst[];
  readonly soldOut: readonly SoldOut[];
  /** No launch before this where every placement is sold out. */
  readonly soldOutProbeAt?: number;
  /** No launch before this, because the account's limit was met or the vendor asked for patience. */
  readonly launchesHeldUntil: number;
  /** Launches in a row that never became ready. */
  readonly failedBoots: number;
  /** Workers counted there that still exist. */
  readonly condemned: readonly string[];
  /** The latest launch while the breaker was open. */
  readonly probedAt?: number;
}

export const INITIAL_STATE: PolicyState = {
  tolerance: PARAMETERS.tolerance.initial,
  services: [],
  boots: [],
  waiting: [],
  arrivalRate: 0,
  minutes: [0],
  minute: 0,
  bursts: [],
  soldOut: [],
  launchesHeldUntil: 0,
  failedBoots: 0,
  condemned: [],
};
