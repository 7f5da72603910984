import { createRequire } from 'node:module';
import { Command, Option } from 'commander';
import { createCensor } from '../censor';
import { systemClock } from '../clock';
import { createLog, type LogLevel } from '../log';
import { checkStackFile } from './opened-stack';
import type * as Service from '../service';
import { DEFAULT_ADMIN, DEFAULT_LISTEN, readSettings, type ServeFlags } from '../settings';

const loadLater = createRequire(__filename);

/** Runs until a signal, for weeks. */
export function serveCommand(): Command {
  return new Command('serve')
    .description('run the scaling service: pools follow their queues')
    .requiredOption('--stack <name>', 'stack to serve; give it again for more', collect)
    .option('--listen <host:port>', 'where workers and callers for slots reach it', DEFAULT_LISTEN)
    .option('--admin <host:port>', 'admin interface and page, on a loopback address', DEFAULT_ADMIN)
    .option(
      '--admin-name <host>',
      'name under which the admin interface is reached through a proxy on this machine, e.g. by `tailscale serve`; give it again for more',
      collect,
    )
    .option(
      '--data <folder>',
      'folder for its own files (default: $STATE_DIRECTORY, else ~/.local/state/worker-pools)',
    )
    .option('--dry-run', 'watch, decide and explain; change nothing')
    .addOption(
      new Option('--log-level <level>', 'least that is logged')
        .choices(['debug', 'info', 'warn', 'error'])
        .default('info'),
    )
    .addHelpText('after', HELP)
    .action(async (flags: ServeFlags & { logLevel: LogLevel }) => {
      // Everything that it and the engine write is for its user alone.
      process.umask(0o077);
      // Loaded only here: it brings the engine's library along, which takes longer than any other command.
      const { startService } = loadLater('../service') as typeof Service;
      for (const stack of flags.stack) checkStackFile(process.cwd(), stack);
      const settings = readSettings(flags, process.env, process.cwd());
      const censor = createCensor();
      const log = createLog(process.stderr, flags.logLevel, censor);
      const stop = stopSignal((signal) =>
        log.info('stopping', { signal, waitsFor: 'the update that runs, if any' }),
      );
      const surroundings = { clock: systemClock, random: Math.random, log, censor };
      const service = await startService(settings, surroundings);
      log.info('listening', {
        stacks: settings.stacks,
        workers: service.workersUrl,
        admin: service.adminUrl,
        dryRun: settings.dryRun,
      });
      await service.run(stop);
      await service.close();
      log.info('stopped');
    });
}

const HELP = `
Secrets come from the environment, or from files that only their owner can read: NAME or NAME_FILE for
WORKER_POOLS_DATABASE_URL, WORKER_POOLS_ADMIN_TOKEN, PULUMI_CONFIG_PASSPHRASE, PULUMI_ACCESS_TOKEN, AWS_ACCESS_KEY_ID,
AWS_SECRET_ACCESS_KEY, HCLOUD_TOKEN, TAILSCALE_OAUTH_CLIENT_SECRET, TAILSCALE_API_KEY, CLOUDFLARE_API_TOKEN. The stack's own configuration comes first.

  $ worker-pools serve --stack staging --listen 100.64.0.7:8470

Nothing is changed unless the stack says worker-pools:autoscaling: { enabled: true }.
SIGTERM or SIGINT once: the update that runs is finished, then the process ends.
`;

/** Aborts at the first signal. Further ones change nothing: an update that is cut off leaves work for a recovery. */
function stopSignal(told: (signal: NodeJS.Signals) => void): AbortSignal {
  const controller = new AbortController();
  for (const signal of ['SIGTERM', 'SIGINT'] as const) {
    process.on(signal, () => {
      told(signal);
      controller.abort();
    });
  }
  return controller.signal;
}

function collect(value: string, before: string[] = []): string[] {
  return [...before, value];
}
