import { billServer, endBill } from './billing';
import { projectWith, type Cloud } from './cloud';
import { syncFirewalls } from './firewall-targets';
import { deletePrimaryIp } from './primary-ips';
import type { Action, Project, Server } from './state';
import { typeOf } from './server-view';

const SHUT_DOWN = 'hetzner.server.shutdown';

/** What the commands do to a server, and what its machine is told and when. */
export function defineServerCommands(cloud: Cloud): void {
  const on =
    (change: (server: Server, project: Project, at: number, action: Action) => void) =>
    (project: Project, action: Action, at: number): void => {
      const id = action.resources.find((resource) => resource.type === 'server')?.id;
      const server = id === undefined ? undefined : project.servers[id];
      if (server) change(server, project, at, action);
    };
  const { actions } = cloud;

  actions.define('create_server', {
    complete: on((server, project) => {
      const goesOn = actions.running(project, 'server', server.id).length > 0;
      if (!goesOn) server.status = 'off';
    }),
    fail: on((server) => (server.status = 'off')),
  });
  actions.define('start_server', {
    begin: on((server) => (server.status = 'starting')),
    complete: on((server, project) => run(cloud, project, server)),
    fail: on((server) => (server.status = 'off')),
  });
  actions.define('stop_server', {
    begin: on((server) => (server.status = 'stopping')),
    complete: on((server) => halt(cloud, server)),
    fail: on((server) => (server.status = 'running')),
  });
  // The action ends when the signal is sent; the machine takes its time.
  actions.define('shutdown_server', {
    complete: on((server, _project, at) => {
      const { shutdown } = cloud.settings.durations;
      const delay = shutdown * cloud.settings.durationFactor * 1000;
      cloud.kernel.schedule.at(at + delay, SHUT_DOWN, shutdownSubject(server));
    }),
  });
  for (const command of ['reboot_server', 'reset_server']) {
    actions.define(command, {
      begin: on((server) => halt(cloud, server)),
      complete: on((server, project) => run(cloud, project, server)),
    });
  }
  actions.define('rebuild_server', {
    begin: on((server) => {
      halt(cloud, server);
      server.status = 'rebuilding';
    }),
    complete: on((server, project, _at, action) => {
      const image =
        cloud.state.catalogue.systemImages[Number(action.params['image'])] ??
        project.snapshots[Number(action.params['image'])];
      if (image) {
        server.image = image.id;
        server.imageData = structuredClone(image);
      }
      if (typeof action.params['userData'] === 'string') server.userData = action.params['userData'];
      server.freshDisk = true;
      run(cloud, project, server);
    }),
    fail: on((server) => (server.status = 'off')),
  });
  actions.define('change_server_type', {
    begin: on((server) => (server.status = 'migrating')),
    complete: on((server, project, at, action) => {
      server.serverType = String(action.params['serverType']);
      if (action.params['upgradeDisk'] === true) server.primaryDiskSize = typeOf(cloud, server).disk;
      endBill(project, 'server', server.id, at);
      billServer(cloud, project, server, at);
      // The vendor copies the disk and starts the server again.
      run(cloud, project, server);
    }),
    fail: on((server) => (server.status = 'off')),
  });
  actions.define('create_image', {
    complete: (project, action) => {
      const image = project.snapshots[Number(action.params['image'])];
      if (image) image.status = 'available';
    },
    fail: (project, action) => {
      delete project.snapshots[Number(action.params['image'])];
    },
  });
  actions.define('delete_server', {
    begin: on((server) => {
      halt(cloud, server);
      server.status = 'deleting';
    }),
    complete: on((server, project, at) => removeServer(cloud, project, server, at)),
    fail: on((server) => (server.status = 'off')),
  });
  cloud.kernel.schedule.on(SHUT_DOWN, (subject) => {
    const id = Number(subject.split('/').at(-1));
    const server = projectWith(cloud, 'servers', id)?.servers[id];
    if (server?.status === 'running') halt(cloud, server);
  });
}

export const shutdownSubject = (server: Server): string => `hetzner/shutdown/${server.id}`;

function run(cloud: Cloud, project: Project, server: Server): void {
  const address = (id: number | null): string | undefined =>
    id === null ? undefined : project.primaryIps[id]?.ip;
  const { freshDisk } = server;
  server.status = 'running';
  server.freshDisk = false;
  cloud.machines.started({
    serverId: server.id,
    projectId: project.id,
    name: server.name,
    image: server.imageData.name ?? undefined,
    location: server.location,
    userData: server.userData ?? undefined,
    sshPublicKeys: server.sshPublicKeys,
    publicIpv4: address(server.primaryIps.ipv4),
    publicIpv6: address(server.primaryIps.ipv6)?.replace('/64', '1'),
    privateIps: server.privateNet.filter((entry) => entry.attached).map((entry) => entry.ip),
    freshDisk,
  });
}

/** Switches off; the machine is told only if it ran. */
function halt(cloud: Cloud, server: Server): void {
  const ran = server.status === 'running' || server.status === 'stopping';
  server.status = 'off';
  cloud.kernel.schedule.cancel(shutdownSubject(server));
  if (ran) cloud.machines.stopped(server.id);
}

function removeServer(cloud: Cloud, project: Project, server: Server, at: number): void {
  for (const ip of Object.values(project.primaryIps)) {
    if (ip.assignee !== server.id) continue;
    ip.assignee = null;
    if (ip.autoDelete) deletePrimaryIp(cloud, project, ip, at);
  }
  for (const volume of Object.values(project.volumes)) {
    if (volume.server === server.id) volume.server = null;
  }
  for (const firewall of Object.values(project.firewalls)) {
    firewall.servers = firewall.servers.filter((id) => id !== server.id);
  }
  endBill(project, 'server', server.id, at);
  delete project.servers[server.id];
  syncFirewalls(cloud, project);
  cloud.machines.deleted(server.id);
}
