import type { Command } from 'commander';
import pc from 'picocolors';
import type { PublishedSweep } from './admin-client';
import { shortDuration } from './duration';
import { adminClient, serviceCommand, type ServiceOptions } from './service-options';

const HELP = `
The service sweeps by itself, once a minute: servers and tailnet devices with the stack's labels that no record knows.

  $ worker-pools sweep --dry-run --stack staging

With --json: { "stack", "at", "plan": { "deletions", "drains", "devices", "reasons" } or null }, at in seconds since 1970.
`;

/** What the service's sweep would take away, and why. */
export function sweepCommand(): Command {
  return serviceCommand('sweep', 'what the service’s next sweep would delete, and why')
    .option('--dry-run', 'say what would go; nothing is deleted by this command')
    .addHelpText('after', HELP)
    .action(async (options: ServiceOptions & { dryRun?: boolean }) => {
      if (!options.dryRun) {
        process.stderr.write(
          'The service sweeps by itself once a minute; there is nothing to start. `worker-pools sweep --dry-run` shows what would go, `worker-pools explain --kind sweep` what went.\n',
        );
        process.exitCode = 1;
        return;
      }
      const client = adminClient(options);
      const stack = await client.stack(options.stack);
      const published = await client.sweep(stack);
      const text = options.json
        ? JSON.stringify({ stack, ...published })
        : sweepText(stack, published, Date.now() / 1000);
      process.stdout.write(`${text}\n`);
    });
}

/** @param now seconds since 1970 */
export function sweepText(stack: string, { at, plan }: PublishedSweep, now: number): string {
  if (plan === null || at === null)
    return `${stack}: no sweep was planned yet; the first comes within a minute.`;
  const going = [
    ...plan.deletions.map(({ name, id, reason }) => `${pc.red('✗')} server ${name} (${id}): ${reason}`),
    ...plan.drains.map(({ worker, reason }) => `${pc.yellow('!')} drain of ${worker}: ${reason}`),
    ...plan.devices.map(({ hostname, reason }) => `${pc.red('✗')} device ${hostname}: ${reason}`),
  ];
  const told = new Set([...plan.deletions, ...plan.drains, ...plan.devices].map(({ reason }) => reason));
  const others = plan.reasons
    .filter((reason) => !told.has(reason))
    .map((reason) => `${pc.dim('·')} ${reason}`);
  const age = pc.dim(`(as it is since ${shortDuration(now - at)})`);
  const heading = going.length === 0 ? 'nothing would be deleted' : 'the next sweep takes away';
  return [`${pc.bold(stack)}: ${heading} ${age}`, ...going, ...others].join('\n');
}
