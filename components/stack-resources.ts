import type * as pulumi from '@pulumi/pulumi';
import { Dns, dnsSuffix } from './dns';
import { LaunchGate } from './launch-gate';
import { isPrivateOnly } from './model/pool';
import type { Membership } from './model/membership';
import { physicalName } from './model/names';
import { hostKey } from './model/worker-machine';
import { NatGateway } from './nat-gateway';
import { PoolNetwork } from './pool-network';
import type { Preflight, PreflightQuestion } from './preflight';
import { configuredTailscale } from './preflight/credentials';
import { existingMachines, lacksPublicAddress, serverOf } from './preflight/labelled-workers';
import { tailnetCleanup, type CheckAccess } from './readiness';
import { SshAccess } from './ssh-access';
import { withoutStackTraces } from './stack-traces';
import { WorkerPool } from './worker-pool';

/**
 * Declares the resources; everything that decides how many there are is plain by now. Resolves when all are declared:
 * what has a server already is only when the new ones are asked for.
 */
export async function declareStack(
  question: PreflightQuestion,
  facts: Preflight,
  membership: Membership,
): Promise<void> {
  const { gate, pools, dns } = withoutStackTraces(() => declareLaunches(question, facts, membership));
  await gate.passed;
  withoutStackTraces(() => {
    const declared = pools.map(({ name, pool }) => ({ name, workers: pool.declareExisting() }));
    const { config } = question;
    if (config.dns && dns) new Dns('dns', { config, dns: config.dns, ...dns, pools: declared });
  });
}

function declareLaunches(question: PreflightQuestion, facts: Preflight, membership: Membership) {
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
  const machines = existingMachines(facts.servers);
  const needsGateway = Object.entries(config.pools).some(
    ([name, pool]) =>
      isPrivateOnly(pool) ||
      membership[name]!.members.some((member) => lacksPublicAddress(member, pool, machines)),
  );
  const network = declareNetwork(question, facts, { access, needsGateway, dependsOn: cleanup });
  const dns =
    config.dns && facts.zoneId
      ? { zoneId: facts.zoneId, suffix: dnsSuffix(config.dns, environment) }
      : undefined;

  const gate = new LaunchGate();
  const pools = Object.keys(config.pools).map((name) => {
    const settings = config.pools[name]!;
    const pool = new WorkerPool(
      name,
      {
        environment,
        config,
        membership: membership[name]!,
        machines,
        access,
        network: network?.attachment,
        egress: network?.gateway?.ready ?? [],
        dns: config.dns?.workers ? dns : undefined,
        check: settings.waitForReady
          ? checkAccess(question, isPrivateOnly(settings) ? network?.gateway : undefined)
          : undefined,
        gate,
      },
      { dependsOn: cleanup },
    );
    return { name, pool };
  });
  gate.close();
  return { gate, pools, dns };
}

/** The stack's own network with its way out, or the one of the stack that it names. */
function declareNetwork(
  question: PreflightQuestion,
  facts: Preflight,
  {
    access,
    needsGateway,
    dependsOn,
  }: { access: SshAccess; needsGateway: boolean; dependsOn: pulumi.Resource[] },
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
  if (!gateway || !needsGateway) return { attachment };
  const check = checkAccess(question, undefined);
  return {
    attachment,
    gateway: new NatGateway(
      'nat',
      {
        environment,
        config,
        gateway,
        cidr,
        network,
        access,
        check,
        serverId: question.lost?.has('nat-server') ? serverOf('nat', facts.servers) : undefined,
      },
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
