import * as hcloud from '@pulumi/hcloud';
import * as pulumi from '@pulumi/pulumi';
import { isPrivateOnly } from './model/pool';
import type { LaunchGate } from './launch-gate';
import type { PoolConfig, StackConfig } from './model/config-schema';
import { poolLabels } from './model/labels';
import { placementGroups, type MemberRecord, type PoolMembership } from './model/membership';
import { physicalName, poolResourceName } from './model/names';
import { addressType, lacksPublicAddress, type ExistingMachine } from './preflight/labelled-workers';
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
  private readonly firewall: hcloud.Firewall | undefined;
  private readonly groups: Map<string, hcloud.PlacementGroup>;
  private readonly launched: Map<string, Worker>;

  /** Declares the members that have no server yet; for the others see `declareExisting`. */
  constructor(
    private readonly name: string,
    private readonly args: WorkerPoolArgs,
    opts?: pulumi.ComponentResourceOptions,
  ) {
    super('workerpools:index:WorkerPool', name, {}, opts);
    const { members } = args.membership;
    const withoutFirewall = isPrivateOnly(this.pool) && members.every((member) => this.isPrivate(member));
    this.firewall = withoutFirewall ? undefined : this.declareFirewall();
    this.groups = this.declarePlacementGroups();
    this.launched = new Map(
      members
        .filter(({ id }) => !args.machines.has(id))
        .map((member) => [member.id, this.declareWorker(member)]),
    );
  }

  /** Declares the members that have a server. @returns all members, in the order of the membership */
  declareExisting(): { member: MemberRecord; worker: Worker }[] {
    const workers = this.args.membership.members.map((member) => ({
      member,
      worker: this.launched.get(member.id) ?? this.declareWorker(member),
    }));
    this.registerOutputs({});
    return workers;
  }

  private declareWorker(member: MemberRecord): Worker {
    const { environment, config, machines, gate, access, network, egress, dns, check } = this.args;
    const isPrivate = this.isPrivate(member);
    return new Worker(
      member.id,
      {
        environment,
        config,
        pool: this.name,
        member,
        serverId: machines.get(member.id)?.serverId,
        addressType: addressType(member, this.pool, machines),
        gate,
        access,
        // Hetzner refuses a firewall for a server that has no public address.
        firewallId: isPrivate ? undefined : this.firewall?.id.apply(Number),
        placementGroupId: this.groups.get(groupName(member))?.id.apply(Number),
        network,
        egress: isPrivate ? egress : [],
        dns: dns && { zoneId: dns.zoneId, name: `${member.id}.${dns.suffix}` },
        check,
      },
      { parent: this },
    );
  }

  private get pool(): PoolConfig {
    return this.args.config.pools[this.name]!;
  }

  private isPrivate(member: MemberRecord): boolean {
    return lacksPublicAddress(member, this.pool, this.args.machines);
  }

  /**
   * Public interfaces only; private networks are not filtered by Hetzner. A firewall without rules lets nothing in.
   * The provider does not send an emptied list of rules, so open and closed are two resources.
   */
  private declareFirewall(): hcloud.Firewall {
    const { environment, config } = this.args;
    const { connectivity, ssh } = config.access;
    const open = [
      ...(connectivity === 'direct' ? [{ port: ssh.port, from: ssh.from }] : []),
      ...this.pool.ingress,
    ];
    const kind = open.length === 0 ? 'closed' : 'open';
    return new hcloud.Firewall(
      poolResourceName(this.name, kind),
      {
        name: physicalName(environment, this.name, kind),
        labels: poolLabels(environment, this.name),
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

  private declarePlacementGroups(): Map<string, hcloud.PlacementGroup> {
    const { environment, membership } = this.args;
    return new Map(
      placementGroups(membership.members).map(({ location, number }) => {
        const key = `${location}-${number}` as const;
        return [
          key,
          new hcloud.PlacementGroup(
            poolResourceName(this.name, key),
            {
              name: physicalName(environment, this.name, key),
              type: 'spread',
              labels: poolLabels(environment, this.name),
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
