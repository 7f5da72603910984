import type { Command } from 'commander';
import { statusText } from './status-text';
import { adminClient, serviceCommand, type ServiceOptions } from './service-options';

/** What the service sees and does now. */
export function statusCommand(): Command {
  return serviceCommand('status', 'queues, pools, workers, cost and alarms as the service sees them now')
    .option('--workers', 'each worker, too')
    .action(async (options: ServiceOptions & { workers?: boolean }) => {
      const client = adminClient(options);
      const status = await client.status(await client.stack(options.stack));
      process.stdout.write(
        options.json
          ? `${JSON.stringify(status)}\n`
          : `${statusText(status, { workers: options.workers ?? false, now: Date.now() / 1000 })}\n`,
      );
    });
}
