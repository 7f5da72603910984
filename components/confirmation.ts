import * as pulumi from '@pulumi/pulumi';
import { ConfigError } from './model/errors';

/** A preview shows everything and warns; an update stops before anything changes. */
export async function stopOrWarn(guard: () => void): Promise<void> {
  try {
    guard();
  } catch (error) {
    if (!(error instanceof ConfigError) || !pulumi.runtime.isDryRun()) throw error;
    await pulumi.log.warn(error.message);
  }
}

/** Workers, pools or `network` whose removal a person has confirmed for this one run. */
export function confirmedRemovals(variables: NodeJS.ProcessEnv): string[] {
  return listed(variables['WORKER_POOLS_ALLOW_REMOVAL']);
}

/** A comma-separated list of names. */
export function listed(list: string | undefined): string[] {
  return (list ?? '')
    .split(',')
    .map((name) => name.trim())
    .filter(Boolean);
}
