import { parseStackConfig } from '../../components/model/config';
import type { StackConfig } from '../../components/model/config-schema';
import { ConfigError } from '../../components/model/errors';

/** A configuration as a stack's file has it: plain data, as deep as YAML. */
export type Raw = Record<string, unknown>;

export const SECRET = 'registration-secret-0123456789abcdef';
/** A real key, whose private half nobody has. */
export const KEY_LINE =
  'ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIJ1pGfyXyKwOc0aYjM2bGqzMQ0m5C2n5m9GXJ3ZkQm7L someone@example.com';

export const ciPool: Raw = {
  size: { min: 0, max: 40 },
  slots: 4,
  image: 'debian-12',
  placements: [
    { serverType: 'cx33', location: 'fsn1' },
    { serverType: 'cpx32', location: 'nbg1' },
  ],
};

export const access: Raw = { connectivity: 'tailscale', sshKeys: [KEY_LINE], tags: ['tag:worker'] };

/** The least that is complete: a tailnet and one pool. */
export const least: Raw = { access, registrationSecret: SECRET, pools: { ci: ciPool } };

/** `least` with other pools. */
export function withPools(pools: Record<string, Raw>): Raw {
  return { ...least, pools };
}

/** `least` with its pool changed. */
export function withPool(changes: Raw): Raw {
  return withPools({ ci: { ...ciPool, ...changes } });
}

export function parsed(raw: Raw, environment = 'production'): StackConfig {
  return parseStackConfig(environment, raw);
}

/** What a person is told about a configuration, one line for each fault; nothing when it is right. */
export function faultsOf(raw: Raw, environment = 'production'): string[] {
  try {
    parseStackConfig(environment, raw);
    return [];
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    return error.faults.map(({ path, message }) => `${path}: ${message}`);
  }
}
