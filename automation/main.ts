import { Command } from 'commander';
import { ConfigError } from '../components/model/errors';
import { ServiceError } from './commands/admin-client';
import { addPreviewCommand } from './review/command';
import { explainCommand } from './commands/explain';
import { orderCommands } from './commands/orders';
import { renderCommand } from './commands/render';
import { serveCommand } from './commands/serve';
import { statusCommand } from './commands/status';

const program = new Command('worker-pools').description(
  'Worker pools on Hetzner Cloud that follow their queues.',
);
const commands = [serveCommand(), statusCommand(), explainCommand(), ...orderCommands(), renderCommand()];
for (const command of commands) program.addCommand(command);

addPreviewCommand(program);

program.parseAsync().catch((error: unknown) => {
  if (!(error instanceof ConfigError || error instanceof ServiceError)) throw error;
  process.stderr.write(`${error.message}\n`);
  process.exitCode = 1;
});
