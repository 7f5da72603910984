import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Command, CommanderError } from 'commander';
import { catalogueCommand } from './commands/catalogue';
import { devicesCommand } from './commands/devices';
import { doctorCommand } from './commands/doctor';
import { explainCommand } from './commands/explain';
import { orderCommands } from './commands/orders';
import { renderCommand } from './commands/render';
import { serveCommand } from './commands/serve';
import { slotsTokenCommand } from './commands/slots-token';
import { statusCommand } from './commands/status';
import { sweepCommand } from './commands/sweep';
import { messageOf } from './failure';
import { addPreviewCommand } from './review/command';

const { version } = JSON.parse(readFileSync(join(__dirname, '..', 'package.json'), 'utf8')) as {
  version: string;
};
const program = new Command('worker-pools')
  .description('Worker pools on Hetzner Cloud that follow their queues.')
  .version(version)
  .showHelpAfterError('(--help shows what there is)')
  .addHelpText(
    'after',
    `
Begin with \`worker-pools doctor --stack NAME\`: it checks what a stack needs and says what to do.
Run it in the checkout, where Pulumi.yaml is. Exit code 0: done, 1: not done, with the reason on standard error.`,
  );
const commands = [
  serveCommand(),
  doctorCommand(),
  statusCommand(),
  explainCommand(),
  ...orderCommands(),
  catalogueCommand(),
  devicesCommand(),
  sweepCommand(),
  slotsTokenCommand(),
  renderCommand(),
];
for (const command of commands) program.addCommand(command.copyInheritedSettings(program));

addPreviewCommand(program);

program.parseAsync().catch((error: unknown) => {
  if (error instanceof CommanderError) process.stderr.write(`error: ${error.message}\n`);
  else process.stderr.write(`${messageOf(error)}\n`);
  process.exitCode = 1;
});
