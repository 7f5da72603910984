import type { StackConfig } from '../../components/model/config-schema';
import { ConfigError } from '../../components/model/errors';
import {
  guardGateway,
  guardInterrupted,
  guardNetwork,
  guardRemoval,
  stragglers,
} from '../../components/model/plan';
import type { ExistingServer } from '../../components/preflight/hetzner';
import { labelledWorkers, privateWorkers } from '../../components/preflight/labelled-workers';
import type { Plan } from './plan';
import type { ResourceChange } from './report';

/** Kinds whose replacement interrupts what runs. */
const VITAL = ['server', 'network', 'subnet', 'route'];

/** What an update would stop at, and a preview only warns of. */
export interface Guards {
  faults: string[];
  /** The warnings as the program words them: they are told as dangers, not once more. */
  messages: string[];
}

/**
 * Asks every guard of the program about the plan.
 * @param allowed names whose removal was confirmed
 */
export function askGuards(
  config: StackConfig,
  { before, after }: Plan,
  servers: ExistingServer[],
  allowed: readonly string[],
): Guards {
  if (!after) return { faults: [], messages: [] };
  const left = stragglers(before?.membership, after.membership, labelledWorkers(servers));
  const errors = [
    () => guardRemoval(config, before?.membership ?? {}, after.membership, allowed),
    () => guardInterrupted(left, allowed),
    () => guardNetwork(before?.network, after.network, after.membership, allowed),
    () => guardGateway(config, privateWorkers(servers, after.membership), allowed),
  ].flatMap(refusal);
  return {
    faults: errors.flatMap(({ faults }) => faults.map(({ path, message }) => `${path}: ${message}`)),
    messages: errors.map(({ message }) => message),
  };
}

/** Replacements that interrupt what runs. What goes with its network is not told once more. */
export function replacements(resources: readonly ResourceChange[]): string[] {
  const vital = resources.filter(({ action, kind }) => action === 'replace' && VITAL.includes(kind));
  const network = vital.some(({ kind }) => kind === 'network');
  return vital
    .filter(({ kind }) => !network || kind === 'network' || kind === 'server')
    .map(({ kind, name, properties, takesDown }) => {
      const why =
        properties.length === 0 ? '' : ` (${properties.map((property) => property.name).join(', ')})`;
      return `${kind} ${name} would be replaced${why} and take down ${takesDown}`;
    });
}

function refusal(guard: () => void): ConfigError[] {
  try {
    guard();
    return [];
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    return [error];
  }
}
