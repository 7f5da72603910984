import { z } from 'zod';
import { refuseWhenLocked } from './actions';
import { labelsField, parseBody } from './body';
import type { Cloud } from './cloud';
import { protectedError } from './errors';
import { syncFirewalls } from './firewall-targets';
import type { Call, Route } from './http';
import { COMMON_SORT, filtered, listAnswer } from './lists';
import { checkUniqueName, resourceOf } from './resources';
import { serverActionRoutes } from './server-actions';
import { createServer } from './server-create';
import { checkHostname, createServerSchema } from './server-plan';
import { defineServerCommands } from './server-lifecycle';
import { serverNetworkRoutes } from './server-networks';
import { renderServer } from './server-view';
import type { Server } from './state';

const updateSchema = z.object({ name: z.string().optional(), labels: labelsField.optional() });

export function serverRoutes(route: Route, cloud: Cloud): void {
  const serverOf = (call: Call): Server => resourceOf(call, call.project.servers, 'server');

  route('GET', '/servers', (call) => {
    const status = call.query.all('status');
    const servers = filtered(call, Object.values(call.project.servers));
    return listAnswer(call, {
      key: 'servers',
      items: servers.filter((server) => status.length === 0 || status.includes(server.status)),
      render: (server) => renderServer(cloud, call.project, server),
      sort: COMMON_SORT,
    });
  });
  route('POST', '/servers', (call) => {
    const made = createServer(cloud, call.project, parseBody(createServerSchema, call.body));
    return {
      status: 201,
      body: {
        server: renderServer(cloud, call.project, made.server),
        action: cloud.actions.render(made.action),
        next_actions: made.nextActions.map((action) => cloud.actions.render(action)),
        root_password: made.rootPassword,
      },
    };
  });
  route('GET', '/servers/:id', (call) => {
    return { status: 200, body: { server: renderServer(cloud, call.project, serverOf(call)) } };
  });
  route('PUT', '/servers/:id', (call) => {
    const changes = parseBody(updateSchema, call.body);
    const server = serverOf(call);
    if (changes.name !== undefined) {
      checkHostname(changes.name);
      checkUniqueName(call.project.servers, changes.name, 'server', server.id);
      server.name = changes.name;
    }
    if (changes.labels) {
      server.labels = changes.labels;
      syncFirewalls(cloud, call.project);
    }
    return { status: 200, body: { server: renderServer(cloud, call.project, server) } };
  });
  route('DELETE', '/servers/:id', (call) => {
    const server = serverOf(call);
    if (server.protection.delete) throw protectedError('server');
    refuseWhenLocked(cloud, call.project, server.id);
    const action = cloud.actions.start(call.project, {
      command: 'delete_server',
      duration: 'deleteServer',
      resources: [{ type: 'server', id: server.id }],
    });
    return { status: 200, body: { action: cloud.actions.render(action) } };
  });
  serverActionRoutes(route, cloud);
  serverNetworkRoutes(route, cloud);
  defineServerCommands(cloud);
}
