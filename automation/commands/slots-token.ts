import { Command } from 'commander';
import { ConfigError } from '../../components/model/errors';
import { slotToken } from '../http/tokens';
import { checkPool, openSettings, withStackOptions, type StackFlags } from './opened-stack';

const HELP = `
The token is derived from the stack's registrationSecret, so nothing is stored; it changes with that secret.

  $ worker-pools slots-token --stack staging --pool ci
  $ worker-pools slots-token --stack staging --pool ci --show | pass insert -m ci-slots

With --json: { "stack", "pool", "token" }
`;

/** What callers of a pool's slots prove themselves with. */
export function slotsTokenCommand(): Command {
  return withStackOptions(
    new Command('slots-token').description('print the bearer token for POST /v1/slots of a pool'),
  )
    .requiredOption('--pool <name>', 'pool whose slots the token is for')
    .option('--show', 'print it also where the output is no terminal, e.g. into a pipe')
    .addHelpText('after', HELP)
    .action(async (options: StackFlags & { pool: string; show?: boolean }) => {
      const { stack, pool, json } = options;
      if (!process.stdout.isTTY && !options.show) {
        throw new ConfigError(
          [
            {
              path: '--show',
              message: 'the output is no terminal; give --show where the token may go there',
            },
          ],
          'The token was not printed.',
        );
      }
      const { environment, config } = await openSettings(options);
      checkPool(config.pools, pool, stack);
      const { queue } = config.pools[pool]!;
      const token = slotToken(config.registrationSecret, { environment, pool });
      process.stderr.write(`${warning(environment, pool, queue?.kind)}\n`);
      process.stdout.write(`${json ? JSON.stringify({ stack: environment, pool, token }) : token}\n`);
    });
}

function warning(stack: string, pool: string, kind: string | undefined): string {
  const unused =
    kind === 'slots' ? '' : ` Note that the queue of ${pool} is not of kind slots: no caller needs it.`;
  return `Whoever has this token can take every slot of ${stack}/${pool}, and so make workers that cost money, up to the pool's max. It is good for no other pool. Treat it as a password.${unused}`;
}
