import { createHmac } from 'node:crypto';
import {
  defaultTraefikImage,
  hostKeyFromSeed,
  osOf,
  workerDocument,
  type WorkerMachine,
} from '../../cloud-init';
import type { StackConfig } from './config-schema';
import { isPrivateOnly } from './pool';
import { addressAt } from './cidr';
import { physicalName } from './names';

/** Bumped when the way of hashing changes: members stamped by an older version are not drifted by that alone. */
export const CONFIG_HASH_VERSION = 1;

/** Plain facts that a worker's document is made of besides the stack's configuration. */
export interface WorkerFacts {
  environment: string;
  pool: string;
  id: string;
  /** `authorized_keys` lines. */
  authorizedKeys: string[];
  /** Range of the private network, if the worker hangs on one. */
  networkCidr: string | undefined;
  /** Single-use tailnet key; undefined in direct mode. */
  authKey: string | undefined;
}

/** What the machine itself is told. */
export function workerMachine(config: StackConfig, facts: WorkerFacts): WorkerMachine {
  const { environment, pool: name, id } = facts;
  const pool = config.pools[name]!;
  const { docker, traefik, container } = pool.workload;
  const hostname = physicalName(environment, id);
  const needsDocker = docker || traefik || container !== undefined;
  const { registryMirrors } = config.machines;
  return {
    environment,
    pool: name,
    workerId: id,
    hostname,
    os: osOf(pool.image)!,
    ssh: {
      port: config.access.ssh.port,
      authorizedKeys: facts.authorizedKeys,
      hostKey: hostKey(config.registrationSecret, hostname),
    },
    ...surroundings(config),
    network:
      isPrivateOnly(pool) && facts.networkCidr !== undefined
        ? {
            kind: 'private-only',
            gateway: addressAt(facts.networkCidr, 1),
            cidr: facts.networkCidr,
            ...(config.machines.resolvers.length > 0 ? { resolvers: config.machines.resolvers } : {}),
          }
        : { kind: 'public' },
    ...(facts.authKey === undefined
      ? {}
      : { tailscale: { authKey: facts.authKey, tags: config.access.tags, ...config.access.tailscale } }),
    docker: needsDocker,
    ...(needsDocker && registryMirrors.length > 0 ? { registryMirrors } : {}),
    ...(traefik ? { traefik: { image: defaultTraefikImage } } : {}),
    ...(container ? { workload: { container: { ...container, env: sorted(container.env) } } } : {}),
    slots: pool.slots,
    ...(config.service
      ? { service: { url: config.service.url, token: workerToken(config.registrationSecret, facts) } }
      : {}),
  };
}

/** What every machine is told, the NAT machine too. */
export function surroundings({
  machines: { timeServers, trustedCertificates },
}: Pick<StackConfig, 'machines'>): Pick<WorkerMachine, 'timeServers' | 'trustedCertificates'> {
  return {
    ...(timeServers.length > 0 ? { timeServers } : {}),
    ...(trustedCertificates.length > 0 ? { trustedCertificates } : {}),
  };
}

/** By which tokens may be derived, newest first: while a secret is exchanged, machines and callers still have the old one's. */
export function registrationSecrets({
  registrationSecret,
  previousRegistrationSecret,
}: Pick<StackConfig, 'registrationSecret' | 'previousRegistrationSecret'>): string[] {
  return [
    registrationSecret,
    ...(previousRegistrationSecret === undefined ? [] : [previousRegistrationSecret]),
  ];
}

/** What a worker proves itself with to the service: derived, so nothing is stored and no two workers share one. */
export function workerToken(
  registrationSecret: string,
  { environment, pool, id }: Pick<WorkerFacts, 'environment' | 'pool' | 'id'>,
): string {
  return createHmac('sha256', registrationSecret).update(`worker/${environment}/${pool}/${id}`).digest('hex');
}

/** A machine's SSH host key: derived, so that its first connection can be verified already. */
export function hostKey(
  registrationSecret: string,
  hostname: string,
): { privateKey: string; publicKey: string } {
  const seed = createHmac('sha256', registrationSecret).update(`host-key/${hostname}`).digest();
  return hostKeyFromSeed(seed, hostname);
}

/**
 * Stamp of everything that a worker gets at its creation and that an edit can change, without what differs from
 * worker to worker. Keyed, because the workload's environment may hold secrets and the stamp is a public label.
 * 16 hexadecimal digits.
 */
export function configHash(
  config: StackConfig,
  facts: Pick<WorkerFacts, 'environment' | 'pool' | 'authorizedKeys' | 'networkCidr'>,
): string {
  const pool = config.pools[facts.pool]!;
  const machine = workerMachine(config, {
    ...facts,
    id: 'worker',
    authKey: config.access.connectivity === 'tailscale' ? 'auth-key' : undefined,
  });
  const template = {
    version: CONFIG_HASH_VERSION,
    document: workerDocument(machine).config,
    image: pool.image,
    publicNetwork: pool.publicNetwork,
    privateNetwork: facts.networkCidr ?? null,
    spread: pool.spread,
    sshKeys: facts.authorizedKeys,
  };
  return createHmac('sha256', config.registrationSecret)
    .update(canonical(template))
    .digest('hex')
    .slice(0, 16);
}

/** Each pool's stamp of today's template. */
export function templateHashes(
  config: StackConfig,
  facts: Pick<WorkerFacts, 'environment' | 'authorizedKeys' | 'networkCidr'>,
): Map<string, string> {
  return new Map(Object.keys(config.pools).map((pool) => [pool, configHash(config, { ...facts, pool })]));
}

/** By name, so that the order in the file is no difference between two documents. */
function sorted(env: Record<string, string>): Record<string, string> {
  return Object.fromEntries(Object.entries(env).sort(([a], [b]) => (a < b ? -1 : 1)));
}

/** JSON with sorted keys: the same template always gives the same text. */
function canonical(value: unknown): string {
  return JSON.stringify(value, (_key, inner: unknown) =>
    inner !== null && typeof inner === 'object' && !Array.isArray(inner)
      ? Object.fromEntries(Object.entries(inner).sort(([a], [b]) => (a < b ? -1 : 1)))
      : inner,
  );
}
