import { appendFileSync, readFileSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import type * as Automation from '@pulumi/pulumi/automation';
import { InvalidArgumentError, Option, type Command } from 'commander';
import { ConfigError, type ConfigFault } from '../../components/model/errors';
import { createCensor } from '../censor';
import { checkStackFile } from '../commands/opened-stack';
import { engineSecrets, withSecretFiles } from '../settings';
import type * as Deploy from './deploy';
import { createGitHub, GitHubError, type GitHub } from './github';
import type * as LocalCloud from './local-cloud';
import { toMarkdown } from './markdown';
import { attributed, postComment, postDrift, pullRequestOf } from './post';
import type * as Preview from './preview';
import { exitCode, previewSchema, type Report } from './report';
import { toText } from './text';

const loadLater = createRequire(__filename);

const FORMATS: Record<string, (reports: readonly Report[]) => string> = {
  markdown: (reports) => reports.map((report) => toMarkdown(report)).join('\n'),
  json: (reports) => `${JSON.stringify({ version: 1, reports }, null, 2)}\n`,
  text: (reports) => reports.map(toText).join('\n'),
};

interface PreviewOptions {
  stack: string[];
  format: string;
  out?: string;
  policyPack?: boolean;
  refresh?: boolean;
  sandbox?: string;
}

/** `worker-pools preview` and what workflows do with it: `post-comment`, `post-drift`, `deploy`. */
export function addPreviewCommand(program: Command): void {
  program
    .command('preview')
    .description(
      'say what an update with this checkout would do, cost and break; exit code 0: nothing, 2: changes, 3: dangerous or against a policy, 1: failed',
    )
    .requiredOption('--stack <name>', 'stack to preview; may be given several times', collected)
    .addOption(new Option('--format <format>', 'how to say it').choices(Object.keys(FORMATS)).default('text'))
    .option('--out <file>', 'write the report there instead of on standard output')
    .option('--policy-pack', 'hold the plan against policy-pack/ too')
    .option('--refresh', 'compare with what the vendors have, not with what is recorded')
    .option(
      '--sandbox <checkout>',
      'preview on a local cloud, on which this other checkout is brought up first: for who has no credentials',
    )
    .addHelpText(
      'after',
      `
Secrets come from the environment, or from files (NAME_FILE), as for \`serve\`. Nothing is changed.

  $ worker-pools preview --stack staging --policy-pack`,
    )
    .action(preview);
  program
    .command('post-comment')
    .description(
      'in a workflow: post a report (--format json) to its pull request, one comment for each stack',
    )
    .requiredOption('--report <file>', 'what `preview --format json` wrote')
    .action(comment);
  program
    .command('post-drift')
    .description('in a workflow: keep one issue for each stack that is not what git says, from a report')
    .requiredOption('--report <file>', 'what `preview --refresh --format json` wrote')
    .action(drift);
  program
    .command('deploy')
    .description('pulumi up with this checkout; waits while another update holds the stack')
    .requiredOption('--stack <name>', 'stack to bring up')
    .option('--wait <minutes>', 'how long to wait for a held stack', minutes, 15)
    .addHelpText(
      'after',
      `
An update that would take workers away stops, unless WORKER_POOLS_ALLOW_REMOVAL names them.

  $ worker-pools deploy --stack staging --wait 30`,
    )
    .action(deploy);
}

async function preview({ stack: stacks, format, out, sandbox, ...options }: PreviewOptions): Promise<void> {
  // Loaded only here: they bring the engine's library along, which other commands need not wait for.
  const { previewStack } = loadLater('./preview') as typeof Preview;
  const { previewOnSandbox } = loadLater('./local-cloud') as typeof LocalCloud;
  const env = await engineEnvironment();
  const reports: Report[] = [];
  for (const stack of stacks) {
    const question = {
      stack,
      directory: process.cwd(),
      policyPack: options.policyPack ?? false,
      refresh: options.refresh ?? false,
      environment: env,
      censor: createCensor(...engineSecrets(env)),
      progress: (line: string) => log(`${stack}: ${line} …`),
    };
    reports.push(
      await (sandbox === undefined ? previewStack(question) : previewOnSandbox(question, sandbox)),
    );
  }
  const text = FORMATS[format]!(reports);
  if (out === undefined) process.stdout.write(text);
  else writeFileSync(out, text);
  process.exitCode = exitCode(reports);
}

async function comment({ report: file }: { report: string }): Promise<void> {
  const { reports } = previewSchema.parse(JSON.parse(readFileSync(file, 'utf8')));
  const github = workflowGitHub();
  const event: unknown = JSON.parse(readFileSync(variable('GITHUB_EVENT_PATH'), 'utf8'));
  const pullRequest = await pullRequestOf(event, github);
  if (pullRequest === undefined) {
    log('The pull request is closed or has moved on: there is nothing to comment on.');
    return;
  }
  for (const made of reports) {
    const report = attributed(made, event, variable('GITHUB_REPOSITORY'));
    try {
      log(`${report.stack}: comment ${await postComment(github, pullRequest, report)}.`);
    } catch (error) {
      if (!(error instanceof GitHubError && error.status === 403)) throw error;
      log(`${report.stack}: this token may not comment, so the report is in the job's summary.`);
      appendFileSync(variable('GITHUB_STEP_SUMMARY'), toMarkdown(report));
    }
  }
}

async function drift({ report: file }: { report: string }): Promise<void> {
  const { reports } = previewSchema.parse(JSON.parse(readFileSync(file, 'utf8')));
  const github = workflowGitHub();
  for (const report of reports) log(`${report.stack}: issue ${await postDrift(github, report)}.`);
}

async function deploy({ stack, wait }: { stack: string; wait: number }): Promise<void> {
  const { CommandError, ConcurrentUpdateError } = loadLater('@pulumi/pulumi/automation') as typeof Automation;
  const { holderOf, update } = loadLater('./deploy') as typeof Deploy;
  checkStackFile(process.cwd(), stack);
  try {
    await update({
      stack,
      directory: process.cwd(),
      environment: await engineEnvironment(),
      patience: wait * 60_000,
      output: (text) => void process.stdout.write(text),
      progress: (line) => log(`${stack}: ${line} …`),
    });
  } catch (error) {
    if (!(error instanceof CommandError)) throw error;
    // The engine has said everything else already.
    log(
      error instanceof ConcurrentUpdateError
        ? `${stack}: ${holderOf(error)} still holds the stack after ${wait} min. Nothing was changed.`
        : `${stack}: the update failed.`,
    );
    process.exitCode = 1;
  }
}

/** The engine's environment; the Automation API looks for the command on this process's own PATH. */
async function engineEnvironment(): Promise<Record<string, string>> {
  const faults: ConfigFault[] = [];
  const variables = withSecretFiles(process.env, faults);
  if (faults.length > 0) throw new ConfigError(faults, 'The stack was not opened.');
  const { ensureEngine } = await import('../../toolchain/ensure.mjs');
  const { env } = await ensureEngine({ log, env: variables });
  process.env['PATH'] = env['PATH'];
  return env;
}

function workflowGitHub(): GitHub {
  return createGitHub({
    url: process.env['GITHUB_API_URL'] ?? 'https://api.github.com',
    repository: variable('GITHUB_REPOSITORY'),
    token: variable('GITHUB_TOKEN'),
  });
}

function variable(name: string): string {
  const value = process.env[name];
  if (!value) throw new Error(`${name} is not set; this command is for workflows`);
  return value;
}

function log(line: string): void {
  process.stderr.write(`${line}\n`);
}

function collected(value: string, before: string[] = []): string[] {
  return [...before, value];
}

function minutes(value: string): number {
  const count = Number(value);
  if (!(count >= 0)) throw new InvalidArgumentError('must be a number of minutes');
  return count;
}
