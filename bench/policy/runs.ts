import { offlineBound } from '../../simulation/bound';
import { elasticity, type Elasticity, geometricMean, quantile } from '../../simulation/metrics';
import { simulate } from '../../simulation/simulator';
import { generateTrace } from '../../simulation/traces';
import { DEFAULT_SCENARIO, type Scenario, type SimulatedPolicy, type Trace } from '../../simulation/types';

/** What a pool is asked to do, and what goes wrong meanwhile. */
export interface Circumstances {
  readonly targetWait: number;
  readonly slots: number;
  /** One launch in a hundred never becomes ready, and the preferred placement is sold out for two hours a day. */
  readonly faults: boolean;
}

export const USUAL: Circumstances = { targetWait: 300, slots: 1, faults: false };

/** One day (or more) of a workload, with the least hours that serve it. */
export interface Case {
  readonly workload: string;
  readonly seed: number;
  readonly trace: Trace;
  readonly bound: number;
  readonly scenario: Scenario;
}

/** One policy on one case. */
export interface Played {
  readonly hours: number;
  readonly bound: number;
  readonly late: number;
  readonly waits: readonly number[];
  readonly busyDeletes: number;
  readonly elasticity: Elasticity;
}

const DAY = 86_400;

/** The same traces, boots and faults for every policy: common random numbers. */
export async function makeCase(
  workload: string,
  seed: number,
  days: number,
  { targetWait, slots, faults }: Circumstances,
): Promise<Case> {
  const trace = generateTrace(workload, seed, days);
  const scenario: Scenario = {
    ...DEFAULT_SCENARIO,
    ...{ targetWait, slots, seed },
    ...(faults && {
      neverReadyShare: 0.01,
      placements: [
        { serverType: 'cx33', location: 'fsn1' },
        { serverType: 'cx33', location: 'nbg1' },
      ],
      outages: Array.from({ length: days }, (_, day) => {
        const from = day * DAY + 9 * 3600;
        return { placement: 0, from, to: from + 7200 };
      }),
    }),
  };
  const bound = await offlineBound(trace, { targetWait, slots, boot: scenario.boot.min });
  return { workload, seed, trace, bound: bound.hours, scenario };
}

export function play({ trace, bound, scenario }: Case, policy: SimulatedPolicy): Played {
  const outcome = simulate(trace, policy, scenario);
  const end = outcome.servers.reduce((last, { deleted }) => Math.max(last, deleted), trace.horizon);
  return {
    hours: outcome.hours,
    bound,
    late: outcome.lateShare * trace.jobs.length,
    waits: trace.jobs.map(({ arrival }, index) => (outcome.starts[index] ?? end) - arrival),
    busyDeletes: outcome.busyDeletes,
    elasticity: elasticity(trace, outcome.servers, scenario.slots),
  };
}

/** A policy's runs on the seeds of one workload, taken together. */
export interface Pooled {
  /** Hours paid for each hour of the bound. */
  readonly ratio: number;
  readonly lateShare: number;
  readonly p95: number;
  readonly p99: number;
  readonly busyDeletes: number;
  readonly runs: readonly Played[];
}

export function pool(runs: readonly Played[]): Pooled {
  const sum = (of: (run: Played) => number): number => runs.reduce((total, run) => total + of(run), 0);
  const waits = runs.flatMap((run) => run.waits);
  return {
    ratio: sum((run) => run.hours) / sum((run) => run.bound),
    lateShare: sum((run) => run.late) / waits.length,
    p95: quantile(waits, 0.95),
    p99: quantile(waits, 0.99),
    busyDeletes: sum((run) => run.busyDeletes),
    runs,
  };
}

/** Share of late jobs up to which a policy counts as meeting the target. */
export const ALLOWED_LATE = 0.05;

export function meets({ lateShare }: Pooled): boolean {
  return lateShare <= ALLOWED_LATE;
}

/** Geometric mean over workloads. */
export function overall(pooled: readonly Pooled[]): number {
  return geometricMean(pooled.map(({ ratio }) => ratio));
}
