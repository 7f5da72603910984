import { z } from 'zod';
import { refuseWhenLocked } from './actions';
import { idField, parseBody } from './body';
import { overlaps } from './cidr';
import type { Cloud } from './cloud';
import { ApiError, invalidField, limitExceeded, notFound } from './errors';
import type { Route } from './http';
import { allocateAddress, checkFreeAddress, rangeOf } from './network-addresses';
import { resourceOf } from './resources';
import { locationNamed } from './catalogue';
import type { Action, Network, PrivateNet, Project, Server } from './state';

const attachSchema = z.object({
  network: idField,
  ip: z.string().optional(),
  ip_range: z.string().optional(),
  alias_ips: z.array(z.string()).default([]),
});
const detachSchema = z.object({ network: idField });
const aliasSchema = z.object({ network: idField, alias_ips: z.array(z.string()) });

export function serverNetworkRoutes(route: Route, cloud: Cloud): void {
  defineCommands(cloud);
  route('POST', '/servers/:id/actions/attach_to_network', (call) => {
    const body = parseBody(attachSchema, call.body);
    const server = resourceOf(call, call.project.servers, 'server');
    const network = networkOf(call.project, body.network);
    refuseWhenLocked(cloud, call.project, server.id);
    attach(cloud, call.project, server, network, {
      ip: body.ip,
      ipRange: body.ip_range,
      aliasIps: body.alias_ips,
    });
    return cloud.actions.answer(startAttach(cloud, call.project, server, network));
  });
  route('POST', '/servers/:id/actions/detach_from_network', (call) => {
    const body = parseBody(detachSchema, call.body);
    const server = resourceOf(call, call.project.servers, 'server');
    attachmentOf(server, body.network);
    refuseWhenLocked(cloud, call.project, server.id);
    return cloud.actions.answer(
      cloud.actions.start(call.project, {
        command: 'detach_from_network',
        duration: 'detachNetwork',
        resources: bothOf(server, body.network),
      }),
    );
  });
  route('POST', '/servers/:id/actions/change_alias_ips', (call) => {
    const body = parseBody(aliasSchema, call.body);
    const server = resourceOf(call, call.project.servers, 'server');
    const attachment = attachmentOf(server, body.network);
    refuseWhenLocked(cloud, call.project, server.id);
    const before = attachment.aliasIps;
    attachment.aliasIps = [];
    try {
      attachment.aliasIps = checkedAliases(
        call.project,
        networkOf(call.project, body.network),
        body.alias_ips,
      );
    } catch (error) {
      attachment.aliasIps = before;
      throw error;
    }
    return cloud.actions.answer(
      cloud.actions.start(call.project, {
        command: 'change_alias_ips',
        duration: 'attachNetwork',
        resources: bothOf(server, body.network),
      }),
    );
  });
}

/**
 * Takes an address in the network for the server; it shows once the action has ended.
 * @throws ApiError server_already_attached, networks_overlap, incompatible_network_type, no_subnet_available,
 *   ip_not_available, resource_limit_exceeded
 */
export function attach(
  cloud: Cloud,
  project: Project,
  server: Server,
  network: Network,
  wish: { ip?: string | undefined; ipRange?: string | undefined; aliasIps: string[] },
): void {
  checkAttachable(cloud, project, server, network);
  const ip = allocateAddress(project, network, wish);
  const attachment: PrivateNet = {
    network: network.id,
    ip,
    aliasIps: [],
    macAddress: macAddress(cloud),
    attached: false,
  };
  const aliasIps = checkedAliases(project, network, wish.aliasIps);
  if (aliasIps.includes(ip)) throw invalidField('alias_ips', 'must not contain the IP itself');
  attachment.aliasIps = aliasIps;
  server.privateNet.push(attachment);
}

