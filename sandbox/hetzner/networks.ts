import { z } from 'zod';
import { nextId, timestamp, type Cloud } from './cloud';
import { labelsField, nameField, parseBody } from './body';
import { limitExceeded, protectedError } from './errors';
import type { Route } from './http';
import { COMMON_SORT, filtered, listAnswer } from './lists';
import { gatewayOf } from './network-addresses';
import {
  addRoute,
  addSubnet,
  checkNetworkRange,
  networkActionRoutes,
  routeField,
  subnetField,
} from './network-actions';
import { checkUniqueName, resourceOf } from './resources';
import type { Network, Project } from './state';

const createSchema = z.object({
  name: nameField,
  ip_range: z.string(),
  labels: labelsField.default({}),
  subnets: z.array(subnetField).default([]),
  routes: z.array(routeField).default([]),
  expose_routes_to_vswitch: z.boolean().default(false),
});

const updateSchema = z.object({
  name: nameField.optional(),
  labels: labelsField.optional(),
  expose_routes_to_vswitch: z.boolean().optional(),
});

export function networkRoutes(route: Route, cloud: Cloud): void {
  route('GET', '/networks', (call) =>
    listAnswer(call, {
      key: 'networks',
      items: filtered(call, Object.values(call.project.networks)),
      render: (network) => renderNetwork(call.project, network),
      sort: COMMON_SORT,
    }),
  );
  route('POST', '/networks', (call) => {
    const network = createNetwork(cloud, call.project, parseBody(createSchema, call.body));
    return { status: 201, body: { network: renderNetwork(call.project, network) } };
  });
  route('GET', '/networks/:id', (call) => {
    const network = resourceOf(call, call.project.networks, 'network');
    return { status: 200, body: { network: renderNetwork(call.project, network) } };
  });
  route('PUT', '/networks/:id', (call) => {
    const changes = parseBody(updateSchema, call.body);
    const network = resourceOf(call, call.project.networks, 'network');
    if (changes.name !== undefined) {
      checkUniqueName(call.project.networks, changes.name, 'network', network.id);
      network.name = changes.name;
    }
    if (changes.labels) network.labels = changes.labels;
    network.exposeRoutesToVswitch = changes.expose_routes_to_vswitch ?? network.exposeRoutesToVswitch;
    return { status: 200, body: { network: renderNetwork(call.project, network) } };
  });
  route('DELETE', '/networks/:id', (call) => {
    const network = resourceOf(call, call.project.networks, 'network');
    if (network.protection.delete) throw protectedError('network');
    for (const server of Object.values(call.project.servers)) {
      server.privateNet = server.privateNet.filter((attachment) => attachment.network !== network.id);
    }
    cloud.actions.abandon(call.project, 'network', network.id, cloud.kernel.clock.now());
    delete call.project.networks[network.id];
    return { status: 204 };
  });
  networkActionRoutes(route, cloud);
}

function createNetwork(cloud: Cloud, project: Project, body: z.output<typeof createSchema>): Network {
  checkNetworkRange(body.ip_range);
  checkUniqueName(project.networks, body.name, 'network');
  if (Object.keys(project.networks).length >= cloud.settings.limits.networks) {
    throw limitExceeded('network limit exceeded', 'network_limit');
  }
  const network: Network = {
    id: nextId(cloud),
    name: body.name,
    ipRange: body.ip_range,
    subnets: [],
    routes: [],
    labels: body.labels,
    created: cloud.kernel.clock.now(),
    protection: { delete: false },
    exposeRoutesToVswitch: body.expose_routes_to_vswitch,
  };
  for (const subnet of body.subnets) addSubnet(cloud, network, subnet);
  for (const entry of body.routes) addRoute(cloud, network, entry);
  project.networks[network.id] = network;
  return network;
}

function renderNetwork(project: Project, network: Network): unknown {
  return {
    id: network.id,
    name: network.name,
    ip_range: network.ipRange,
    subnets: network.subnets.map((subnet) => ({
      type: subnet.type,
      ip_range: subnet.ipRange,
      network_zone: subnet.networkZone,
      gateway: gatewayOf(network),
      vswitch_id: subnet.vswitchId,
    })),
    routes: network.routes,
    servers: Object.values(project.servers)
      .filter((server) => server.privateNet.some((entry) => entry.network === network.id && entry.attached))
      .map((server) => server.id),
    load_balancers: [],
    protection: network.protection,
    labels: network.labels,
    created: timestamp(network.created),
    expose_routes_to_vswitch: network.exposeRoutesToVswitch,
  };
}
