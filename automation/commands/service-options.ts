import { userInfo } from 'node:os';
import { Command, Option } from 'commander';
import { dataFolder, DEFAULT_ADMIN, readOwnAdminToken, withSecretFiles } from '../settings';
import { ConfigError, type ConfigFault } from '../../components/model/errors';
import { AdminClient } from './admin-client';

/** Where the running service is, and as whom to speak to it. */
export interface ServiceOptions {
  service: string;
  data?: string;
  stack?: string;
  json?: boolean;
}

/** A command that speaks to the running service. */
export function serviceCommand(name: string, description: string): Command {
  return new Command(name)
    .description(description)
    .addOption(
      new Option('--service <url>', 'admin interface of the running service').default(
        `http://${DEFAULT_ADMIN}`,
      ),
    )
    .option('--data <folder>', 'data folder of the service, where its admin token is, if it made its own')
    .option('--stack <name>', 'stack that is meant; may be left out where the service has only one')
    .option('--json', 'answer as JSON on standard output');
}

/**
 * The client for these options. The token is WORKER_POOLS_ADMIN_TOKEN (or …_FILE), else the one that the service on this
 * machine made for itself.
 * @throws ConfigError when there is none
 */
export function adminClient({ service, data }: ServiceOptions, variables = process.env): AdminClient {
  const faults: ConfigFault[] = [];
  const environment = withSecretFiles(variables, faults);
  if (faults.length > 0) throw new ConfigError(faults, 'The service was not asked.');
  const folder = data ?? dataFolder(variables);
  const token = environment['WORKER_POOLS_ADMIN_TOKEN'] ?? readOwnAdminToken(folder);
  if (token === undefined) {
    throw new ConfigError(
      [
        {
          path: 'WORKER_POOLS_ADMIN_TOKEN',
          message: `is not set, and ${folder} has no admin-token. Run this as the user that the service runs as, or give its token; \`worker-pools serve\` makes one at its first start`,
        },
      ],
      'The service was not asked.',
    );
  }
  return new AdminClient(service, token);
}

/** Who gives an order, for the audit trail. */
export function whoAmI(variables = process.env): string {
  return variables['SUDO_USER'] ?? variables['USER'] ?? variables['LOGNAME'] ?? userInfo().username;
}
