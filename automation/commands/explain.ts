import { type Command, Option } from 'commander';
import pc from 'picocolors';
import { adminClient, serviceCommand, type ServiceOptions } from './service-options';

/** The last decisions with their inputs and reasons. */
export function explainCommand(): Command {
  return serviceCommand('explain', 'the last decisions, updates and orders, with what they went by and why')
    .option('--pool <name>', 'of this pool only')
    .option('--worker <id>', 'that name this worker')
    .addOption(
      new Option('--kind <kind>', 'of this kind only').choices([
        'decision',
        'update',
        'command',
        'alarm',
        'sweep',
        'recovery',
        'leadership',
      ]),
    )
    .option('--limit <number>', 'how many', '10')
    .option('--inputs', 'show what each decision went by, too')
    .action(async (options: ServiceOptions & Filter) => {
      const client = adminClient(options);
      const stack = await client.stack(options.stack);
      const { pool, worker, kind, limit } = options;
      const entries = await client.audit(stack, {
        limit,
        ...(pool === undefined ? {} : { pool }),
        ...(worker === undefined ? {} : { worker }),
        ...(kind === undefined ? {} : { kind }),
      });
      if (options.json) {
        process.stdout.write(`${JSON.stringify(entries)}\n`);
        return;
      }
      if (entries.length === 0) process.stdout.write('Nothing of that kind is recorded yet.\n');
      for (const { at, pool: of, actor, kind: what, summary, detail } of entries.toReversed()) {
        const time = new Date(at * 1000).toISOString().replace('T', ' ').slice(0, 19);
        const whose = of === undefined ? '' : ` ${pc.bold(of)}`;
        process.stdout.write(`${pc.dim(time)} ${pc.cyan(what)}${whose} ${summary} ${pc.dim(`(${actor})`)}\n`);
        if (options.inputs) process.stdout.write(`${indented(JSON.stringify(detail, null, 2))}\n`);
      }
    });
}

interface Filter {
  pool?: string;
  worker?: string;
  kind?: string;
  limit: string;
  inputs?: boolean;
}

function indented(text: string): string {
  return text
    .split('\n')
    .map((line) => `    ${line}`)
    .join('\n');
}
