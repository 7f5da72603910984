import * as cloudflare from '@pulumi/cloudflare';
import * as hcloud from '@pulumi/hcloud';
import * as pulumi from '@pulumi/pulumi';
import { render, workerDocument } from '../cloud-init';
import type { LaunchGate } from './launch-gate';
import type { StackConfig } from './model/config-schema';
import { workerLabels } from './model/labels';
import type { MemberRecord } from './model/membership';
import { physicalName, resourceName } from './model/names';
import { hostKey, workerMachine } from './model/worker-machine';
import type { AddressType } from './preflight/labelled-workers';
import { checkReadiness, type CheckAccess } from './readiness';
import type { SshAccess } from './ssh-access';
import { tailnetKey } from './tailnet-key';

/**
 * What is fixed at a server's creation. Some of these replace the server, the others power it off or reset it in place:
 * an edit must do neither, so drifted workers are replaced one by one by a rollout instead.
 */
export const CREATION_INPUTS = [
  'userData',
  'image',
  'allowDeprecatedImages',
  'sshKeys',
  'location',
  'serverType',
  'publicNets',
  'networks',
  'placementGroupId',
  'iso',
  'rescue',
];

export interface WorkerArgs {
  environment: string;
  config: StackConfig;
  pool: string;
  member: MemberRecord;
  /**
   * Its server, where the project has it already. An update that was killed, or whose answer was lost, leaves one that is
   * not in the state: declared with its id it is taken in, where a plain create would meet its own name.
   */
  serverId: number | undefined;
  addressType: AddressType;
  access: SshAccess;
  firewallId: pulumi.Input<number> | undefined;
  placementGroupId: pulumi.Input<number> | undefined;
  network: { networkId: pulumi.Input<number>; cidr: string } | undefined;
  /** What is to be there before it boots: its way out, where it has no public address. Not this component's own dependency:
   *  where that fails, the engine would end the program with it. */
  egress: pulumi.Resource[];
  /** Where its address record goes, if it gets one: full name and zone. */
  dns: { zoneId: string; name: string } | undefined;
  /** How its readiness is checked, where the pool asks for it. */
  check: CheckAccess | undefined;
  gate: LaunchGate;
}

/** Where a worker is found: its public IPv4 address, else its public IPv6 address, else its private one. */
export interface Address {
  /** Known before there is a server: an update in which its creation fails would else be refused its record's type, and end. */
  type: AddressType;
  content: pulumi.Output<string>;
}

/** One machine of a pool: its tailnet key, its server, and its address record where asked. */
export class Worker extends pulumi.ComponentResource {
  readonly address: Address;

  constructor(name: string, args: WorkerArgs, opts?: pulumi.ComponentResourceOptions) {
    super('workerpools:index:Worker', name, {}, opts);
    const { environment, config, member, network } = args;
    const pool = config.pools[args.pool]!;
    const hostname = physicalName(environment, member.id);

    const key =
      config.access.connectivity === 'tailscale'
        ? tailnetKey(
            resourceName(name, 'key'),
            { description: `${environment} ${member.id}`, tags: config.access.tags },
            this,
          )
        : undefined;
    const userData = pulumi.output(key?.key).apply((authKey) => {
      const machine = workerMachine(config, {
        environment,
        pool: args.pool,
        id: member.id,
        authorizedKeys: args.access.authorizedKeys,
        networkCidr: network?.cidr,
        authKey,
      });
      return render(workerDocument(machine)).userData;
    });

    if (args.serverId === undefined) {
      args.gate.launching(
        userData,
        args.access.keyIds,
        network?.networkId,
        args.firewallId,
        args.placementGroupId,
      );
    }
    const server = new hcloud.Server(
      resourceName(name, 'server'),
      {
        name: hostname,
        serverType: member.serverType,
        location: member.location,
        image: pool.image,
        // A deprecated image is warned about before; the provider's refusal would come when a worker is needed most.
        allowDeprecatedImages: true,
        sshKeys: args.access.keyIds,
        userData: pulumi.secret(userData),
        publicNets: [{ ipv4Enabled: pool.publicNetwork.ipv4, ipv6Enabled: pool.publicNetwork.ipv6 }],
        labels: workerLabels(environment, args.pool, member),
        ...(network ? { networks: [{ networkId: network.networkId, aliasIps: [] }] } : {}),
        ...(args.firewallId === undefined ? {} : { firewallIds: [args.firewallId] }),
        ...(args.placementGroupId === undefined ? {} : { placementGroupId: args.placementGroupId }),
      },
      {
        parent: this,
        dependsOn: args.egress,
        ignoreChanges: CREATION_INPUTS,
        ...(args.serverId === undefined ? {} : { import: String(args.serverId) }),
      },
    );

    this.address = { type: args.addressType, content: addressOf(server, args.addressType) };
    if (args.dns) this.addressRecord(name, args.dns);
    if (args.check) {
      checkReadiness(resourceName(name, 'ready'), {
        kind: 'worker',
        hostname,
        address: this.address.content,
        hostKey: hostKey(config.registrationSecret, hostname).publicKey,
        access: args.check,
        parent: this,
        dependsOn: [server],
      });
    }
    this.registerOutputs({});
  }

  private addressRecord(name: string, dns: { zoneId: string; name: string }): void {
    new cloudflare.DnsRecord(
      resourceName(name, 'dns'),
      {
        zoneId: dns.zoneId,
        name: dns.name,
        type: this.address.type,
        content: this.address.content,
        ttl: 60,
        proxied: false,
      },
      { parent: this, deleteBeforeReplace: true },
    );
  }
}

/** Read from the server itself: an edit of the pool's public network is for new workers only. */
function addressOf(
  { ipv4Address, ipv6Address, networks }: hcloud.Server,
  type: AddressType,
): pulumi.Output<string> {
  if (type === 'AAAA') return ipv6Address;
  return pulumi
    .all([ipv4Address, networks])
    .apply(([ipv4, privateNetworks]) => ipv4 || (privateNetworks?.[0]?.ip ?? ''));
}
