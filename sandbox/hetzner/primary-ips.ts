import { z } from 'zod';
import { billPrimaryIp, endBill } from './billing';
import { idField, labelsField, nameField, optionalId, parseBody } from './body';
import { locationNamed } from './catalogue';
import { nextId, timestamp, type Cloud } from './cloud';
import { ApiError, invalidField, limitExceeded, notFound, protectedError, unavailable } from './errors';
import { syncFirewalls } from './firewall-targets';
import type { Call, Route } from './http';
import { COMMON_SORT, filtered, listAnswer } from './lists';
import { checkUniqueName, resourceOf } from './resources';
import type { Action, Labels, PrimaryIp, Project, Server } from './state';

const createSchema = z.object({
  name: nameField,
  type: z.enum(['ipv4', 'ipv6']),
  assignee_type: z.enum(['server', 'unassigned']).default('server'),
  assignee_id: optionalId,
  location: z.string().optional(),
  auto_delete: z.boolean().default(false),
  labels: labelsField.default({}),
});

const updateSchema = z.object({
  name: nameField.optional(),
  labels: labelsField.optional(),
  auto_delete: z.boolean().optional(),
});

const assignSchema = z.object({ assignee_id: idField, assignee_type: z.literal('server').default('server') });
const protectionSchema = z.object({ delete: z.boolean() });
const dnsSchema = z.object({ ip: z.string(), dns_ptr: z.string().nullable() });

export function primaryIpRoutes(route: Route, cloud: Cloud): void {
  const ipOf = (call: Call): PrimaryIp => resourceOf(call, call.project.primaryIps, 'primary ip');
  const act = (call: Call, command: string, ip: PrimaryIp): Action =>
    cloud.actions.start(call.project, {
      command,
      duration: 'primaryIp',
      locks: false,
      resources: [{ type: 'primary_ip', id: ip.id }],
    });

  route('GET', '/primary_ips', (call) => {
    const address = call.query.one('ip');
    const ips = filtered(call, Object.values(call.project.primaryIps));
    return listAnswer(call, {
      key: 'primary_ips',
      items: ips.filter((ip) => address === undefined || ip.ip === address),
      render: renderPrimaryIp,
      sort: COMMON_SORT,
    });
  });
  route('POST', '/primary_ips', (call) => {
    const body = parseBody(createSchema, call.body);
    const assignee =
      body.assignee_id === undefined ? undefined : stoppedServer(call.project, body.assignee_id);
    const location = assignee?.location ?? body.location;
    if (location === undefined || (assignee && body.location !== undefined)) {
      throw invalidField('location', 'exactly one of location and assignee_id is required');
    }
    if (!locationNamed(location)) throw invalidField('location', `location '${location}' not found`);
    checkUniqueName(call.project.primaryIps, body.name, 'primary IP');
    if (assignee) checkFamilyFree(assignee, body.type);
    const ip = createPrimaryIp(cloud, call.project, {
      name: body.name,
      type: body.type,
      location,
      autoDelete: body.auto_delete,
      labels: body.labels,
    });
    if (assignee) assign(cloud, call.project, ip, assignee);
    const action = act(call, 'create_primary_ip', ip);
    return { status: 201, body: { primary_ip: renderPrimaryIp(ip), action: cloud.actions.render(action) } };
  });
  route('GET', '/primary_ips/:id', (call) => ({
    status: 200,
    body: { primary_ip: renderPrimaryIp(ipOf(call)) },
  }));
  route('PUT', '/primary_ips/:id', (call) => {
    const changes = parseBody(updateSchema, call.body);
    const ip = ipOf(call);
    if (changes.name !== undefined) {
      checkUniqueName(call.project.primaryIps, changes.name, 'primary IP', ip.id);
      ip.name = changes.name;
    }
    if (changes.labels) ip.labels = changes.labels;
    ip.autoDelete = changes.auto_delete ?? ip.autoDelete;
    return { status: 200, body: { primary_ip: renderPrimaryIp(ip) } };
  });
  route('DELETE', '/primary_ips/:id', (call) => {
    const ip = ipOf(call);
    if (ip.protection.delete) throw protectedError('primary IP');
    if (ip.assignee !== null) {
      throw new ApiError(422, 'must_be_unassigned', `primary IP ${ip.id} must be unassigned first`);
    }
    deletePrimaryIp(cloud, call.project, ip, cloud.kernel.clock.now());
    return { status: 204 };
  });

  route('POST', '/primary_ips/:id/actions/assign', (call) => {
    const body = parseBody(assignSchema, call.body);
    const ip = ipOf(call);
    if (ip.assignee !== null) {
      throw new ApiError(422, 'primary_ip_already_assigned', `primary IP ${ip.id} is already assigned`);
    }
    const server = stoppedServer(call.project, body.assignee_id);
    checkFamilyFree(server, ip.type);
    checkSameLocation(ip, server.location);
    assign(cloud, call.project, ip, server);
    return cloud.actions.answer(act(call, 'assign_primary_ip', ip));
  });
  route('POST', '/primary_ips/:id/actions/unassign', (call) => {
    const ip = ipOf(call);
    if (ip.assignee === null) throw invalidField('primary_ip', 'is not assigned');
    const server = stoppedServer(call.project, ip.assignee);
    ip.assignee = null;
    server.primaryIps[ip.type] = null;
    syncFirewalls(cloud, call.project);
    return cloud.actions.answer(act(call, 'unassign_primary_ip', ip));
  });
  route('POST', '/primary_ips/:id/actions/change_protection', (call) => {
    const body = parseBody(protectionSchema, call.body);
    const ip = ipOf(call);
    ip.protection.delete = body.delete;
    return cloud.actions.answer(act(call, 'change_protection', ip));
  });
  route('POST', '/primary_ips/:id/actions/change_dns_ptr', (call) => {
    const body = parseBody(dnsSchema, call.body);
    const ip = ipOf(call);
    setDnsPtr(ip, body.ip, body.dns_ptr);
    return cloud.actions.answer(act(call, 'change_dns_ptr', ip));
  });
}

