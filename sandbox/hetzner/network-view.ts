import type { NetworkView } from '../kernel/lifecycle';
import { includes, parseIp } from './cidr';
import { projectWith, type Cloud } from './cloud';
import { allowsInboundTcp } from './firewall-rules';
import { gatewayOf, rangeOf } from './network-addresses';
import type { Project, Server } from './state';

/** What the network lets through, from the present state. */
export function createNetworkView(cloud: Cloud): NetworkView {
  const locate = (serverId: number): { project: Project; server: Server } | undefined => {
    const project = projectWith(cloud, 'servers', serverId);
    const server = project?.servers[serverId];
    return project && server ? { project, server } : undefined;
  };
  return {
    acceptsInbound(serverId, port, sourceIp) {
      const found = locate(serverId);
      if (!found || found.server.primaryIps.ipv4 === null) return false;
      const applied = found.server.firewalls.filter((entry) => entry.status === 'applied');
      const rules = applied.flatMap((entry) => found.project.firewalls[entry.id]?.rules ?? []);
      return applied.length === 0 || allowsInboundTcp(rules, port, sourceIp);
    },
    neighbour(serverId, address) {
      const found = locate(serverId);
      if (!found) return undefined;
      const networks = found.server.privateNet
        .filter(({ attached }) => attached)
        .map(({ network }) => network);
      return Object.values(found.project.servers).find(
        ({ status, privateNet }) =>
          status === 'running' &&
          privateNet.some(({ network, ip }) => networks.includes(network) && ip === address),
      )?.id;
    },
    privateInterfaces(serverId) {
      const { project, server } = locate(serverId) ?? {};
      return (server?.privateNet ?? []).flatMap((entry) => {
        const network = project?.networks[entry.network];
        if (!network || !entry.attached) return [];
        return {
          networkId: network.id,
          networkName: network.name,
          range: network.ipRange,
          gateway: gatewayOf(network),
          ip: entry.ip,
          aliasIps: entry.aliasIps,
          macAddress: entry.macAddress,
        };
      });
    },
    nextHop(networkId, destination) {
      const address = parseIp(destination);
      const routes = projectWith(cloud, 'networks', networkId)?.networks[networkId]?.routes ?? [];
      const [closest] = routes
        .map((route) => ({ range: rangeOf(route.destination), gateway: route.gateway }))
        .filter(({ range }) => address !== undefined && includes(range, address))
        .sort((left, right) => right.range.bits - left.range.bits);
      return closest?.gateway;
    },
    egress(serverId) {
      const found = locate(serverId);
      if (!found) return { kind: 'none' };
      const { project, server } = found;
      if (server.primaryIps.ipv4 !== null || server.primaryIps.ipv6 !== null) return { kind: 'public' };
      const gatewayServerId = defaultGateway(project, server);
      return gatewayServerId === undefined ? { kind: 'none' } : { kind: 'routed', gatewayServerId };
    },
  };
}

/** The running server that a network's default route points at. */
function defaultGateway(project: Project, server: Server): number | undefined {
  for (const { network, attached } of server.privateNet) {
    const route = project.networks[network]?.routes.find((entry) => entry.destination === '0.0.0.0/0');
    if (!route || !attached) continue;
    const gateway = Object.values(project.servers).find(
      (candidate) =>
        candidate.id !== server.id &&
        candidate.status === 'running' &&
        candidate.privateNet.some((entry) => entry.network === network && entry.ip === route.gateway),
    );
    if (gateway) return gateway.id;
  }
  return undefined;
}
