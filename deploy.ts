import * as pulumi from '@pulumi/pulumi';
import { userDataLimit } from './cloud-init';
import { readConfigValues } from './components/config-values';
import { Dns, dnsSuffix } from './components/dns';
import { isPrivateOnly, parseStackConfig, sizeBounds } from './components/model/config';
import type { StackConfig } from './components/model/config-schema';
import { ConfigError } from './components/model/errors';
import type { Launch, Membership } from './components/model/membership';
import { physicalName } from './components/model/names';
import { adopt, guardInterrupted, guardRemoval, planMembership, stragglers } from './components/model/plan';
import { userDataFaults, userDataSizes } from './components/model/user-data';
import { CONFIG_HASH_VERSION, configHash, hostKey } from './components/model/worker-machine';
import { NatGateway } from './components/nat-gateway';
import { PoolNetwork } from './components/pool-network';
import { checkTags, preflight, type Preflight, type PreflightQuestion } from './components/preflight';
import { configuredTailscale, readCredentials } from './components/preflight/credentials';
import { labelledWorkers, serverIds } from './components/preflight/labelled-workers';
import { choosePlacement } from './components/preflight/placements';
import { tailnetCleanup, type CheckAccess } from './components/readiness';
import { SshAccess } from './components/ssh-access';
import { withoutStackTraces } from './components/stack-traces';
import { recordedMembership, type StackOutputs } from './components/stack-record';
import { WorkerPool } from './components/worker-pool';

export interface DeployOptions {
  /** The membership that the caller wants; without one the recorded one stands, as for every human run. */
  membership?: Membership;
  /** Milliseconds since the epoch. */
  now?: () => number;
  /** Folder that relative key files are looked up in. */
  directory?: string;
  environment?: NodeJS.ProcessEnv;
}

/**
 * The one program: declares everything of the current stack and returns its record. People and pull requests run it
 * through `index.ts`, the scaling service calls it with the membership it wants.
 * @throws ConfigError for everything that a person can put right, before the first resource is declared
 */
export async function deploy(options: DeployOptions = {}): Promise<StackOutputs> {
  const environment = pulumi.getStack();
  const config = parseStackConfig(environment, readConfigValues());
  const question: PreflightQuestion = {
    environment,
    config,
    credentials: readCredentials(options.environment),
    directory: options.directory ?? process.cwd(),
    now: (options.now ?? Date.now)(),
  };
  const recorded = await recordedMembership();
  const facts = await preflight(question);
  for (const warning of facts.warnings) void pulumi.log.warn(warning);

  await checkUserData(question, facts);
  const hashes = templateHashes(question, facts);
  const membership =
    options.membership ??
    (await planForHuman(question, facts, recorded, hashes, options.environment ?? process.env));
  withoutStackTraces(() => declare(question, facts, membership));
  return { membership, pools: describePools(config, hashes) };
}

/** Follows the record; what would take workers away by accident is a warning in a preview and stops an update. */
async function planForHuman(
  question: PreflightQuestion,
  facts: Preflight,
  recorded: Membership | undefined,
  hashes: Map<string, string>,
  variables: NodeJS.ProcessEnv,
): Promise<Membership> {
  const { config, now } = question;
  const existing = labelledWorkers(facts.workers);
  const adopted = existing.filter(({ member }) => names(variables['WORKER_POOLS_ADOPT']).includes(member.id));
  const before = adopt(recorded, adopted);
  const planned = planMembership({
    config,
    recorded: adopted.length === 0 ? recorded : before,
    launchOf: (pool): Launch => ({
      ...choosePlacement(config.pools[pool]!.placements, facts.serverTypes),
      configHash: hashes.get(pool)!,
      configHashVersion: CONFIG_HASH_VERSION,
      launchedAt: new Date(now).toISOString(),
      spread: config.pools[pool]!.spread,
    }),
  });
  const allowed = names(variables['WORKER_POOLS_ALLOW_REMOVAL']);
  await stopOrWarn(() => guardRemoval(config, before, planned, allowed));
  await stopOrWarn(() => guardInterrupted(stragglers(recorded, planned, existing), allowed));
  if (!pulumi.runtime.isDryRun() && config.access.connectivity === 'tailscale' && launches(before, planned)) {
    await checkTags(question);
  }
  return planned;
}

