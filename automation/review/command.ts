import { writeFileSync } from 'node:fs';
import { Option, type Command } from 'commander';
import { createCensor } from '../censor';
import { toMarkdown } from './markdown';
import { previewStack } from './preview';
import { exitCode, type Report } from './report';
import { toText } from './text';

const FORMATS: Record<string, (reports: readonly Report[]) => string> = {
  markdown: (reports) => reports.map((report) => toMarkdown(report)).join('\n'),
  json: (reports) => `${JSON.stringify({ version: 1, reports }, null, 2)}\n`,
  text: (reports) => reports.map(toText).join('\n'),
};

interface Options {
  stack: string[];
  format: string;
  out?: string;
  policyPack?: boolean;
}

/** `worker-pools preview`: what a merge would do. */
export function addPreviewCommand(program: Command): void {
  program
    .command('preview')
    .description(
      'say what an update with this checkout would do, what it would cost and what it would break; exit code 0: nothing, 2: changes, 3: dangerous or against a policy, 1: failed',
    )
    .requiredOption('--stack <name>', 'stack to preview; may be given several times', collected)
    .addOption(new Option('--format <format>', 'how to say it').choices(Object.keys(FORMATS)).default('text'))
    .option('--out <file>', 'write the report there instead of on standard output')
    .option('--policy-pack', 'hold the plan against policy-pack/ too')
    .action(preview);
}

async function preview({ stack: stacks, format, out, policyPack = false }: Options): Promise<void> {
  const log = (line: string): void => void process.stderr.write(`${line}\n`);
  const { ensureEngine } = await import('../../toolchain/ensure.mjs');
  const { env } = await ensureEngine({ log });
  // The Automation API looks for the command on this process's PATH.
  process.env['PATH'] = env['PATH'];
  const reports: Report[] = [];
  for (const stack of stacks) {
    reports.push(
      await previewStack({
        stack,
        directory: process.cwd(),
        policyPack,
        environment: env,
        censor: createCensor(env['PULUMI_CONFIG_PASSPHRASE'], env['PULUMI_ACCESS_TOKEN']),
        progress: (line) => log(`${stack}: ${line} …`),
      }),
    );
  }
  const text = FORMATS[format]!(reports);
  if (out === undefined) process.stdout.write(text);
  else writeFileSync(out, text);
  process.exitCode = exitCode(reports);
}

function collected(value: string, before: string[] = []): string[] {
  return [...before, value];
}
