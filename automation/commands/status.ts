import type { Command } from 'commander';
import { statusText } from './status-text';
import { adminClient, serviceCommand, type ServiceOptions } from './service-options';

const HELP = `
  $ worker-pools status --workers
  $ worker-pools status --stack staging --json | jq .status.pools.ci.desired

With --json: { "now", "verdict": { "level": "ok"|"warning"|"critical", "text" }, "status": what docs/service.md describes, or null }.
`;

/** What the service sees and does now. */
export function statusCommand(): Command {
  return serviceCommand('status', 'queues, pools, workers, cost and alarms as the service sees them now')
    .option('--workers', 'each worker, too')
    .addHelpText('after', HELP)
    .action(async (options: ServiceOptions & { workers?: boolean }) => {
      const client = adminClient(options);
      const published = await client.status(await client.stack(options.stack));
      const text = options.json
        ? JSON.stringify(published)
        : statusText(published, { workers: options.workers ?? false });
      process.stdout.write(`${text}\n`);
    });
}
