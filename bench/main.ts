import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Command, InvalidArgumentError } from 'commander';
import { benchmarkEngine } from './engine';
import { circumstances } from './report/circumstances';
import { replaceBetweenMarkers } from './report/document';
import { toMarkdown, toText } from './report/table';

const DOCUMENT = join(__dirname, '..', 'docs', 'performance.md');

interface EngineOptions {
  sizes: number[];
  runs?: number;
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
  const started = Date.now();
  const tables = await benchmarkEngine({
    sizes,
    runs,
    progress: (line) => process.stderr.write(`${Math.round((Date.now() - started) / 1000)} s  ${line}\n`),
  });
  const all = [about, ...tables];
  process.stdout.write(`${all.map(toText).join('\n\n')}\n`);
  if (!write) return;
  const document = readFileSync(DOCUMENT, 'utf8');
  writeFileSync(DOCUMENT, replaceBetweenMarkers(document, 'engine', all.map(toMarkdown).join('\n\n')));
  process.stderr.write(`Written to ${DOCUMENT}.\n`);
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
