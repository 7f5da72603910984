import { stackConfigSchema, type StackConfig } from './config-schema';
import { ConfigError, type ConfigFault } from './errors';
import { ENVIRONMENT_NAME_LIMIT, NAME_PATTERN } from './names';
import { partialRelationFaults, relationFaults } from './config-relations';
import { schemaFaults } from './schema-faults';

/**
 * Checks everything under `worker-pools:` at once.
 * @param environment the stack's name; it becomes part of host names and labels
 * @param raw plain values by key, without the namespace
 * @throws ConfigError with every fault, each with its key path, what was given and what would be right
 */
export function parseStackConfig(environment: string, raw: Record<string, unknown>): StackConfig {
  const parsed = stackConfigSchema.safeParse(raw);
  if (!parsed.success) {
    throw new ConfigError([
      ...environmentFaults(environment),
      ...schemaFaults(parsed.error, raw),
      ...partialRelationFaults(raw),
    ]);
  }
  const faults = [...environmentFaults(environment), ...relationFaults(parsed.data)];
  if (faults.length > 0) throw new ConfigError(faults);
  return parsed.data;
}

function environmentFaults(environment: string): ConfigFault[] {
  if (NAME_PATTERN.test(environment) && environment.length <= ENVIRONMENT_NAME_LIMIT) return [];
  return [
    {
      path: `stack ${environment}`,
      message: `a stack's name becomes part of host names: use lower-case letters, digits and single hyphens, at most ${ENVIRONMENT_NAME_LIMIT} characters`,
    },
  ];
}
