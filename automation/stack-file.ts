import { statSync } from 'node:fs';
import { join } from 'node:path';
import { readConfigValues } from '../components/config-values';
import { parseStackConfig } from '../components/model/config';
import type { StackConfig } from '../components/model/config-schema';
import { ConfigError } from '../components/model/errors';
import { registrationSecrets, templateHashes } from '../components/model/worker-machine';
import { type Credentials, readCredentials } from '../components/preflight/credentials';
import { readPublicKeys } from '../components/preflight/ssh-keys';

/** What a stack's file says, decrypted. */
export interface StackSettings {
  readonly config: StackConfig;
  readonly credentials: Credentials;
  /** Each pool's stamp of today's template; undefined where only an update can tell, because another stack owns the network. */
  readonly hashes: ReadonlyMap<string, string> | undefined;
  /** Every value that must never be shown. */
  readonly secrets: readonly string[];
}

export interface StackFileParts {
  readonly environment: string;
  /** Folder with Pulumi.yaml. */
  readonly project: string;
  readonly variables: NodeJS.ProcessEnv;
  /** The stack's whole configuration, decrypted, by full key. */
  readConfig(): Promise<ReadonlyMap<string, string>>;
}

/** The stack's file as the service sees it: read again when it changed, and the last good one kept while it is wrong. */
export class StackFile {
  private settings: StackSettings | undefined;
  private stamp: string | undefined;
  /** What is wrong with the file as it is now; the settings are then those from before. */
  fault: string | undefined;

  constructor(private readonly parts: StackFileParts) {}

  /** The settings as they were read last. @throws Error before they ever were */
  get latest(): StackSettings {
    if (!this.settings) throw new Error(`the file of ${this.parts.environment} was not read yet`);
    return this.settings;
  }

  /** @throws ConfigError when it is wrong and never was right */
  async current(): Promise<StackSettings> {
    const stamp = this.readStamp();
    if (this.settings && stamp === this.stamp) return this.settings;
    try {
      this.settings = parseSettings(this.parts, await this.parts.readConfig());
      this.fault = undefined;
    } catch (error) {
      if (!(error instanceof ConfigError) || !this.settings) throw error;
      this.fault = error.message;
    }
    this.stamp = stamp;
    return this.settings;
  }

  /** Time of change, inode and size tell every way of editing apart, also a checkout that replaces the file. */
  private readStamp(): string {
    const { environment, project } = this.parts;
    const { mtimeMs, ino, size } = statSync(join(project, `Pulumi.${environment}.yaml`));
    return `${mtimeMs}/${ino}/${size}`;
  }
}

/** @throws ConfigError */
export function parseSettings(
  { environment, project, variables }: Omit<StackFileParts, 'readConfig'>,
  values: ReadonlyMap<string, string>,
): StackSettings {
  const config = parseStackConfig(environment, readConfigValues(Object.fromEntries(values)));
  const credentials = readCredentials(variables, (provider, key) => values.get(`${provider}:${key}`));
  const { keys, faults } = readPublicKeys(config.access.sshKeys, project);
  if (faults.length > 0) throw new ConfigError(faults);
  const isShared = config.network !== undefined && 'stack' in config.network;
  return {
    config,
    credentials,
    hashes: isShared
      ? undefined
      : templateHashes(config, {
          environment,
          authorizedKeys: keys.map(({ line }) => line),
          networkCidr: config.network && 'cidr' in config.network ? config.network.cidr : undefined,
        }),
    secrets: secretsOf(config, credentials),
  };
}

function secretsOf(config: StackConfig, { hetzner, tailscale, cloudflare }: Credentials): string[] {
  const queues = Object.values(config.pools).flatMap(({ queue }) => {
    if (!queue || queue.kind === 'slots') return [];
    const { username, password } = new URL(queue.url);
    return [decodeURIComponent(password), password, username === '' || password !== '' ? '' : username];
  });
  const headers = Object.values(config.pools).flatMap(({ queue }) =>
    queue?.kind === 'http' || queue?.kind === 'prometheus' ? Object.values(queue.headers ?? {}) : [],
  );
  const workloads = Object.values(config.pools).flatMap(({ workload }) =>
    Object.values(workload.container?.env ?? {}),
  );
  return [
    ...registrationSecrets(config),
    hetzner.token,
    tailscale.oauthClientSecret,
    tailscale.apiKey,
    cloudflare.token,
    ...queues,
    ...headers,
    ...workloads,
  ].filter((secret): secret is string => secret !== undefined && secret.length >= 8);
}
