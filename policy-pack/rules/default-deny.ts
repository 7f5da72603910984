import * as hcloud from '@pulumi/hcloud';
import type { ResourceValidationPolicy } from '@pulumi/policy';
import type { Unwrap } from '@pulumi/pulumi';
import { covers, isPublic } from './public-ssh';

/** A firewall at Hetzner lets in what its rules name and nothing else; without a firewall everything comes in. */
export function defaultDeny(): ResourceValidationPolicy {
  return {
    name: 'default-deny-firewall',
    description: 'Every server with a public address is behind a firewall, and no rule opens all ports.',
    severity: 'critical',
    // One function for both types: the SDK takes a policy for not applicable as soon as one of several functions is.
    validateResource: (args, report) => {
      const server = args.asType(hcloud.Server);
      const firewall = args.asType(hcloud.Firewall);
      if (!server && !firewall) args.notApplicable();
      // Ids of firewalls that are still to be made are not known in a preview, and then not an empty list.
      if (server && isPublicServer(server) && (server.firewallIds ?? []).length === 0) {
        report('has a public address and no firewall');
      }
      for (const { direction, protocol, port = 'any', sourceIps = [] } of firewall?.rules ?? []) {
        const hasPorts = protocol === 'tcp' || protocol === 'udp';
        const opensAll = hasPorts && covers(port, 1) && covers(port, 65535);
        if (direction === 'in' && opensAll && sourceIps.some(isPublic)) {
          report(`opens every ${protocol} port to the internet; name the ports under \`ingress\``);
        }
      }
    },
  };
}

function isPublicServer({ publicNets = [{}] }: Pick<Unwrap<hcloud.ServerArgs>, 'publicNets'>): boolean {
  return publicNets.some(({ ipv4Enabled = true, ipv6Enabled = true }) => ipv4Enabled || ipv6Enabled);
}
