import * as pulumi from '@pulumi/pulumi';
import { userDataLimit } from './cloud-init';
import { confirmedRemovals, stopOrWarn } from './components/confirmation';
import { readConfigValues } from './components/config-values';
import { membershipWithoutIntent } from './components/membership-without-intent';
import { parseStackConfig } from './components/model/config';
import { sizeBounds } from './components/model/pool';
import type { Placement, StackConfig } from './components/model/config-schema';
import { ConfigError } from './components/model/errors';
import { EMPTY_POOL, type Launch, type Membership } from './components/model/membership';
import { guardGateway, guardNetwork } from './components/model/plan';
import { userDataFaults, userDataSizes } from './components/model/user-data';
import { CONFIG_HASH_VERSION, templateHashes } from './components/model/worker-machine';
import { preflight, type Preflight, type PreflightQuestion } from './components/preflight';
import { readCredentials } from './components/preflight/credentials';
import { privateWorkers } from './components/preflight/labelled-workers';
import { readRecord, type StackOutputs } from './components/stack-record';
import { declareStack } from './components/stack-resources';

/** What a caller's intent is made from: the record, read while the stack's lock is held. */
export interface IntentBase {
  /** Empty pools for those that the file has and the record does not. */
  recorded: Membership;
  /** What a new member of the pool is launched as on a placement. */
  launchOf: (pool: string, placement: Placement) => Launch;
}

export interface DeployOptions {
  /** Says the membership that the caller wants; without it the recorded one stands, as for every human run. */
  intend?: (base: IntentBase) => Membership | Promise<Membership>;
  /** What the vendors answer, where the caller has asked them already, a moment ago and for this very file. */
  facts?: Promise<Preflight>;
  /** Logical names of what may be there although the caller heard that its creation failed. */
  lost?: ReadonlySet<string>;
  /** Milliseconds since the epoch. */
  now?: () => number;
  /** Folder that relative key files are looked up in. */
  directory?: string;
  environment?: NodeJS.ProcessEnv;
}

/**
 * The one program: declares everything of the current stack and returns its record. People and pull requests run it
 * through `index.ts`, the scaling service calls it with the membership it wants.
 * @throws ConfigError for everything that a person can put right, before the first resource is declared; Error when the
 *   caller's membership and the file do not speak of the same pools
 */
export async function deploy(options: DeployOptions = {}): Promise<StackOutputs> {
  const environment = pulumi.getStack();
  const variables = options.environment ?? process.env;
  const config = parseStackConfig(environment, readConfigValues());
  const question: PreflightQuestion = {
    environment,
    config,
    credentials: readCredentials(variables),
    directory: options.directory ?? process.cwd(),
    now: (options.now ?? Date.now)(),
    ...(options.lost && { lost: options.lost }),
  };
  const record = await readRecord();
  const knownPools = Object.keys(record?.membership ?? {});
  const facts = await (options.facts ?? preflight({ ...question, knownPools }));
  for (const warning of facts.warnings) void pulumi.log.warn(warning);

  await checkUserData(question, facts);
  const hashes = templateHashes(config, {
    environment,
    authorizedKeys: facts.sshKeys.map(({ key }) => key.line),
    networkCidr: networkRange(config, facts),
  });
  const membership = options.intend
    ? matching(await options.intend(intentBase(question, record?.membership, hashes)), config)
    : await membershipWithoutIntent(question, facts, record?.membership, hashes, variables);
  const network = networkOf(config);
  const confirmed = confirmedRemovals(variables);
  await stopOrWarn(() => guardNetwork(record?.network, network, membership, confirmed));
  await stopOrWarn(() => guardGateway(config, privateWorkers(facts.servers, membership), confirmed));
  await declareStack(question, facts, membership);
  return { membership, network, pools: describePools(config, hashes) };
}

function intentBase(
  { config, now }: PreflightQuestion,
  recorded: Membership = {},
  hashes: Map<string, string>,
): IntentBase {
  const empty = Object.keys(config.pools).map((pool) => [pool, EMPTY_POOL] as const);
  return {
    recorded: { ...Object.fromEntries(empty), ...recorded },
    launchOf: (pool, { serverType, location }) => ({
      serverType,
      location,
      configHash: hashes.get(pool)!,
      configHashVersion: CONFIG_HASH_VERSION,
      launchedAt: new Date(now).toISOString(),
      spread: config.pools[pool]!.spread,
    }),
  };
}

/**
 * The caller's membership, if it and the file speak of the same pools: one that is left out on either side may have
 * workers, and taking it for empty would delete them undrained.
 */
function matching(membership: Membership, config: StackConfig): Membership {
  const missing = Object.keys(config.pools).filter((pool) => membership[pool] === undefined);
  if (missing.length > 0)
    throw new Error(`the intended membership says nothing of pool ${missing.join(', ')}`);
  const dropped = Object.keys(membership).filter(
    (pool) => config.pools[pool] === undefined && membership[pool]!.members.length > 0,
  );
  if (dropped.length > 0) {
    throw new Error(
      `the stack's file has no pool ${dropped.join(', ')}, and the intended membership has workers in it`,
    );
  }
  return membership;
}

/** @throws ConfigError when Hetzner would refuse a pool's user data */
async function checkUserData({ environment, config }: PreflightQuestion, facts: Preflight): Promise<void> {
  const authorizedKeys = facts.sshKeys.map(({ key }) => key.line);
  const sizes = userDataSizes(config, {
    environment,
    authorizedKeys,
    networkCidr: networkRange(config, facts),
  });
  const faults = userDataFaults(sizes);
  if (faults.length > 0) throw new ConfigError(faults);
  for (const { pool, bytes } of sizes) {
    await pulumi.log.info(`pool ${pool}: user data ${bytes} of ${userDataLimit} bytes`);
  }
}

function networkRange(config: StackConfig, facts: Preflight): string | undefined {
  if (!config.network) return undefined;
  return 'stack' in config.network ? facts.sharedNetwork?.cidr : config.network.cidr;
}

/** What the record says of the network: the range of an own one, or the stack that owns it. */
function networkOf({ network }: StackConfig): string | null {
  if (!network) return null;
  return 'stack' in network ? network.stack : network.cidr;
}

function describePools(config: StackConfig, hashes: Map<string, string>): StackOutputs['pools'] {
  return Object.fromEntries(
    Object.entries(config.pools).map(([name, pool]) => [
      name,
      {
        ...sizeBounds(pool),
        slots: pool.slots,
        configHash: hashes.get(name)!,
        configHashVersion: CONFIG_HASH_VERSION,
      },
    ]),
  );
}
