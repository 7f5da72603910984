import { concerns } from './actions';
import type { Cloud } from './cloud';
import { invalidField, notFound } from './errors';
import type { Answer, Call, Route } from './http';
import { listAnswer } from './lists';
import type { Action, Project, ResourceRef } from './state';

const ACTION_SORT = {
  id: (action: Action) => action.id,
  command: (action: Action) => action.command,
  status: (action: Action) => action.status,
  started: (action: Action) => action.started,
  finished: (action: Action) => action.finished,
};

/** `/actions`, which wants ids, and the same lists below each kind of resource. */
export function actionRoutes(route: Route, cloud: Cloud): void {
  const { actions } = cloud;
  const list = (call: Call, items: Action[]): Answer => {
    const ids = call.query.ids('id');
    const status = call.query.all('status');
    return listAnswer(call, {
      key: 'actions',
      items: items.filter(
        (action) =>
          (ids.length === 0 || ids.includes(action.id)) &&
          (status.length === 0 || status.includes(action.status)),
      ),
      render: (action) => actions.render(action),
      sort: ACTION_SORT,
    });
  };
  const one = (id: string, items: Action[]): Answer => {
    const action = items.find((candidate) => String(candidate.id) === id);
    if (!action) throw notFound('action', id);
    return { status: 200, body: { action: actions.render(action) } };
  };

  route('GET', '/actions', (call) => {
    if (call.query.all('id').length === 0) throw invalidField('id', 'Missing data for required field.');
    return list(call, Object.values(call.project.actions));
  });
  route('GET', '/actions/:id', (call) => one(call.params['id'] ?? '', Object.values(call.project.actions)));

  const kinds = {
    servers: 'server',
    networks: 'network',
    firewalls: 'firewall',
    primary_ips: 'primary_ip',
    volumes: 'volume',
    images: 'image',
  } as const;
  for (const [path, type] of Object.entries(kinds)) {
    const ofKind = (call: Call): Action[] =>
      Object.values(call.project.actions).filter((action) =>
        action.resources.some((resource) => resource.type === type),
      );
    const ofResource = (call: Call): Action[] => {
      const id = Number(call.params['id']);
      const collection = COLLECTIONS[type](call.project);
      if (!(id in collection)) throw notFound(type, call.params['id'] ?? '');
      return Object.values(call.project.actions).filter((action) => concerns(action, type, id));
    };
    route('GET', `/${path}/actions`, (call) => list(call, ofKind(call)));
    route('GET', `/${path}/actions/:id`, (call) => one(call.params['id'] ?? '', ofKind(call)));
    route('GET', `/${path}/:id/actions`, (call) => list(call, ofResource(call)));
    route('GET', `/${path}/:id/actions/:action`, (call) =>
      one(call.params['action'] ?? '', ofResource(call)),
    );
  }
}

const COLLECTIONS: Record<ResourceRef['type'], (project: Project) => Record<number, unknown>> = {
  server: (project) => project.servers,
  network: (project) => project.networks,
  firewall: (project) => project.firewalls,
  primary_ip: (project) => project.primaryIps,
  volume: (project) => project.volumes,
  image: (project) => project.snapshots,
};
