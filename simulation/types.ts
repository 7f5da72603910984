import type { Observation } from '../automation/decide/types';

/** Times and durations are seconds from the start of the trace. */
export interface Job {
  readonly arrival: number;
  readonly service: number;
}

export interface Trace {
  /** Sorted by arrival. */
  readonly jobs: readonly Job[];
  /** The policy is asked at least until here; cost counts until every job has ended (see `simulate`). */
  readonly horizon: number;
}

/** Everything about the world that is not the trace. Same scenario and seed: same boots and faults for every policy. */
export interface Scenario {
  /** Seconds that a job may wait. */
  readonly targetWait: number;
  /** Jobs that one server runs at once. */
  readonly slots: number;
  /** A boot takes an even draw between these. */
  readonly boot: { readonly min: number; readonly max: number };
  readonly seed: number;
  /** Seconds between two decisions of the service; peers have intervals of their own. */
  readonly tick: number;
  readonly minSize: number;
  readonly maxSize: number;
  /** Share of the launches that never become ready. */
  readonly neverReadyShare: number;
  /** Age of what a policy reads from the queue. */
  readonly metricDelay: number;
  readonly placements: readonly { readonly serverType: string; readonly location: string }[];
  /** Windows in which a placement is sold out; the index is into `placements`. */
  readonly outages: readonly { readonly placement: number; readonly from: number; readonly to: number }[];
  /** Requests an hour that the vendor takes (bucket of that size, refilled evenly); none where absent. */
  readonly apiLimit?: number;
}

export const DEFAULT_SCENARIO: Scenario = {
  targetWait: 300,
  slots: 1,
  boot: { min: 60, max: 180 },
  seed: 1,
  tick: 10,
  minSize: 0,
  maxSize: 100,
  neverReadyShare: 0,
  metricDelay: 0,
  placements: [{ serverType: 'cx33', location: 'fsn1' }],
  outages: [],
};

/** The life of one simulated server. */
export interface ServerRecord {
  readonly created: number;
  /** Absent where it never became ready. */
  readonly ready?: number;
  /** The end of the run where it was never deleted. */
  readonly deleted: number;
}

export interface Outcome {
  /** Started server-hours. */
  readonly hours: number;
  /** Share of the jobs that waited longer than the target. */
  readonly lateShare: number;
  readonly p95Wait: number;
  readonly p99Wait: number;
  readonly maxWait: number;
  readonly launches: number;
  /** Deletions that hit a server with a running job. */
  readonly busyDeletes: number;
  /** Requests to create or delete. */
  readonly apiWrites: number;
  /** Jobs that had not ended when the run was given up. */
  readonly unfinished: number;
  /** Start of each job in the order of the trace; absent where it never started. */
  readonly starts: readonly (number | undefined)[];
  readonly servers: readonly ServerRecord[];
}

export interface Commands {
  /** Placements by index into the scenario's. */
  readonly launches: readonly number[];
  /** Deleted at once, whatever they run; their jobs go back to the head of the queue. */
  readonly removals: readonly string[];
  /** Take no further job. */
  readonly drains: readonly string[];
  /** Take no further job and are deleted as soon as they are idle. */
  readonly retirements: readonly string[];
  /** No longer draining. */
  readonly resumes: readonly string[];
}

export interface SimulatedPolicy {
  readonly name: string;
  /** One instance for each run. */
  create(scenario: Scenario): PolicyRun;
}

export interface PolicyRun {
  /** Seconds between two decisions. */
  readonly interval: number;
  decide(observation: Observation): Commands;
}
