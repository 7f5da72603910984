import CliTable from 'cli-table3';
import { Command } from 'commander';
import { type Bound, offlineBound } from './bound';
import { bootRange, policyNames, seconds, share, wholeNumber } from './options';
import { policies } from './peers';
import { simulate } from './simulator';
import { readTrace, TraceError } from './traces';
import { DEFAULT_SCENARIO, type Outcome, type Scenario, type Trace } from './types';

interface Options {
  trace: string;
  policy: string[];
  targetWait: number;
  slots: number;
  boot: { min: number; max: number };
  seed: number;
  maxSize: number;
  neverReady: number;
  json?: true;
}

const command = new Command('simulate')
  .description(
    'Plays scaling policies against a trace of jobs, and compares their paid server-hours with the least possible.',
  )
  .requiredOption(
    '--trace <file>',
    'JSON { "jobs": [ { "arrival": s, "service": s }, … ], "horizon": s }, or CSV with a head line',
  )
  .option(
    '--policy <names>',
    `one or more of ${Object.keys(policies).join(', ')}`,
    policyNames(Object.keys(policies)),
    ['lease-slo'],
  )
  .option('--target-wait <seconds>', 'how long a job may wait', seconds, DEFAULT_SCENARIO.targetWait)
  .option('--slots <n>', 'jobs that a server runs at once', wholeNumber(1), DEFAULT_SCENARIO.slots)
  .option('--boot <min-max>', 'seconds until a server is ready (default: 60-180)', bootRange)
  .option(
    '--seed <n>',
    'the same seed draws the same boots and failures',
    wholeNumber(0),
    DEFAULT_SCENARIO.seed,
  )
  .option('--max-size <n>', 'most servers at a time', wholeNumber(1), DEFAULT_SCENARIO.maxSize)
  .option(
    '--never-ready <share>',
    'share of the servers that never become ready',
    share,
    DEFAULT_SCENARIO.neverReadyShare,
  )
  .option('--json', 'print { "bound": hours, "policies": { name: figures } } and nothing else')
  .showHelpAfterError('(--help lists the options)');

run(command.parse().opts<Options>()).catch((error: unknown) => {
  const expected = error instanceof TraceError || error instanceof RangeError;
  const text = expected || !(error instanceof Error) ? String(message(error)) : error.stack;
  process.stderr.write(`simulate: ${text}\n`);
  process.exitCode = 1;
});

async function run(options: Options): Promise<void> {
  const trace = readTrace(options.trace);
  const { targetWait, slots, boot = DEFAULT_SCENARIO.boot, seed, maxSize, neverReady } = options;
  const scenario: Scenario = {
    ...DEFAULT_SCENARIO,
    ...{ targetWait, slots, boot, seed, maxSize },
    neverReadyShare: neverReady,
  };
  const outcomes = options.policy.map((name) => {
    process.stderr.write(`${name}: ${trace.jobs.length} jobs\n`);
    return [name, figures(simulate(trace, policies[name]!, scenario))] as const;
  });
  process.stderr.write('the bound\n');
  const bound = await offlineBound(trace, { targetWait, slots, boot: boot.min });
  process.stdout.write(
    options.json
      ? `${JSON.stringify({ bound: bound.hours, policies: Object.fromEntries(outcomes) })}\n`
      : `${table(trace, bound, outcomes)}\n`,
  );
}

type Figures = Pick<
  Outcome,
  'hours' | 'lateShare' | 'p95Wait' | 'p99Wait' | 'maxWait' | 'launches' | 'busyDeletes' | 'unfinished'
>;

function figures(outcome: Outcome): Figures {
  const { hours, lateShare, p95Wait, p99Wait, maxWait, launches, busyDeletes, unfinished } = outcome;
  return { hours, lateShare, p95Wait, p99Wait, maxWait, launches, busyDeletes, unfinished };
}

function table(trace: Trace, bound: Bound, outcomes: readonly (readonly [string, Figures])[]): string {
  const rows = new CliTable({
    head: [
      'policy',
      'hours',
      '× bound',
      'late',
      'p95 wait',
      'p99 wait',
      'longest',
      'launches',
      'busy deleted',
    ],
    style: { head: [], border: [] },
  });
  for (const [name, { hours, lateShare, p95Wait, p99Wait, maxWait, launches, busyDeletes }] of outcomes) {
    const waits = [p95Wait, p99Wait, maxWait].map((wait) => `${Math.round(wait)} s`);
    rows.push([
      ...[name, String(hours), (hours / bound.hours).toFixed(2), `${(100 * lateShare).toFixed(1)} %`],
      ...[...waits, String(launches), String(busyDeletes)],
    ]);
  }
  return [
    `${trace.jobs.length} jobs in ${(trace.horizon / 3600).toFixed(1)} h`,
    rows.toString(),
    `No policy that starts every job in time pays less than ${bound.hours} server-hours; one that is late may.`,
  ].join('\n');
}

function message(error: unknown): unknown {
  return error instanceof Error ? error.message : error;
}
