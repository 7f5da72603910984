import { execFileSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Command, InvalidArgumentError } from 'commander';
import { benchmarkBoots } from './boot';
import { bootTable } from './boot/table';
import { benchmarkEngine } from './engine';
import { benchmarkHttp, httpTables } from './http';
import { benchmarkPolicy } from './policy';
import { benchmarkReaction } from './reaction';
import { reactionTable } from './reaction/table';
import { circumstances } from './report/circumstances';
import { replaceBetweenMarkers } from './report/document';
import { type Table, toMarkdown, toText } from './report/table';
import { benchmarkSoak } from './soak';
import { soakPlot, soakTable } from './soak/report';

const DOCUMENT = join(__dirname, '..', 'docs', 'performance.md');
const POLICY_DOCUMENT = join(__dirname, '..', 'docs', 'policy.md');
const POLICY_PLOT = join(__dirname, '..', 'docs', 'policy-pareto.svg');
const SOAK_PLOT = join(__dirname, '..', 'docs', 'performance-soak.svg');
/** Seeds below are for development. */
const FIRST_SEED = 1001;

interface EngineOptions {
  sizes: number[];
  runs?: number;
  write?: true;
}

interface ReactionOptions {
  sizes: number[];
  runs: number;
  json?: true;
  write?: true;
}

interface HttpOptions {
  seconds: number;
  workers: number;
  slots: number;
  json?: true;
  write?: true;
}

interface BootOptions {
  json?: true;
  write?: true;
}

interface SoakOptions {
  ticks: number;
  json?: true;
  write?: true;
}

interface PolicyOptions {
  seeds: number;
  days: number;
  write?: true;
}

const program = new Command('bench').description(
  'Measures the program; writes the figures into the documents.',
);
program
  .command('engine')
  .description('API calls, times and state of the program on the real engine, against the local cloud')
  .option('--sizes <list>', 'numbers of workers', sizeList, [10, 100, 300])
  .option('--runs <n>', 'times that each size is gone through', wholeNumber)
  .option('--write', 'write the tables into docs/performance.md')
  .action(engine);
program
  .command('reaction')
  .description('how soon the warm service asks for a server, and how long its updates take')
  .option('--sizes <list>', 'numbers of workers in the stack', sizeList, [10, 100])
  .option('--runs <n>', 'times that each size is measured', wholeNumber, 5)
  .option('--json', 'print every measurement as JSON instead of a table')
  .option('--write', 'write the table into docs/performance.md')
  .action(reaction);
program
  .command('policy')
  .description('cost and waits of the scaling policy against its peers and the least possible, by simulation')
  .option('--seeds <n>', 'traces of each workload; 30 for the full version', wholeNumber, 4)
  .option('--days <n>', 'days of each trace; 7 for the full version', wholeNumber, 1)
  .option('--write', 'write the tables into docs/policy.md and the plot beside it')
  .action(policy);
program
  .command('http')
  .description('times of the worker API under load, on a real PostgreSQL')
  .option('--seconds <n>', 'time that the load lasts', wholeNumber, 30)
  .option('--workers <n>', 'workers that send heartbeats', wholeNumber, 1000)
  .option('--slots <n>', 'requests for a slot a second', wholeNumber, 200)
  .option('--json', 'print the figures as JSON')
  .option('--write', 'write the table into docs/performance.md')
  .action(http);
program
  .command('soak')
  .description('memory of the service over many rounds in which its pool grows and shrinks')
  .option('--ticks <n>', 'rounds', wholeNumber, 10_000)
  .option('--json', 'print the samples as JSON instead of a table')
  .option('--write', 'write the table into docs/performance.md and the plot beside it')
  .action(soak);
program
  .command('boot')
  .description('from the creation of a worker to its registration, on machines that boot for real')
  .option('--json', 'print every unit’s time as JSON instead of a table')
  .option('--write', 'write the table into docs/performance.md')
  .action(boot);

// Files and child processes are cleared away when the process exits.
for (const [signal, code] of [
  ['SIGINT', 130],
  ['SIGTERM', 143],
] as const)
  process.on(signal, () => process.exit(code));

program.parseAsync().catch((error: unknown) => {
  process.stderr.write(`bench: ${error instanceof Error ? error.message : String(error)}\n`);
  process.exit(1);
});

async function engine({ sizes, runs, write }: EngineOptions): Promise<void> {
  const about = circumstances(commandLine(), new Date());
  const tables = await benchmarkEngine({
    sizes,
    runs,
    progress: progressFrom(Date.now()),
  });
  const all = [about, ...tables];
  process.stdout.write(`${all.map(toText).join('\n\n')}\n`);
  if (!write) return;
  writeTables(DOCUMENT, 'engine', all);
  process.stderr.write(`Written to ${DOCUMENT}.\n`);
}

