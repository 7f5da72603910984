import { Command } from 'commander';
import { ConfigError } from '../components/model/errors';
import { renderPool } from './render';

const program = new Command('worker-pools').description(
  'Worker pools on Hetzner Cloud that follow their queues.',
);

program
  .command('render')
  .description('show the cloud-config that a worker of a pool gets, with every secret blanked')
  .requiredOption('--stack <name>', 'stack whose file Pulumi.<name>.yaml is read')
  .requiredOption('--pool <name>', 'pool of that stack')
  .action(({ stack, pool }: { stack: string; pool: string }) => {
    const { text, bytes, limit, sections } = renderPool(process.cwd(), stack, pool);
    process.stdout.write(text);
    const shares = sections.map(({ name, bytes: share }) => `${name} ${share}`).join(', ');
    process.stderr.write(`\n${bytes} of ${limit} bytes as sent (gzip, base64): ${shares}\n`);
  });

program.parseAsync().catch((error: unknown) => {
  if (!(error instanceof ConfigError)) throw error;
  process.stderr.write(`${error.message}\n`);
  process.exitCode = 1;
});
