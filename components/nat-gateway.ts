import * as hcloud from '@pulumi/hcloud';
import * as pulumi from '@pulumi/pulumi';
import { gatewayDocument, osOf, render } from '../cloud-init';
import { lastAddress } from './model/cidr';
import type { NatGatewayConfig, StackConfig } from './model/config-schema';
import { stackLabels } from './model/labels';
import { physicalName } from './model/names';
import { hostKey, surroundings } from './model/worker-machine';
import type { PoolNetwork } from './pool-network';
import { checkReadiness, type CheckAccess } from './readiness';
import type { SshAccess } from './ssh-access';
import { tailnetKey } from './tailnet-key';
import { CREATION_INPUTS } from './worker';

export interface NatGatewayArgs {
  environment: string;
  config: StackConfig;
  gateway: NatGatewayConfig;
  cidr: string;
  network: PoolNetwork;
  access: SshAccess;
  check: CheckAccess;
  /** Its server, where one may be there that is not in the state: it is taken in. The engine replaces none that is given. */
  serverId: number | undefined;
}

/** The way out for workers without a public address: one machine that forwards, and the routes that lead to it. */
export class NatGateway extends pulumi.ComponentResource {
  /** The range's last address: Hetzner gives workers theirs from the first one up. */
  readonly privateIp: string;
  readonly publicIp: pulumi.Output<string>;
  /** What is to be there before a worker relies on the way out. */
  readonly ready: pulumi.Resource[];

  constructor(name: string, args: NatGatewayArgs, opts?: pulumi.ComponentResourceOptions) {
    super('workerpools:index:NatGateway', name, {}, opts);
    const { environment, config, gateway, cidr, access } = args;
    const hostname = physicalName(environment, name);
    const keys = hostKey(config.registrationSecret, hostname);
    this.privateIp = lastAddress(cidr);

    const key =
      config.access.connectivity === 'tailscale'
        ? tailnetKey(`${name}-key`, { description: `${environment} ${name}`, tags: config.access.tags }, this)
        : undefined;
    const userData = pulumi.output(key?.key).apply(
      (authKey) =>
        render(
          gatewayDocument({
            environment,
            hostname,
            os: osOf(gateway.image)!,
            ssh: { port: config.access.ssh.port, authorizedKeys: access.authorizedKeys, hostKey: keys },
            ...surroundings(config),
            cidr,
            ...(authKey === undefined
              ? {}
              : { tailscale: { authKey, tags: config.access.tags, ...config.access.tailscale } }),
          }),
        ).userData,
    );

    const server = new hcloud.Server(
      `${name}-server`,
      {
        name: hostname,
        serverType: gateway.serverType,
        location: gateway.location,
        image: gateway.image,
        allowDeprecatedImages: true,
        sshKeys: access.keyIds,
        userData: pulumi.secret(userData),
        publicNets: [{ ipv4Enabled: true, ipv6Enabled: true }],
        networks: [{ networkId: args.network.attachableId, ip: this.privateIp, aliasIps: [] }],
        firewallIds: [this.firewall(name, args).id.apply(Number)],
        labels: { ...stackLabels(environment), role: name },
      },
      {
        parent: this,
        ignoreChanges: CREATION_INPUTS,
        // Its name and its private address are free for the next one only when it has gone.
        deleteBeforeReplace: true,
        replaceWith: key ? [key] : [],
        ...(args.serverId === undefined ? {} : { import: String(args.serverId) }),
      },
    );
    this.publicIp = server.ipv4Address;

    const routes = gateway.destinations.map(
      (destination) =>
        new hcloud.NetworkRoute(
          `${name}-route-${destination}`,
          { networkId: args.network.networkId, destination, gateway: this.privateIp },
          { parent: this, dependsOn: [server] },
        ),
    );
    const forwarding = checkReadiness(`${name}-ready`, {
      kind: 'gateway',
      hostname,
      address: server.ipv4Address,
      hostKey: keys.publicKey,
      access: args.check,
      parent: this,
      dependsOn: [server],
    });
    this.ready = [...routes, forwarding];
    this.registerOutputs({});
  }

  private firewall(name: string, { environment, config }: NatGatewayArgs): hcloud.Firewall {
    const { connectivity, ssh } = config.access;
    const kind = connectivity === 'direct' ? 'open' : 'closed';
    return new hcloud.Firewall(
      `${name}-${kind}`,
      {
        name: physicalName(environment, name, kind),
        labels: stackLabels(environment),
        rules:
          connectivity === 'direct'
            ? [{ direction: 'in', protocol: 'tcp', port: String(ssh.port), sourceIps: ssh.from }]
            : [],
      },
      { parent: this },
    );
  }
}