async function reaction({ sizes, runs, json, write }: ReactionOptions): Promise<void> {
  const about = circumstances(commandLine(), new Date());
  const reactions = await benchmarkReaction({
    sizes,
    runs,
    progress: progressFrom(Date.now()),
  });
  const tables = [about, reactionTable(reactions)];
  process.stdout.write(json ? `${JSON.stringify({ reactions })}\n` : `${tables.map(toText).join('\n\n')}\n`);
  if (!write) return;
  writeTables(DOCUMENT, 'reaction', tables);
  process.stderr.write(`Written to ${DOCUMENT}.\n`);
}

async function boot({ json, write }: BootOptions): Promise<void> {
  const about = circumstances(commandLine(), new Date());
  const boots = await benchmarkBoots(progressFrom(Date.now()));
  const tables = [about, bootTable(boots)];
  process.stdout.write(json ? `${JSON.stringify(boots)}\n` : `${tables.map(toText).join('\n\n')}\n`);
  if (!write) return;
  writeTables(DOCUMENT, 'boot', tables);
  process.stderr.write(`Written to ${DOCUMENT}.\n`);
}

async function soak({ ticks, json, write }: SoakOptions): Promise<void> {
  const about = circumstances(commandLine(), new Date());
  const measured = await benchmarkSoak({
    rounds: ticks,
    progress: progressFrom(Date.now()),
  });
  const tables = [about, soakTable(measured)];
  process.stdout.write(json ? `${JSON.stringify(measured)}\n` : `${tables.map(toText).join('\n\n')}\n`);
  if (!write) return;
  writeTables(DOCUMENT, 'soak', tables);
  writeFileSync(SOAK_PLOT, soakPlot(measured));
  process.stderr.write(`Written to ${DOCUMENT} and ${SOAK_PLOT}.\n`);
}

async function http({ seconds, workers, slots, json, write }: HttpOptions): Promise<void> {
  const about = circumstances(commandLine(), new Date());
  const figures = await benchmarkHttp({
    seconds,
    workers,
    slotsPerSecond: slots,
    progress: (line) => process.stderr.write(`${line}\n`),
  });
  const all = [about, ...httpTables(figures)];
  process.stdout.write(`${json ? JSON.stringify(figures) : all.map(toText).join('\n\n')}\n`);
  if (!write) return;
  writeTables(DOCUMENT, 'http', all);
  process.stderr.write(`Written to ${DOCUMENT}.\n`);
}

async function policy({ seeds, days, write }: PolicyOptions): Promise<void> {
  const about = policyCircumstances(new Date());
  const { tables, plot } = await benchmarkPolicy({
    seeds: Array.from({ length: seeds }, (_, index) => FIRST_SEED + index),
    days,
    progress: progressFrom(Date.now()),
  });
  const all = [about, ...tables];
  process.stdout.write(`${all.map(toText).join('\n\n')}\n`);
  if (!write) return;
  writeTables(POLICY_DOCUMENT, 'policy', all);
  writeFileSync(POLICY_PLOT, plot);
  process.stderr.write(`Written to ${POLICY_DOCUMENT} and ${POLICY_PLOT}.\n`);
}

/** Shows what is being measured, and since how many seconds anything is. */
function progressFrom(started: number): (line: string) => void {
  return (line) => process.stderr.write(`${Math.round((Date.now() - started) / 1000)} s  ${line}\n`);
}

/** Replaces the tables between a document's markers of that name, and nothing else. */
function writeTables(document: string, marker: string, tables: readonly Table[]): void {
  const text = readFileSync(document, 'utf8');
  writeFileSync(document, replaceBetweenMarkers(text, marker, tables.map(toMarkdown).join('\n\n')));
}

/** Simulated figures depend on the code alone. */
function policyCircumstances(now: Date): Table {
  const git = (...args: string[]): string => execFileSync('git', args, { encoding: 'utf8' }).trim();
  const changed = git('status', '--porcelain', '--', 'automation/decide', 'simulation', 'bench/policy');
  const commit = git('rev-parse', '--short', 'HEAD');
  const rows = [
    ['date', now.toISOString().slice(0, 10)],
    ['command', `\`${commandLine()}\``],
    ['commit', changed === '' ? commit : `${commit}, with changes`],
  ];
  return { title: 'Circumstances', head: ['What', 'Value'], rows };
}

function commandLine(): string {
  return ['npm run bench --', ...process.argv.slice(2)].join(' ');
}

function sizeList(text: string): number[] {
  return text
    .split(',')
    .map(wholeNumber)
    .sort((a, b) => a - b);
}

function wholeNumber(text: string): number {
  const value = Number(text);
  if (!/^\d+$/.test(text) || value < 1) throw new InvalidArgumentError('give whole numbers from 1 up');
  return value;
}
