import { z } from 'zod';
import { parseBody } from './body';
import { NETWORK_ZONES } from './catalogue';
import { contains, includes, isPrivate, overlaps, parseCidr, parseIp, type Cidr } from './cidr';
import type { Cloud } from './cloud';
import { ApiError, conflict, invalidField, limitExceeded, protectedError, serviceError } from './errors';
import type { Answer, Call, Route } from './http';
import { freeSubnetRange, gatewayOf, rangeOf, usedAddresses } from './network-addresses';
import { resourceOf } from './resources';
import type { Network, Project, Subnet } from './state';

const MIN_NETWORK_BITS = 24;
const SMALLEST_SUBNET_BITS = 30;

export const subnetField = z.object({
  type: z.enum(['cloud', 'server', 'vswitch']),
  ip_range: z.string().optional(),
  network_zone: z.string(),
  vswitch_id: z.int().nullish(),
});

export const routeField = z.object({ destination: z.string(), gateway: z.string() });

export function networkActionRoutes(route: Route, cloud: Cloud): void {
  const change = (command: string, apply: (network: Network, call: Call) => void): void => {
    route('POST', `/networks/:id/actions/${command}`, (call): Answer => {
      const network = resourceOf(call, call.project.networks, 'network');
      checkIdle(cloud, call.project, network);
      apply(network, call);
      const resources = [{ type: 'network' as const, id: network.id }];
      return cloud.actions.answer(
        cloud.actions.start(call.project, { command, duration: 'network', resources }),
      );
    });
  };

  change('add_subnet', (network, call) => addSubnet(cloud, network, parseBody(subnetField, call.body)));
  change('delete_subnet', (network, call) => {
    const { ip_range: range } = parseBody(z.object({ ip_range: z.string() }), call.body);
    deleteSubnet(call.project, network, range);
  });
  change('add_route', (network, call) => addRoute(cloud, network, parseBody(routeField, call.body)));
  change('delete_route', (network, call) => {
    const entry = parseBody(routeField, call.body);
    const index = network.routes.findIndex(
      (candidate) => candidate.destination === entry.destination && candidate.gateway === entry.gateway,
    );
    if (index === -1) throw new ApiError(404, 'not_found', 'route not found');
    network.routes.splice(index, 1);
  });
  change('change_ip_range', (network, call) => {
    const { ip_range: text } = parseBody(z.object({ ip_range: z.string() }), call.body);
    checkSpansSubnets(checkNetworkRange(text), network);
    if (network.protection.delete) throw protectedError('network');
    network.ipRange = text;
  });
  change('change_protection', (network, call) => {
    network.protection.delete = parseBody(z.object({ delete: z.boolean() }), call.body).delete;
  });
}

/** Adds a subnet; without a range the first free /24. @throws ApiError invalid_input, resource_limit_exceeded */
export function addSubnet(cloud: Cloud, network: Network, wish: z.output<typeof subnetField>): void {
  if (network.subnets.length >= cloud.settings.limits.subnetsPerNetwork) {
    throw limitExceeded('subnet limit exceeded', 'network_subnet_limit');
  }
  if (!NETWORK_ZONES.includes(wish.network_zone)) throw invalidField('network_zone', 'is not a network zone');
  const zone = network.subnets[0]?.networkZone ?? wish.network_zone;
  if (zone !== wish.network_zone) {
    throw invalidField('network_zone', `all subnets of a network must be in one zone, here ${zone}`);
  }
  if (wish.type === 'vswitch' && !wish.vswitch_id) {
    throw invalidField('vswitch_id', 'Missing data for required field.');
  }
  const ipRange = wish.ip_range ?? freeSubnetRange(network);
  checkSubnetRange(network, ipRange);
  const subnet: Subnet = {
    type: wish.type,
    ipRange,
    networkZone: wish.network_zone,
    vswitchId: wish.vswitch_id ?? null,
  };
  network.subnets.push(subnet);
}

