import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseDocument } from 'yaml';
import { z } from 'zod';
import { render, userDataLimit, withoutSecrets, workerDocument } from '../cloud-init';
import { parseStackConfig } from '../components/model/config';
import { ConfigError } from '../components/model/errors';
import { workerId } from '../components/model/membership';
import { didYouMean } from '../components/model/near-matches';
import { CONFIG_NAMESPACE } from '../components/model/schema-faults';
import { workerMachine } from '../components/model/worker-machine';
import { readPublicKeys } from '../components/preflight/ssh-keys';

export interface RenderedPool {
  /** cloud-config as YAML. */
  text: string;
  /** Length as sent; secrets count with about their real length. */
  bytes: number;
  limit: number;
  sections: { name: string; bytes: number }[];
}

/** Long enough for every check of the configuration; never shown. */
const UNKNOWN_SECRET = 'secret'.repeat(8);
/** Workers are told that there is a queue, never which; an unknown address would not pass the checks. */
const SOME_QUEUE = { kind: 'slots' };
/** Range shown where another stack owns the network: its own is known only at run time. */
const UNKNOWN_NETWORK = '10.0.0.0/16';

/**
 * Renders a pool's user data from the stack's file alone: no credential and no passphrase is needed, because a secret is
 * never in it.
 * @param directory folder with `Pulumi.<stack>.yaml`
 * @throws ConfigError when the file is missing or wrong, or has no such pool
 */
export function renderPool(directory: string, stack: string, pool: string): RenderedPool {
  const config = parseStackConfig(stack, readStackFile(directory, stack));
  if (!config.pools[pool]) {
    const names = Object.keys(config.pools);
    throw new ConfigError([
      {
        path: '--pool',
        message: `stack ${stack} has no pool "${pool}".${didYouMean(pool, names)} There are: ${names.join(', ')}.`,
      },
    ]);
  }
  const { keys, faults } = readPublicKeys(config.access.sshKeys, directory);
  if (faults.length > 0) throw new ConfigError(faults);
  const network = config.network && ('stack' in config.network ? UNKNOWN_NETWORK : config.network.cidr);
  const machine = workerMachine(config, {
    environment: stack,
    pool,
    id: workerId(pool, 1),
    authorizedKeys: keys.map(({ line }) => line),
    networkCidr: network,
    authKey: config.access.connectivity === 'tailscale' ? UNKNOWN_SECRET : undefined,
  });
  const { bytes, sections } = render(workerDocument(machine));
  return {
    text: render(workerDocument(withoutSecrets(machine))).text,
    bytes,
    limit: userDataLimit,
    sections,
  };
}

/** The stack's own keys; `secure:` values stand as an unknown secret. @throws ConfigError */
function readStackFile(directory: string, stack: string): Record<string, unknown> {
  const name = `Pulumi.${stack}.yaml`;
  const text = readFileSync(join(directory, name), 'utf8');
  const document = parseDocument(text);
  const [fault] = document.errors;
  if (fault) throw new ConfigError([{ path: name, message: fault.message }]);
  const { config } = z
    .object({ config: z.record(z.string(), z.unknown()).default({}) })
    .parse(document.toJS());
  const prefix = `${CONFIG_NAMESPACE}:`;
  return Object.fromEntries(
    Object.entries(config)
      .filter(([key]) => key.startsWith(prefix))
      .map(([key, value]) => [key.slice(prefix.length), withoutSecure(value)]),
  );
}

function withoutSecure(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(withoutSecure);
  if (value === null || typeof value !== 'object') return value;
  if ('secure' in value) return UNKNOWN_SECRET;
  return Object.fromEntries(
    Object.entries(value).map(([key, inner]) => [
      key,
      key === 'queue' && hasSecure(inner) ? SOME_QUEUE : withoutSecure(inner),
    ]),
  );
}

function hasSecure(value: unknown): boolean {
  if (value === null || typeof value !== 'object') return false;
  return 'secure' in value || Object.values(value).some(hasSecure);
}
