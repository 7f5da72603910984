import * as hcloud from '@pulumi/hcloud';
import { validateResourceOfType, type ResourceValidationPolicy } from '@pulumi/policy';
import { prefixLength } from '../../components/model/cidr';

/** Networks with a shorter prefix than this are the public, whatever they are meant to be. */
const SHORTEST_PREFIX = { ipv4: 8, ipv6: 16 };

/** @param ports what counts as SSH: the usual one, and the one that the sandbox's stack uses */
export function noPublicSsh(ports: readonly number[] = [22, 2222]): ResourceValidationPolicy {
  return {
    name: 'no-public-ssh',
    description: 'SSH is open to named networks only, never to the internet.',
    severity: 'critical',
    validateResource: validateResourceOfType(hcloud.Firewall, ({ rules }, _args, report) => {
      for (const { direction, protocol, port, sourceIps = [] } of rules ?? []) {
        if (direction !== 'in' || protocol !== 'tcp') continue;
        const open = ports.filter((ssh) => covers(port ?? 'any', ssh));
        const anybody = sourceIps.filter(isPublic);
        if (open.length > 0 && anybody.length > 0) {
          report(
            `opens port ${open.join(', ')} (SSH) to ${anybody.join(', ')}. Reach the workers over the tailnet, or name your own networks in access.ssh.from`,
          );
        }
      }
    }),
  };
}

/** Whether a network is so wide that it is nobody's own. */
export function isPublic(network: string): boolean {
  return prefixLength(network) < SHORTEST_PREFIX[network.includes(':') ? 'ipv6' : 'ipv4'];
}

/** A firewall rule's port is `any`, one port, or a range `20-30`. */
export function covers(ports: string, port: number): boolean {
  if (ports === 'any') return true;
  const [first, last = first] = ports.split('-').map(Number);
  return first! <= port && port <= last!;
}