/** Adds a route. @throws ApiError invalid_input, resource_limit_exceeded */
export function addRoute(cloud: Cloud, network: Network, entry: z.output<typeof routeField>): void {
  if (network.routes.length >= cloud.settings.limits.routesPerNetwork) {
    throw limitExceeded('route limit exceeded', 'network_route_limit');
  }
  const destination = parseCidr(entry.destination);
  if (!destination) throw invalidField('destination', 'must be a valid CIDR without host bits');
  const isDefault = destination.bits === 0;
  if (!isDefault && !isPrivate(destination)) {
    throw invalidField('destination', 'must be 0.0.0.0/0 or a private range (RFC1918)');
  }
  if (!isDefault && network.subnets.some((subnet) => overlaps(rangeOf(subnet.ipRange), destination))) {
    throw invalidField('destination', 'overlaps with a subnet of the network');
  }
  if (network.routes.some((route) => route.destination === entry.destination)) {
    throw invalidField('destination', 'route with the same destination already exists');
  }
  const gateway = parseIp(entry.gateway);
  if (gateway === undefined) throw invalidField('gateway', 'must be a valid IPv4 address');
  if (!includes(rangeOf(network.ipRange), gateway)) {
    throw invalidField('gateway', 'must be in the IP range of the network');
  }
  if (entry.gateway === gatewayOf(network) || entry.gateway === '172.31.1.1') {
    throw invalidField('gateway', 'must not be the first IP of the network or 172.31.1.1');
  }
  const behindVswitch = network.subnets.some(
    (subnet) => subnet.type === 'vswitch' && includes(rangeOf(subnet.ipRange), gateway),
  );
  if (behindVswitch) throw invalidField('gateway', 'must not be behind a vSwitch');
  network.routes.push({ destination: entry.destination, gateway: entry.gateway });
}

/** @throws ApiError invalid_input unless it is a private range of at least a /24 without host bits */
export function checkNetworkRange(text: string): Cidr {
  const range = parseCidr(text);
  if (!range) throw invalidField('ip_range', 'must be a valid CIDR without host bits');
  if (!isPrivate(range)) throw invalidField('ip_range', 'must be a private range (RFC1918)');
  if (range.bits > MIN_NETWORK_BITS) {
    throw invalidField('ip_range', `must be at least a /${MIN_NETWORK_BITS}`);
  }
  return range;
}

function checkSpansSubnets(range: Cidr, network: Network): void {
  if (!network.subnets.every((subnet) => contains(range, rangeOf(subnet.ipRange)))) {
    throw invalidField('ip_range', 'must span all subnets');
  }
}

function deleteSubnet(project: Project, network: Network, ipRange: string): void {
  const index = network.subnets.findIndex((subnet) => subnet.ipRange === ipRange);
  if (index === -1) throw new ApiError(404, 'not_found', 'subnet not found');
  const range = rangeOf(ipRange);
  const inUse = [...usedAddresses(project, network.id)].some((ip) => includes(range, parseIp(ip) ?? -1));
  if (inUse) throw serviceError('cannot remove subnet because servers are attached to it');
  network.subnets.splice(index, 1);
}

function checkSubnetRange(network: Network, text: string): void {
  const range = parseCidr(text);
  if (!range) throw invalidField('ip_range', 'must be a valid CIDR without host bits');
  if (range.bits > SMALLEST_SUBNET_BITS) {
    throw invalidField('ip_range', `must be at least a /${SMALLEST_SUBNET_BITS}`);
  }
  if (!contains(rangeOf(network.ipRange), range)) {
    throw invalidField('ip_range', 'must be in the IP range of the network');
  }
  if (network.subnets.some((subnet) => overlaps(rangeOf(subnet.ipRange), range))) {
    throw invalidField('ip_range', 'overlaps with another subnet of the network');
  }
  const routed = network.routes
    .filter((route) => route.destination !== '0.0.0.0/0')
    .some((route) => overlaps(rangeOf(route.destination), range));
  if (routed) throw invalidField('ip_range', 'overlaps with a route of the network');
}

/** The vendor changes a network one step at a time; clients retry a conflict. */
function checkIdle(cloud: Cloud, project: Project, network: Network): void {
  const busy = cloud.actions
    .running(project, 'network', network.id)
    .some((action) => action.resources.every((resource) => resource.type === 'network'));
  if (busy) throw conflict(`network ${network.id} is being changed, please retry`);
}