export function startAttach(
  cloud: Cloud,
  project: Project,
  server: Server,
  network: Network,
  after?: Action,
): Action {
  return cloud.actions.start(project, {
    command: 'attach_to_network',
    duration: 'attachNetwork',
    resources: bothOf(server, network.id),
    ...(after ? { after } : {}),
  });
}

/** @throws ApiError 404 */
export function networkOf(project: Project, id: number): Network {
  const network = project.networks[id];
  if (!network) throw notFound('network', id);
  return network;
}

function defineCommands(cloud: Cloud): void {
  const withoutNetwork = (server: Server, networkId: number | undefined): void => {
    server.privateNet = server.privateNet.filter((attachment) => attachment.network !== networkId);
  };
  cloud.actions.define('attach_to_network', {
    complete: (project, action) => {
      const { server, networkId } = subjects(project, action);
      for (const attachment of server?.privateNet ?? []) {
        if (attachment.network === networkId) attachment.attached = true;
      }
    },
    fail: (project, action) => {
      const { server, networkId } = subjects(project, action);
      if (server) withoutNetwork(server, networkId);
    },
  });
  cloud.actions.define('detach_from_network', {
    complete: (project, action) => {
      const { server, networkId } = subjects(project, action);
      if (server) withoutNetwork(server, networkId);
    },
  });
}

function subjects(
  project: Project,
  action: Action,
): { server: Server | undefined; networkId: number | undefined } {
  const idOf = (type: 'server' | 'network'): number | undefined =>
    action.resources.find((resource) => resource.type === type)?.id;
  return { server: project.servers[idOf('server') ?? 0], networkId: idOf('network') };
}

function checkAttachable(cloud: Cloud, project: Project, server: Server, network: Network): void {
  if (server.privateNet.some((attachment) => attachment.network === network.id)) {
    throw new ApiError(
      422,
      'server_already_attached',
      `server ${server.id} is already attached to network ${network.id}`,
    );
  }
  const limits = cloud.settings.limits;
  if (server.privateNet.length >= limits.networksPerServer) {
    throw limitExceeded('network limit per server exceeded', 'server_network_limit');
  }
  const members = Object.values(project.servers).filter((candidate) =>
    candidate.privateNet.some((attachment) => attachment.network === network.id),
  );
  if (members.length >= limits.serversPerNetwork) {
    throw limitExceeded('server limit per network exceeded', 'network_server_limit');
  }
  const range = rangeOf(network.ipRange);
  for (const { network: other } of server.privateNet) {
    if (overlaps(range, rangeOf(networkOf(project, other).ipRange))) {
      throw new ApiError(422, 'networks_overlap', `network ${network.id} overlaps with network ${other}`);
    }
  }
  const zone = network.subnets[0]?.networkZone;
  if (zone !== undefined && zone !== locationNamed(server.location)?.network_zone) {
    throw new ApiError(
      422,
      'incompatible_network_type',
      `network ${network.id} is in zone ${zone}, the server is not`,
    );
  }
}

function checkedAliases(project: Project, network: Network, aliases: string[]): string[] {
  for (const alias of aliases) checkFreeAddress(project, network, alias, 'alias_ips');
  if (new Set(aliases).size < aliases.length) throw invalidField('alias_ips', 'contains duplicates');
  return aliases;
}

function attachmentOf(server: Server, networkId: number): PrivateNet {
  const attachment = server.privateNet.find((entry) => entry.network === networkId);
  if (!attachment) {
    throw new ApiError(404, 'not_found', `server ${server.id} is not attached to network ${networkId}`);
  }
  return attachment;
}

const bothOf = (server: Server, networkId: number): Action['resources'] => [
  { type: 'server', id: server.id },
  { type: 'network', id: networkId },
];

/** Private interfaces have the vendor's own prefix 86:00, by which cloud-init knows them. */
function macAddress(cloud: Cloud): string {
  const octets = Array.from({ length: 4 }, () => cloud.kernel.random.text(2, '0123456789abcdef'));
  return ['86', '00', ...octets].join(':');
}
