import * as hcloud from '@pulumi/hcloud';
import * as pulumi from '@pulumi/pulumi';
import { isPrivateOnly } from './model/pool';
import type { LaunchGate } from './launch-gate';
import type { PoolConfig, StackConfig } from './model/config-schema';
import { poolLabels } from './model/labels';
import { placementGroups, type MemberRecord, type PoolMembership } from './model/membership';
import { physicalName } from './model/names';
import { lacksPublicAddress, type ExistingMachine } from './preflight/labelled-workers';
import type { CheckAccess } from './readiness';
import type { SshAccess } from './ssh-access';
import { Worker } from './worker';

export interface WorkerPoolArgs {
  environment: string;
  config: StackConfig;
  membership: PoolMembership;
  /** Workers' servers that the project has already. */
  machines: ReadonlyMap<string, ExistingMachine>;
  access: SshAccess;
  network: { networkId: pulumi.Input<number>; cidr: string } | undefined;
  /** What workers without a public address wait for before they boot: the way out. */
  egress: pulumi.Resource[];
  /** Zone and the name under which workers get address records, where they do. */
  dns: { zoneId: string; suffix: string } | undefined;
  check: CheckAccess | undefined;
  gate: LaunchGate;
}

/** The workers of one pool, exactly as its membership says, behind one firewall that denies by default. */
export class WorkerPool extends pulumi.ComponentResource {
  readonly workers: { member: MemberRecord; worker: Worker }[];

  constructor(name: string, args: WorkerPoolArgs, opts?: pulumi.ComponentResourceOptions) {
    super('workerpools:index:WorkerPool', name, {}, opts);
    const { environment, config, membership } = args;
    const pool = config.pools[name]!;

    const isPrivate = (member: MemberRecord): boolean => lacksPublicAddress(member, pool, args.machines);
    const firewall =
      membership.members.every(isPrivate) && isPrivateOnly(pool)
        ? undefined
        : this.firewall(name, pool, args);
    const groups = this.placementGroups(name, args);

    const newestFirst = membership.members.toReversed().map((member) => {
      const egress = isPrivate(member) ? args.egress : [];
      const serverId = args.machines.get(member.id)?.serverId;
      const dependsOn: pulumi.Input<pulumi.Input<pulumi.Resource>[]> =
        serverId === undefined ? egress : args.gate.passed.then(() => egress);
      const worker = new Worker(
        member.id,
        {
          environment,
          config,
          pool: name,
          member,
          serverId,
          gate: args.gate,
          access: args.access,
          // Hetzner refuses a firewall for a server that has no public address.
          firewallId: isPrivate(member) ? undefined : firewall?.id.apply(Number),
          placementGroupId: groups.get(groupName(member))?.id.apply(Number),
          network: args.network,
          dns: args.dns && { zoneId: args.dns.zoneId, name: `${member.id}.${args.dns.suffix}` },
          check: args.check,
        },
        {
          parent: this,
          dependsOn,
        },
      );
      return { member, worker };
    });
    this.workers = newestFirst.reverse();
    this.registerOutputs({});
  }

  /**
   * Public interfaces only; private networks are not filtered by Hetzner. A firewall without rules lets nothing in.
   * The provider does not send an emptied list of rules, so open and closed are two resources.
   */
  private firewall(name: string, pool: PoolConfig, { environment, config }: WorkerPoolArgs): hcloud.Firewall {
    const { connectivity, ssh } = config.access;
    const open = [
      ...(connectivity === 'direct' ? [{ port: ssh.port, from: ssh.from }] : []),
      ...pool.ingress,
    ];
    const kind = open.length === 0 ? 'closed' : 'open';
    return new hcloud.Firewall(
      `${name}-${kind}`,
      {
        name: physicalName(environment, name, kind),
        labels: poolLabels(environment, name),
        rules: open.map(({ port, from }) => ({
          direction: 'in',
          protocol: 'tcp',
          port: String(port),
          sourceIps: from,
        })),
      },
      { parent: this },
    );
  }

  private placementGroups(
    name: string,
    { environment, membership }: WorkerPoolArgs,
  ): Map<string, hcloud.PlacementGroup> {
    return new Map(
      placementGroups(membership.members).map(({ location, number }) => {
        const key = `${location}-${number}`;
        return [
          key,
          new hcloud.PlacementGroup(
            `${name}-${key}`,
            {
              name: physicalName(environment, name, key),
              type: 'spread',
              labels: poolLabels(environment, name),
            },
            { parent: this },
          ),
        ];
      }),
    );
  }
}

function groupName({ location, placementGroup }: MemberRecord): string {
  return `${location}-${placementGroup}`;
}
