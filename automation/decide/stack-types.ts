import type { Placement } from '../../components/model/config-schema';
import type { WorkerView } from '../observe/types';
import type { DrainCause, Orders } from '../registry/types';
import type { PolicyState } from './state';
import type { ApiAllowance, LaunchFailure, PoolPolicy } from './types';

/** Everything that one tick's decision over all pools of a stack is made of. Times are seconds since 1970. */
export interface StackObservation {
  readonly now: number;
  readonly pools: Readonly<Record<string, PoolFacts>>;
  readonly api?: ApiAllowance;
  /** EUR gross that this calendar month (UTC) has cost so far, started hours in full; undefined where it is not known. */
  readonly spentThisMonth?: number;
  /** EUR gross an hour of what the stack has beside workers: its NAT machine. */
  readonly gatewayHourly?: number;
  readonly orders: Orders;
  /** Since when this process leads and hears the workers: silence before that says nothing about them. */
  readonly listeningSince: number;
  /** Drawn for this decision, in [0, 1): spreads what many would else do at the same moment. */
  readonly luck?: number;
}

export interface PoolFacts {
  /** The last good reading; undefined before the first. A pool without a queue has none and follows its minimum. */
  readonly queue?: {
    readonly observedAt: number;
    readonly waiting: number;
    readonly running?: number;
    /** Arrival of the oldest waiting job. */
    readonly oldest?: number;
  };
  readonly workers: readonly WorkerView[];
  readonly served: readonly number[];
  readonly waits?: readonly number[];
  readonly booted: readonly number[];
  readonly failures: readonly LaunchFailure[];
  /** Where launches succeeded since the last decision. */
  readonly launched: readonly Placement[];
}

export interface StackPolicy {
  /** In the file's order; budget is given out in this order. */
  readonly pools: Readonly<Record<string, ScaledPool>>;
  readonly hourlyBudget?: number;
  readonly monthlyBudget?: number;
}

export interface ScaledPool extends Omit<PoolPolicy, 'hourlyBudget'> {
  /** False: no queue belongs to it; its size is its minimum (a fixed pool has min = max). */
  readonly hasQueue: boolean;
  readonly rollout: { readonly maxSurge: number; readonly maxUnavailable: number };
}

/** Plain JSON, kept in the registry between ticks. */
export interface StackMemory {
  readonly pools: Readonly<Record<string, PoolMemory>>;
}

export interface PoolMemory {
  readonly policy: PolicyState;
  /** When a launch last succeeded, by `serverType/location`: one launch finds out about a placement that none did lately. */
  readonly proven: Readonly<Record<string, number>>;
  /** The account's limit or the vendor's request rate, where it stopped the latest launches. */
  readonly refused?: { readonly kind: 'limit' | 'rate'; readonly at: number };
}

/** Something that a person should know of; stays until it is no longer so. */
export interface Alarm {
  /** Stable and lower-case with hyphens, e.g. `queue-unreadable`, `budget-reached`, `workers-never-ready`. */
  readonly code: string;
  readonly pool?: string;
  readonly severity: 'warning' | 'critical';
  /** What is so, with numbers. */
  readonly message: string;
  /** What to do next. */
  readonly next: string;
}

export interface StackPlan {
  readonly launches: readonly ({ readonly pool: string } & Placement)[];
  /** Where to try next when a launch's placement has nothing left, by pool. */
  readonly alternatives: Readonly<Record<string, readonly Placement[]>>;
  /** Members that leave now. `idle`: cordoned, told so, and idle by a heartbeat since; to be asked once more under the
   *  lock. `useless`: never worked, or is provably gone, or silent for long. */
  readonly removals: readonly {
    readonly id: string;
    readonly pool: string;
    readonly because: 'idle' | 'useless';
    readonly reason: string;
  }[];
  /** Workers that shall take no further job. */
  readonly drains: readonly {
    readonly id: string;
    readonly pool: string;
    readonly cause: DrainCause;
    readonly reason: string;
  }[];
  readonly resumes: readonly string[];
  /** Per pool: the size that is wanted now, and why, in sentences with numbers. */
  readonly pools: Readonly<Record<string, { readonly desired: number; readonly reasons: readonly string[] }>>;
  readonly alarms: readonly Alarm[];
}

export interface StackDecision {
  readonly plan: StackPlan;
  readonly memory: StackMemory;
}
