import { type Command, InvalidArgumentError, Option } from 'commander';
import pc from 'picocolors';
import { auditKinds } from '../registry/types';
import type { AuditLine } from './admin-client';
import { adminClient, serviceCommand, type ServiceOptions } from './service-options';

const HELP = `
Times are UTC; the youngest comes last.

  $ worker-pools explain --pool ci --kind decision --limit 3 --inputs
  $ worker-pools explain --worker ci-000a

With --json: [{ "id", "at", "environment", "pool"?, "actor", "kind", "summary", "detail" }], the youngest first.
`;

/** The last decisions with their inputs and reasons. */
export function explainCommand(): Command {
  return serviceCommand('explain', 'the last decisions, updates and orders, with what they went by and why')
    .option('--pool <name>', 'of this pool only')
    .option('--worker <id>', 'that name this worker')
    .addOption(new Option('--kind <kind>', 'of this kind only').choices(auditKinds))
    .option('--limit <number>', 'how many, from 1 to 500', howMany, 10)
    .option('--inputs', 'show what each decision went by, too')
    .addHelpText('after', HELP)
    .action(async (options: ServiceOptions & Filter) => {
      const client = adminClient(options);
      const stack = await client.stack(options.stack);
      const { pool, worker, kind, limit } = options;
      const entries = await client.audit(stack, {
        limit: String(limit),
        ...(pool === undefined ? {} : { pool }),
        ...(worker === undefined ? {} : { worker }),
        ...(kind === undefined ? {} : { kind }),
      });
      if (options.json) {
        process.stdout.write(`${JSON.stringify(entries)}\n`);
        return;
      }
      process.stdout.write(`${explainText(entries, { inputs: options.inputs ?? false })}\n`);
    });
}

interface Filter {
  pool?: string;
  worker?: string;
  kind?: string;
  limit: number;
  inputs?: boolean;
}

/** @param entries youngest first; told in the order in which they happened */
export function explainText(entries: readonly AuditLine[], { inputs }: { inputs: boolean }): string {
  if (entries.length === 0) return 'Nothing of that kind is recorded yet.';
  return entries
    .toReversed()
    .flatMap(({ at, pool, actor, kind, summary, detail }) => {
      const time = new Date(at * 1000).toISOString().replace('T', ' ').slice(0, 19);
      const whose = pool === undefined ? '' : ` ${pc.bold(pool)}`;
      const line = `${pc.dim(time)} ${pc.cyan(kind)}${whose} ${summary} ${pc.dim(`(${actor})`)}`;
      return inputs ? [line, indented(JSON.stringify(detail, null, 2))] : [line];
    })
    .join('\n');
}

function howMany(text: string): number {
  const number = Number(text);
  if (/^\d+$/.test(text) && number >= 1 && number <= 500) return number;
  throw new InvalidArgumentError('must be a whole number from 1 to 500');
}

function indented(text: string): string {
  return text
    .split('\n')
    .map((line) => `    ${line}`)
    .join('\n');
}
