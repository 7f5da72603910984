import * as hcloud from '@pulumi/hcloud';
import * as pulumi from '@pulumi/pulumi';
import type { OwnNetworkConfig } from './model/config-schema';
import { stackLabels } from './model/labels';

export interface PoolNetworkArgs {
  environment: string;
  network: Pick<OwnNetworkConfig, 'cidr' | 'zone'>;
}

/** The private network of an environment: one range, one subnet of all of it. */
export class PoolNetwork extends pulumi.ComponentResource {
  readonly networkId: pulumi.Output<number>;
  /** The same number, known only when the subnet is there: machines that name it can be attached. */
  readonly attachableId: pulumi.Output<number>;

  constructor(
    name: string,
    { environment, network }: PoolNetworkArgs,
    opts?: pulumi.ComponentResourceOptions,
  ) {
    super('workerpools:index:PoolNetwork', name, {}, opts);
    const range = new hcloud.Network(
      name,
      { name: environment, ipRange: network.cidr, labels: stackLabels(environment) },
      { parent: this },
    );
    this.networkId = range.id.apply(Number);
    const subnet = new hcloud.NetworkSubnet(
      `${name}-subnet`,
      { networkId: this.networkId, type: 'cloud', networkZone: network.zone, ipRange: network.cidr },
      { parent: this },
    );
    this.attachableId = subnet.networkId;
    this.registerOutputs({});
  }
}
