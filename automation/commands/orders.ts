import { type Command, InvalidArgumentError } from 'commander';
import { parseDuration } from './duration';
import { adminClient, serviceCommand, type ServiceOptions, whoAmI } from './service-options';

/** Orders that a person gives to the running service. Each stands in the audit trail with who gave it. */
export function orderCommands(): Command[] {
  return [scale(), drain(), undrain(), rollout(), pause(), resume()];
}

function scale(): Command {
  return serviceCommand(
    'scale',
    'hold a pool at a size for a while, within its bounds; then its queue decides again',
  )
    .argument('<pool>')
    .argument('[size]', 'workers; left out together with --end', wholeNumber)
    .option('--for <duration>', 'how long, e.g. 90m, 8h, 2d; at most 7d', parseDuration, 3600)
    .option('--end', 'end the hold now')
    .action(
      async (
        pool: string,
        size: number | undefined,
        options: ServiceOptions & { for: number; end?: boolean },
      ) => {
        const path = `pools/${pool}/scale`;
        if (options.end) return give(options, 'DELETE', `${path}?by=${encodeURIComponent(whoAmI())}`);
        if (size === undefined) throw new InvalidArgumentError('say the size, or --end');
        const body = { size, forSeconds: options.for, by: whoAmI() };
        await give(options, 'POST', path, body);
      },
    );
}

function drain(): Command {
  return serviceCommand('drain', 'let a worker take no further jobs; the ones that run go on')
    .argument('<worker>')
    .option('--reason <text>', 'why, for the audit trail', 'ordered by hand')
    .action(async (worker: string, options: ServiceOptions & { reason: string }) => {
      const body = { by: whoAmI(), reason: options.reason };
      await give(options, 'POST', `workers/${worker}/drain`, body);
    });
}

function undrain(): Command {
  return serviceCommand('undrain', 'let a drained worker take jobs again')
    .argument('<worker>')
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
    .action(async (pool: string, workers: string[], options: ServiceOptions & { stop?: boolean }) => {
      const path = `pools/${pool}/rollout`;
      if (options.stop) return give(options, 'DELETE', `${path}?by=${encodeURIComponent(whoAmI())}`);
      await give(options, 'POST', path, { workers, by: whoAmI() });
    });
}

function pause(): Command {
  return serviceCommand('pause', 'change nothing until resumed: the service goes on watching and explaining')
    .option('--reason <text>', 'why, for the audit trail', 'ordered by hand')
    .action(async (options: ServiceOptions & { reason: string }) => {
      await give(options, 'POST', 'pause', { by: whoAmI(), reason: options.reason });
    });
}

function resume(): Command {
  return serviceCommand('resume', 'change pools again after a pause').action(
    async (options: ServiceOptions) => {
      await give(options, 'POST', 'resume', { by: whoAmI() });
    },
  );
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
