import { Command } from 'commander';
import { renderPool } from '../render';
import { checkStackFile } from './opened-stack';

/** What a worker will be told, before it exists. */
export function renderCommand(): Command {
  return new Command('render')
    .description('show the cloud-config that a worker of a pool gets, with every secret blanked')
    .requiredOption('--stack <name>', 'stack whose file Pulumi.<name>.yaml is read')
    .requiredOption('--pool <name>', 'pool of that stack')
    .addHelpText(
      'after',
      `\nNeeds no passphrase and no service: secrets are never in it. Its size goes to standard error.\n\n  $ worker-pools render --stack staging --pool ci > cloud-config.yaml`,
    )
    .action(({ stack, pool }: { stack: string; pool: string }) => {
      checkStackFile(process.cwd(), stack);
      const { text, bytes, limit, sections } = renderPool(process.cwd(), stack, pool);
      process.stdout.write(text);
      const shares = sections.map(({ name, bytes: share }) => `${name} ${share}`).join(', ');
      process.stderr.write(`\n${bytes} of ${limit} bytes as sent (gzip, base64): ${shares}\n`);
    });
}
