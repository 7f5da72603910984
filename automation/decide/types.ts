import type { Placement } from '../../components/model/config-schema';

/** What the policy may know of a pool at one moment. Times are seconds since 1970, durations seconds. */
export interface Observation {
  readonly now: number;
  readonly queue: QueueObservation;
  readonly workers: readonly WorkerObservation[];
  /** Waits of the jobs that started since the last decision; absent where the source cannot tell. */
  readonly waits?: readonly number[];
  /** Service times of the jobs that ended since the last decision. */
  readonly served?: readonly number[];
  /** Boot times of the workers that became ready since the last decision. */
  readonly booted?: readonly number[];
  /** What became of launches since the last decision, where they failed. */
  readonly failures?: readonly LaunchFailure[];
  /** Where launches succeeded since the last decision. */
  readonly launched?: readonly Placement[];
  /** Drawn for this decision, in [0, 1); the middle where absent. */
  readonly luck?: number;
  readonly api?: ApiAllowance;
  /** Since when the workers can be heard: one that got ready before has had nobody to say so to. Absent: always. */
  readonly listeningSince?: number;
}

export interface QueueObservation {
  /** When the queue was read; older than `now` where it could not be read since. */
  readonly observedAt: number;
  /** Jobs that wait for a worker; running ones are not counted. */
  readonly depth: number;
  /** Arrival of every waiting job, oldest first, where the source tells. */
  readonly arrivals?: readonly number[];
  /** Arrival of the oldest waiting job, where the source tells only that. */
  readonly oldest?: number;
}

export type WorkerState = 'booting' | 'ready' | 'draining';

export interface WorkerObservation {
  readonly id: string;
  readonly serverType: string;
  readonly location: string;
  /** The stack that holds it; absent for the environment's own stack. */
  readonly cell?: string;
  /** The server's own `created`: paid hours count from it. */
  readonly created: number;
  /** Since when it boots: the vendor may take long to make its machine. Absent: since `created`. */
  readonly bootingSince?: number;
  /** The step of its set-up that it says has failed: later ones are not run, so it does not get ready. */
  readonly failedStep?: string;
  readonly state: WorkerState;
  /** Since when each of its jobs runs. */
  readonly running: readonly number[];
  /** Drains for good, e.g. because its template is outdated: the policy never resumes it. */
  readonly leaving?: boolean;
}

export interface LaunchFailure {
  readonly placement: Placement;
  /** `sold-out`: no capacity there; `limit`: the account's limit; `rate`: too many requests; `other`: anything else. */
  readonly kind: 'sold-out' | 'limit' | 'rate' | 'other';
}

/** The vendor's request budget, from its RateLimit headers. */
export interface ApiAllowance {
  readonly limit: number;
  readonly remaining: number;
}

/** The bounds and wishes of one pool, from the stack's configuration. */
export interface PoolPolicy {
  readonly minSize: number;
  readonly maxSize: number;
  /** Jobs that one worker runs at once. */
  readonly slots: number;
  /** Seconds that a job may wait for a worker. */
  readonly targetWait: number;
  /** Idle workers kept ready at all times. */
  readonly standby: number;
  readonly schedule: readonly ScheduleWindow[];
  /** In order of preference. */
  readonly placements: readonly PricedPlacement[];
  /** EUR an hour that all of the pool's workers may cost together; no ceiling where absent. */
  readonly hourlyBudget?: number;
  /** Seconds between two decisions. */
  readonly tick: number;
  /** Most workers in one stack; one stack holds all where absent. */
  readonly cellSize?: number;
}

export interface PricedPlacement extends Placement {
  /** EUR a started hour. */
  readonly price: number;
  /** Whether the vendor's list has it; what is on it can be sold out all the same. */
  readonly available?: boolean;
}

export type Weekday = 'mon' | 'tue' | 'wed' | 'thu' | 'fri' | 'sat' | 'sun';

/** At least `min` workers between `from` and `to` (`HH:MM`, `24:00` allowed) on these days of this time zone. */
export interface ScheduleWindow {
  readonly days: readonly Weekday[];
  readonly from: string;
  readonly to: string;
  readonly timezone: string;
  readonly min: number;
}

/** What to do now. A worker is named in at most one of `removals`, `drains` and `resumes`. */
export interface Plan {
  readonly launches: readonly PlannedLaunch[];
  /** Where else to try, in this order, when the vendor has nothing left in a launch's placement. */
  readonly alternatives: readonly Placement[];
  /** Workers without a job, to be deleted; the caller asks once more whether they are idle. */
  readonly removals: readonly PlannedRemoval[];
  /** Workers that shall take no further job. */
  readonly drains: readonly PlannedRemoval[];
  /** Draining workers that shall take jobs again: paid for and needed. */
  readonly resumes: readonly string[];
  /** What was found and why, one sentence with numbers each. */
  readonly reasons: readonly string[];
}

export interface PlannedLaunch extends Placement {
  readonly cell?: string;
}

export interface PlannedRemoval {
  readonly id: string;
  readonly reason: string;
}