/** Makes an address and starts to charge for it. @throws ApiError 403 when the project may not have one more */
export function createPrimaryIp(
  cloud: Cloud,
  project: Project,
  wish: {
    name?: string;
    type: PrimaryIp['type'];
    location: string;
    autoDelete: boolean;
    labels?: Labels;
    /** Labels of the server that it is made with, for the costs; it carries none of them itself. */
    serverLabels?: Labels;
  },
): PrimaryIp {
  if (wish.type === 'ipv4') checkPrimaryIpLimit(cloud, project);
  const id = nextId(cloud);
  const ip: PrimaryIp = {
    id,
    name: wish.name ?? `primary_ip-${id}`,
    type: wish.type,
    ip: wish.type === 'ipv4' ? takeIpv4(cloud) : nextIpv6Network(cloud),
    location: wish.location,
    assignee: null,
    autoDelete: wish.autoDelete,
    labels: wish.labels ?? {},
    created: cloud.kernel.clock.now(),
    protection: { delete: false },
    dnsPtr: [],
  };
  project.primaryIps[id] = ip;
  billPrimaryIp(cloud, project, ip, wish.serverLabels ?? ip.labels);
  return ip;
}

/** @throws ApiError 403 */
export function checkPrimaryIpLimit(cloud: Cloud, project: Project): void {
  const count = Object.values(project.primaryIps).filter((ip) => ip.type === 'ipv4').length;
  if (count >= cloud.settings.limits.primaryIps) {
    throw limitExceeded('Primary IP limit exceeded', 'primary_ip_limit');
  }
}

export function assign(cloud: Cloud, project: Project, ip: PrimaryIp, server: Server): void {
  ip.assignee = server.id;
  server.primaryIps[ip.type] = ip.id;
  syncFirewalls(cloud, project);
}

/** Gives the address back and stops charging for it. */
export function deletePrimaryIp(cloud: Cloud, project: Project, ip: PrimaryIp, at: number): void {
  if (ip.type === 'ipv4') cloud.addresses.release(ip.ip);
  endBill(project, 'primary_ip', ip.id, at);
  delete project.primaryIps[ip.id];
}

/** @throws ApiError primary_ip_datacenter_mismatch: the code kept its name when datacenters went */
export function checkSameLocation(ip: PrimaryIp, location: string): void {
  if (ip.location !== location) {
    throw new ApiError(
      422,
      'primary_ip_datacenter_mismatch',
      `primary IP ${ip.id} is in ${ip.location}, the server in ${location}`,
    );
  }
}

/** @throws ApiError invalid_input when the address is not this one's */
export function setDnsPtr(ip: PrimaryIp, address: string, name: string | null): void {
  const prefix = ip.ip.split('/')[0] ?? '';
  const own = ip.type === 'ipv4' ? address === ip.ip : address.startsWith(prefix);
  if (!own) throw invalidField('ip', 'does not belong to the resource');
  ip.dnsPtr = ip.dnsPtr.filter((entry) => entry.ip !== address);
  if (name !== null) ip.dnsPtr.push({ ip: address, dns_ptr: name });
}

/** PTR name of an IPv4 address when none was set. */
export function defaultDnsPtr(address: string): string {
  return `static.${address.split('.').toReversed().join('.')}.clients.your-server.de`;
}

export function renderPrimaryIp(ip: PrimaryIp): unknown {
  return {
    id: ip.id,
    name: ip.name,
    type: ip.type,
    ip: ip.ip,
    location: locationNamed(ip.location),
    assignee_id: ip.assignee,
    assignee_type: ip.assignee === null ? 'unassigned' : 'server',
    auto_delete: ip.autoDelete,
    blocked: false,
    created: timestamp(ip.created),
    dns_ptr:
      ip.type === 'ipv4' && ip.dnsPtr.length === 0
        ? [{ ip: ip.ip, dns_ptr: defaultDnsPtr(ip.ip) }]
        : ip.dnsPtr,
    labels: ip.labels,
    protection: ip.protection,
  };
}

/** @throws ApiError 412 when the sandbox's block of loopback addresses is used up */
function takeIpv4(cloud: Cloud): string {
  try {
    return cloud.addresses.take();
  } catch (error) {
    throw unavailable(`no IPv4 address left: ${error instanceof Error ? error.message : String(error)}`);
  }
}

/** Consecutive /64 networks of the documentation prefix 2001:db8::/32. */
function nextIpv6Network(cloud: Cloud): string {
  cloud.state.ipv6Networks += 1;
  const index = cloud.state.ipv6Networks;
  return `2001:db8:${Math.floor(index / 0x10000).toString(16)}:${(index % 0x10000).toString(16)}::/64`;
}

function stoppedServer(project: Project, id: number): Server {
  const server = project.servers[id];
  if (!server) throw notFound('server', id);
  if (server.status !== 'off') {
    throw new ApiError(422, 'server_not_stopped', `server ${id} must be stopped`);
  }
  return server;
}

function checkFamilyFree(server: Server, family: PrimaryIp['type']): void {
  if (server.primaryIps[family] !== null) {
    throw new ApiError(422, `server_has_${family}`, `server ${server.id} already has an ${family} address`);
  }
}
