import { billServer } from './billing';
import { nextId, type Cloud } from './cloud';
import { syncFirewalls } from './firewall-targets';
import { assign, createPrimaryIp } from './primary-ips';
import { attach, startAttach } from './server-networks';
import { checkServer, type CreateServer, type ServerPlan } from './server-plan';
import type { Action, Labels, PrimaryIp, Project, Server } from './state';

export interface CreatedServer {
  server: Server;
  action: Action;
  nextActions: Action[];
  rootPassword: string | null;
}

/** Checks everything first, so that a refused request leaves nothing behind; then makes the server. */
export function createServer(cloud: Cloud, project: Project, body: CreateServer): CreatedServer {
  const plan = checkServer(cloud, project, body);
  const server: Server = {
    id: nextId(cloud),
    name: body.name,
    status: 'initializing',
    created: cloud.kernel.clock.now(),
    serverType: plan.type.name,
    location: plan.location,
    image: plan.image.id,
    imageData: structuredClone(plan.image),
    primaryDiskSize: plan.type.disk,
    labels: body.labels,
    userData: body.user_data === '' ? null : body.user_data,
    sshPublicKeys: plan.sshPublicKeys,
    primaryIps: { ipv4: null, ipv6: null },
    privateNet: [],
    firewalls: [],
    placementGroup: plan.placementGroup?.id ?? null,
    volumes: [],
    protection: { delete: false, rebuild: false },
    rescueEnabled: false,
    backupWindow: null,
    iso: null,
    freshDisk: true,
  };
  // First what may still be refused for want of addresses.
  for (const network of plan.networks) attach(cloud, project, server, network, { aliasIps: [] });
  const addresses = takeAddresses(cloud, project, plan, body.labels);
  project.servers[server.id] = server;
  for (const ip of addresses) assign(cloud, project, ip, server);
  for (const firewall of plan.firewalls) firewall.servers.push(server.id);
  for (const volume of plan.volumes) {
    volume.server = server.id;
    server.volumes.push(volume.id);
  }
  syncFirewalls(cloud, project);
  // Firewalls named at creation hold before the first boot; those of label selectors come a moment later.
  for (const entry of server.firewalls) {
    if (plan.firewalls.some((firewall) => firewall.id === entry.id)) entry.status = 'applied';
  }
  billServer(cloud, project, server, server.created);

  const resources = [{ type: 'server' as const, id: server.id }];
  const action = cloud.actions.start(project, {
    command: 'create_server',
    duration: 'createServer',
    resources,
  });
  let last = action;
  const nextActions: Action[] = [];
  for (const network of plan.networks) {
    last = startAttach(cloud, project, server, network, last);
    nextActions.push(last);
  }
  if (body.start_after_create) {
    nextActions.push(
      cloud.actions.start(project, {
        command: 'start_server',
        duration: 'startServer',
        resources,
        after: last,
      }),
    );
  }
  const rootPassword = plan.sshPublicKeys.length > 0 ? null : cloud.kernel.random.text(20);
  return { server, action, nextActions, rootPassword };
}

/** The primary IPs that were named, and new ones that go with the server. */
function takeAddresses(cloud: Cloud, project: Project, plan: ServerPlan, serverLabels: Labels): PrimaryIp[] {
  return (['ipv4', 'ipv6'] as const).flatMap((type) => {
    const wanted = plan.primaryIps[type];
    if (wanted === 'none') return [];
    if (wanted !== 'new') return [wanted];
    return [
      createPrimaryIp(cloud, project, { type, location: plan.location, autoDelete: true, serverLabels }),
    ];
  });
}
