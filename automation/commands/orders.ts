import { type Command, InvalidArgumentError, Option } from 'commander';
import { parseDuration } from './duration';
import { adminClient, serviceCommand, type ServiceOptions, whoAmI } from './service-options';

/** Orders that a person gives to the running service. Each stands in the audit trail with who gave it. */
export function orderCommands(): Command[] {
  return [scale(), drain(), undrain(), rollout(), pause(), resume()];
}

/** An example of a command, and the shape of its answer. */
function example(...lines: readonly string[]): string {
  const shown = lines.map((line) => `  $ worker-pools ${line}`).join('\n');
  return `\n${shown}\n\nWith --json: { "stack", "done" }, done being a sentence.`;
}

function scale(): Command {
  return serviceCommand(
    'scale',
    'hold a pool at a size for a while, within its bounds; then its queue decides again',
  )
    .argument('<pool>')
    .argument('[size]', 'workers; left out together with --end', wholeNumber)
    .addOption(
      new Option('--for <duration>', 'how long, e.g. 90m, 8h, 2d; at most 7d')
        .argParser(parseDuration)
        .default(3600, '1h'),
    )
    .option('--end', 'end the hold now')
    .addHelpText('after', example('scale ci 6 --for 8h', 'scale ci --end'))
    .action(
      async (
        pool: string,
        size: number | undefined,
        options: ServiceOptions & { for: number; end?: boolean },
      ) => {
        const path = `pools/${pool}/scale`;
        if (options.end) return give(options, 'DELETE', `${path}?by=${encodeURIComponent(whoAmI())}`);
        if (size === undefined) throw new InvalidArgumentError('say the size, or --end to end a hold');
        const body = { size, forSeconds: options.for, by: whoAmI() };
        await give(options, 'POST', path, body);
      },
    );
}

function drain(): Command {
  return serviceCommand('drain', 'let a worker take no further jobs; the ones that run go on')
    .argument('<worker>')
    .option('--reason <text>', 'why, for the audit trail', 'ordered by hand')
    .addHelpText('after', example("drain ci-000a --reason 'disk errors'"))
    .action(async (worker: string, options: ServiceOptions & { reason: string }) => {
      const body = { by: whoAmI(), reason: options.reason };
      await give(options, 'POST', `workers/${worker}/drain`, body);
    });
}

function undrain(): Command {
  return serviceCommand('undrain', 'let a drained worker take jobs again')
    .argument('<worker>')
    .addHelpText('after', example('undrain ci-000a'))
    .action(async (worker: string, options: ServiceOptions) => {
      const body = { by: whoAmI() };
      await give(options, 'POST', `workers/${worker}/undrain`, body);
    });
}

function rollout(): Command {
  return serviceCommand(
    'rollout',
    'replace workers step by step, within the pool’s maxSurge and maxUnavailable',
  )
    .argument('<pool>')
    .argument('[workers...]', 'these workers, whatever their template; all drifted ones where none is named')
    .option('--stop', 'replace no more; those replaced already stay')
    .addHelpText('after', example('rollout ci', 'rollout ci ci-000a ci-000b', 'rollout ci --stop'))
    .action(async (pool: string, workers: string[], options: ServiceOptions & { stop?: boolean }) => {
      const path = `pools/${pool}/rollout`;
      if (options.stop) return give(options, 'DELETE', `${path}?by=${encodeURIComponent(whoAmI())}`);
      await give(options, 'POST', path, { workers, by: whoAmI() });
    });
}

function pause(): Command {
  return serviceCommand('pause', 'change nothing until resumed: the service goes on watching and explaining')
    .option('--reason <text>', 'why, for the audit trail', 'ordered by hand')
    .addHelpText('after', example("pause --reason 'maintenance of the queue'"))
    .action(async (options: ServiceOptions & { reason: string }) => {
      await give(options, 'POST', 'pause', { by: whoAmI(), reason: options.reason });
    });
}

function resume(): Command {
  return serviceCommand('resume', 'change pools again after a pause')
    .addHelpText('after', example('resume'))
    .action(async (options: ServiceOptions) => {
      await give(options, 'POST', 'resume', { by: whoAmI() });
    });
}

async function give(
  options: ServiceOptions,
  method: 'POST' | 'DELETE',
  path: string,
  body?: object,
): Promise<void> {
  const client = adminClient(options);
  const stack = await client.stack(options.stack);
  const done = await client.order(method, `/v1/stacks/${stack}/${path}`, body);
  process.stdout.write(`${options.json ? JSON.stringify({ stack, done }) : `${stack}: ${done}`}\n`);
}

function wholeNumber(text: string): number {
  if (!/^\d{1,6}$/.test(text)) throw new InvalidArgumentError('must be a whole number');
  return Number(text);
}
