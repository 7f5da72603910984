import { existsSync, readdirSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join, resolve } from 'node:path';
import type { Command } from 'commander';
import { ConfigError, type ConfigFault } from '../../components/model/errors';
import { didYouMean } from '../../components/model/near-matches';
import { createCensor } from '../censor';
import { dataFolder, withLogin, withSecretFiles } from '../settings';
import type * as Engine from '../apply/engine-stack';
import type * as File from '../stack-file';
import type { StackSettings } from '../stack-file';

const loadLater = createRequire(__filename);

/** A stack that is read here, without the service. */
export interface OpenedStack extends StackSettings {
  readonly environment: string;
}

export interface StackFlags {
  readonly stack: string;
  readonly data?: string;
  readonly json?: boolean;
}

/** A command that reads a stack's file itself. */
export function withStackOptions(command: Command): Command {
  return command
    .requiredOption('--stack <name>', 'stack whose file Pulumi.<name>.yaml is read')
    .option('--data <folder>', 'folder for the command’s own files; the service’s unless told otherwise')
    .option('--json', 'answer as JSON on standard output');
}

/**
 * Opens a stack's file with its secrets, by one run of the engine's command line.
 * @throws ConfigError with what is missing or wrong
 */
export async function openSettings(
  { stack, data }: StackFlags,
  variables = process.env,
  project = process.cwd(),
): Promise<OpenedStack> {
  checkStackFile(project, stack);
  const faults: ConfigFault[] = [];
  const environment = withLogin(withSecretFiles(variables, faults));
  if (faults.length > 0) throw new ConfigError(faults, 'The stack was not opened.');
  // Loaded only here: they bring the engine's library along.
  const { EngineStack } = loadLater('../apply/engine-stack') as typeof Engine;
  const { parseSettings } = loadLater('../stack-file') as typeof File;
  const opened = await EngineStack.open({
    stack,
    projectDirectory: project,
    environment,
    pulumiHome: join(resolve(data ?? dataFolder(variables)), 'pulumi'),
    censor: createCensor(),
    lockerStarted: () => undefined,
  });
  const parts = { environment: opened.name, project, variables: environment };
  return { ...parseSettings(parts, await opened.readConfig()), environment: opened.name };
}

/** @throws ConfigError where this is no checkout, and with near matches where it has no such stack */
export function checkStackFile(project: string, stack: string): void {
  const name = stack.split('/').at(-1)!;
  if (existsSync(join(project, 'Pulumi.yaml')) && existsSync(join(project, `Pulumi.${name}.yaml`))) return;
  throw new ConfigError([checkoutFault(project, name)], 'The stack was not opened.');
}

function checkoutFault(project: string, stack: string): ConfigFault {
  if (!existsSync(join(project, 'Pulumi.yaml'))) {
    return { path: 'Pulumi.yaml', message: `is not in ${project}; run this in the checkout` };
  }
  const names = stackNames(project);
  const there = names.length === 0 ? 'It has none.' : `There are: ${names.join(', ')}.`;
  return {
    path: '--stack',
    message: `${project} has no stack "${stack}": no file Pulumi.${stack}.yaml.${didYouMean(stack, names)} ${there}`,
  };
}

function stackNames(project: string): string[] {
  return readdirSync(project).flatMap((file) => /^Pulumi\.(.+)\.yaml$/.exec(file)?.slice(1) ?? []);
}

/** @throws ConfigError with near matches where the stack has no such pool */
export function checkPool(pools: object, pool: string, stack: string): void {
  const names = Object.keys(pools);
  if (names.includes(pool)) return;
  const message = `stack ${stack} has no pool "${pool}".${didYouMean(pool, names)} There are: ${names.join(', ')}.`;
  throw new ConfigError([{ path: '--pool', message }], 'Nothing was read.');
}
