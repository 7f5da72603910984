import * as hcloud from '@pulumi/hcloud';
import { validateResourceOfType, type ResourceValidationPolicy } from '@pulumi/policy';
import { covers, isPublic } from './public-ssh';

/** A firewall at Hetzner lets in what its rules name and nothing else; without a firewall everything comes in. */
export function defaultDeny(): ResourceValidationPolicy {
  return {
    name: 'default-deny-firewall',
    description: 'Every server with a public address is behind a firewall, and no rule opens all ports.',
    severity: 'critical',
    validateResource: [
      validateResourceOfType(hcloud.Server, ({ publicNets, firewallIds }, _args, report) => {
        const isPublicServer = (publicNets ?? [{}]).some(
          ({ ipv4Enabled = true, ipv6Enabled = true }) => ipv4Enabled || ipv6Enabled,
        );
        // Ids of firewalls that are still to be made are not known in a preview, and then not an empty list.
        if (isPublicServer && (firewallIds ?? []).length === 0) {
          report('has a public address and no firewall');
        }
      }),
      validateResourceOfType(hcloud.Firewall, ({ rules }, _args, report) => {
        for (const { direction, protocol, port, sourceIps = [] } of rules ?? []) {
          const hasPorts = protocol === 'tcp' || protocol === 'udp';
          const opensAll = hasPorts && covers(port ?? 'any', 1) && covers(port ?? 'any', 65535);
          if (direction === 'in' && opensAll && sourceIps.some(isPublic)) {
            report(`opens every ${protocol} port to the internet; name the ports under \`ingress\``);
          }
        }
      }),
    ],
  };
}