/** Declares the resources; everything that decides how many there are is plain by now. */
function declare(question: PreflightQuestion, facts: Preflight, membership: Membership): void {
  const { environment, config } = question;
  const cleanup =
    config.access.connectivity === 'tailscale'
      ? [
          tailnetCleanup('tailnet-cleanup', {
            environment,
            // The record remembers pools that the file has dropped: their devices go with the stack too.
            pools: Object.keys({ ...membership, ...config.pools }),
            tags: config.access.tags,
            tailscale: configuredTailscale(),
          }),
        ]
      : [];
  const access = new SshAccess('ssh', { environment, keys: facts.sshKeys });
  const network = declareNetwork(question, facts, access, cleanup);
  const dns =
    config.dns && facts.zoneId
      ? { zoneId: facts.zoneId, suffix: dnsSuffix(config.dns, environment) }
      : undefined;

  const pools = Object.keys(config.pools).map((name) => {
    const pool = config.pools[name]!;
    const { workers } = new WorkerPool(
      name,
      {
        environment,
        config,
        membership: membership[name]!,
        serverIds: serverIds(facts.workers),
        access,
        network: network?.attachment,
        egress: isPrivateOnly(pool) ? (network?.gateway?.ready ?? []) : [],
        dns: config.dns?.workers ? dns : undefined,
        check: pool.waitForReady
          ? checkAccess(question, isPrivateOnly(pool) ? network?.gateway : undefined)
          : undefined,
      },
      { dependsOn: cleanup },
    );
    return { name, workers };
  });
  if (config.dns && dns) new Dns('dns', { config, dns: config.dns, ...dns, pools });
}

/** The stack's own network with its way out, or the one of the stack that it names. */
function declareNetwork(
  question: PreflightQuestion,
  facts: Preflight,
  access: SshAccess,
  dependsOn: pulumi.Resource[],
): { attachment: { networkId: pulumi.Input<number>; cidr: string }; gateway?: NatGateway } | undefined {
  const { environment, config } = question;
  if (!config.network) return undefined;
  if ('stack' in config.network) {
    const shared = facts.sharedNetwork!;
    return { attachment: { networkId: shared.id, cidr: shared.cidr } };
  }
  const network = new PoolNetwork('network', { environment, network: config.network });
  const attachment = { networkId: network.attachableId, cidr: config.network.cidr };
  const { natGateway: gateway, cidr } = config.network;
  if (!gateway || !Object.values(config.pools).some(isPrivateOnly)) return { attachment };
  const check = checkAccess(question, undefined);
  return {
    attachment,
    gateway: new NatGateway(
      'nat',
      { environment, config, gateway, cidr, network, access, check },
      { dependsOn },
    ),
  };
}

function checkAccess(
  { environment, config }: PreflightQuestion,
  gateway: NatGateway | undefined,
): CheckAccess {
  const { connectivity, ssh } = config.access;
  return {
    connectivity,
    sshPort: ssh.port,
    privateKeyFile: ssh.privateKeyFile,
    tailscale: configuredTailscale(),
    jump: gateway && {
      address: gateway.publicIp,
      hostKey: hostKey(config.registrationSecret, physicalName(environment, 'nat')).publicKey,
    },
  };
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

/** Each pool's stamp of today's template. */
function templateHashes({ environment, config }: PreflightQuestion, facts: Preflight): Map<string, string> {
  const authorizedKeys = facts.sshKeys.map(({ key }) => key.line);
  const networkCidr = networkRange(config, facts);
  return new Map(
    Object.keys(config.pools).map((pool) => [
      pool,
      configHash(config, { environment, pool, authorizedKeys, networkCidr }),
    ]),
  );
}

function networkRange(config: StackConfig, facts: Preflight): string | undefined {
  if (!config.network) return undefined;
  return 'stack' in config.network ? facts.sharedNetwork?.cidr : config.network.cidr;
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

function launches(before: Membership, planned: Membership): boolean {
  return Object.entries(planned).some(
    ([pool, { nextSerial }]) => nextSerial > (before[pool]?.nextSerial ?? 1),
  );
}

/** A preview shows everything and warns; an update stops before anything changes. */
async function stopOrWarn(guard: () => void): Promise<void> {
  try {
    guard();
  } catch (error) {
    if (!(error instanceof ConfigError) || !pulumi.runtime.isDryRun()) throw error;
    await pulumi.log.warn(error.message);
  }
}

/** A comma-separated list of names. */
function names(list: string | undefined): string[] {
  return (list ?? '')
    .split(',')
    .map((name) => name.trim())
    .filter(Boolean);
}
