import { leaseSlo, keda, policies } from '../../simulation/peers';
import { geometricMean } from '../../simulation/metrics';
import { DEVELOPMENT_WORKLOADS, CONTROL_WORKLOADS } from '../../simulation/traces';
import type { SimulatedPolicy } from '../../simulation/types';
import type { Table } from '../report/table';
import { paretoPlot, type Series } from './pareto';
import { type Case, type Circumstances, makeCase, play, pool, type Pooled, USUAL } from './runs';
import {
  ablationTable,
  circumstancesTable,
  costTable,
  elasticityTable,
  peersTable,
  targetsTable,
  type Measured,
} from './tables';
import { ablations, KEDA_TARGETS, kedaVariants } from './variants';

export interface PolicyBenchmark {
  /** Traces of each workload. */
  readonly seeds: readonly number[];
  /** Days of each trace. */
  readonly days: number;
  readonly progress: (line: string) => void;
}

const DEVELOPMENT = Object.keys(DEVELOPMENT_WORKLOADS);
const CONTROL = Object.keys(CONTROL_WORKLOADS);

/** Compares LEASE-SLO with the bound, with its peers and with itself without its parts. */
export async function benchmarkPolicy(options: PolicyBenchmark): Promise<{ tables: Table[]; plot: string }> {
  const usual = await cases([...DEVELOPMENT, ...CONTROL], options, USUAL);
  options.progress('peers');
  const measured = usual.map(({ workload, cases: own }): Measured => {
    const byName = new Map(Object.values(policies).map((policy) => [policy.name, all(own, policy)]));
    const tuned = (atHourEnd: boolean): [string, Pooled][] =>
      kedaVariants(atHourEnd).map((policy) => [policy.name, all(own, policy)]);
    return {
      ...{ workload, control: CONTROL.includes(workload), policies: byName },
      ...{ keda: new Map(tuned(false)), kedaAtHourEnd: new Map(tuned(true)) },
    };
  });
  const development = usual.filter(({ workload }) => DEVELOPMENT.includes(workload));
  options.progress('ablations');
  const changed = ablations().map((policy) => ({
    name: policy.name,
    pooled: development.map(({ cases: own }) => all(own, policy)),
  }));
  const tables = [
    targetsTable(measured.filter(({ control }) => !control)),
    costTable(measured),
    peersTable(measured, Object.keys(policies)),
    elasticityTable(measured),
    circumstancesTable(await underOther(options)),
    ablationTable(changed),
  ];
  return { tables, plot: plot(measured, development) };
}

async function cases(
  workloads: readonly string[],
  { seeds, days, progress }: PolicyBenchmark,
  circumstances: Circumstances,
): Promise<{ workload: string; cases: Case[] }[]> {
  const made: { workload: string; cases: Case[] }[] = [];
  for (const workload of workloads) {
    progress(`the bound of ${workload}`);
    const own: Case[] = [];
    for (const seed of seeds) own.push(await makeCase(workload, seed, days, circumstances));
    made.push({ workload, cases: own });
  }
  return made;
}

function all(own: readonly Case[], policy: SimulatedPolicy): Pooled {
  return pool(own.map((one) => play(one, policy)));
}

/** LEASE-SLO with other targets, slots and faults, on a third of the seeds. */
async function underOther(
  options: PolicyBenchmark,
): Promise<{ circumstances: Circumstances; pooled: Pooled[] }[]> {
  const fewer = { ...options, seeds: options.seeds.slice(0, Math.ceil(options.seeds.length / 3)) };
  const measured: { circumstances: Circumstances; pooled: Pooled[] }[] = [];
  for (const targetWait of [90, 300, 900]) {
    for (const slots of [1, 4]) {
      options.progress(`a target of ${targetWait} s on ${slots} slots`);
      for (const faults of [false, true]) {
        const circumstances = { targetWait, slots, faults };
        const quiet = { ...fewer, progress: () => {} };
        const made = await cases(DEVELOPMENT, quiet, circumstances);
        measured.push({ circumstances, pooled: made.map(({ cases: own }) => all(own, leaseSlo())) });
      }
    }
  }
  return measured;
}

/** LEASE-SLO over its target, KEDA over its own, and the others as they are. */
function plot(measured: readonly Measured[], development: readonly { cases: Case[] }[]): string {
  const point = (pooled: readonly Pooled[]): { x: number; y: number } => ({
    // A p95 below the service's tick is no wait that anyone plans with; a logarithm cannot show 0 either.
    x: geometricMean(pooled.map(({ p95 }) => Math.max(10, p95))),
    y: geometricMean(pooled.map(({ ratio }) => ratio)),
  });
  const inClass = measured.filter(({ control }) => !control);
  const targets = [120, 180, 240, 300, 450, 600, 900];
  const asked = (own: readonly Case[], targetWait: number): Case[] =>
    own.map((one) => ({ ...one, scenario: { ...one.scenario, targetWait } }));
  const series: Series[] = [
    {
      name: 'lease-slo, 120–900 s',
      points: targets.map((target) =>
        point(development.map(({ cases: own }) => all(asked(own, target), leaseSlo()))),
      ),
    },
    {
      name: 'keda, target 1–20',
      points: KEDA_TARGETS.map((target) =>
        point(inClass.map(({ keda: tuned }) => tuned.get(`target ${target}`)!)),
      ),
    },
    ...Object.keys(policies)
      .filter((name) => name !== leaseSlo().name && name !== keda().name)
      .map((name) => ({ name, points: [point(inClass.map(({ policies: byName }) => byName.get(name)!))] })),
  ];
  return paretoPlot('Cost and waiting time, all development workloads', series);
}
