import { z } from 'zod';
import { refuseWhenLocked } from './actions';
import { idField, labelsField, nameAndLabels, nameField, optionalId, parseBody } from './body';
import { locationNamed } from './catalogue';
import { nextId, timestamp, type Cloud } from './cloud';
import {
  ApiError,
  invalidField,
  invalidInputMessage,
  limitExceeded,
  notFound,
  protectedError,
} from './errors';
import type { Call, Route } from './http';
import { COMMON_SORT, filtered, listAnswer } from './lists';
import { checkUniqueName, resourceOf } from './resources';
import type { Action, Project, Server, Volume } from './state';

const createSchema = z.object({
  name: nameField,
  size: z.int().min(10).max(10_240),
  location: z.string().optional(),
  server: optionalId,
  automount: z.boolean().optional(),
  format: z.enum(['ext4', 'xfs']).nullish(),
  labels: labelsField.default({}),
});

export function volumeRoutes(route: Route, cloud: Cloud): void {
  const volumeOf = (call: Call): Volume => resourceOf(call, call.project.volumes, 'volume');
  const act = (call: Call, command: string, volume: Volume): Action =>
    cloud.actions.start(call.project, {
      command,
      duration: 'volume',
      resources: [
        { type: 'volume', id: volume.id },
        ...(volume.server === null ? [] : [{ type: 'server' as const, id: volume.server }]),
      ],
    });

  route('GET', '/volumes', (call) =>
    listAnswer(call, {
      key: 'volumes',
      items: filtered(call, Object.values(call.project.volumes)),
      render: renderVolume,
      sort: COMMON_SORT,
    }),
  );
  route('POST', '/volumes', (call) => {
    const volume = createVolume(cloud, call.project, parseBody(createSchema, call.body));
    const action = act(call, 'create_volume', volume);
    return {
      status: 201,
      body: { volume: renderVolume(volume), action: cloud.actions.render(action), next_actions: [] },
    };
  });
  route('GET', '/volumes/:id', (call) => ({ status: 200, body: { volume: renderVolume(volumeOf(call)) } }));
  route('PUT', '/volumes/:id', (call) => {
    const changes = parseBody(nameAndLabels, call.body);
    const volume = volumeOf(call);
    if (changes.name !== undefined) {
      checkUniqueName(call.project.volumes, changes.name, 'volume', volume.id);
      volume.name = changes.name;
    }
    if (changes.labels) volume.labels = changes.labels;
    return { status: 200, body: { volume: renderVolume(volume) } };
  });
  route('DELETE', '/volumes/:id', (call) => {
    const volume = volumeOf(call);
    if (volume.protection.delete) throw protectedError('volume');
    if (volume.server !== null)
      throw invalidInputMessage(`volume ${volume.id} is still attached to a server`);
    delete call.project.volumes[volume.id];
    return { status: 204 };
  });
  route('POST', '/volumes/:id/actions/attach', (call) => {
    const body = parseBody(z.object({ server: idField, automount: z.boolean().optional() }), call.body);
    const volume = volumeOf(call);
    if (volume.server !== null) {
      throw new ApiError(422, 'volume_already_attached', `volume ${volume.id} is already attached`);
    }
    attachVolume(cloud, call.project, volume, body.server);
    return cloud.actions.answer(act(call, 'attach_volume', volume));
  });
  route('POST', '/volumes/:id/actions/detach', (call) => {
    const volume = volumeOf(call);
    const server = volume.server === null ? undefined : call.project.servers[volume.server];
    if (!server) throw invalidInputMessage(`volume ${volume.id} is not attached`);
    refuseWhenLocked(cloud, call.project, server.id);
    const action = act(call, 'detach_volume', volume);
    server.volumes = server.volumes.filter((id) => id !== volume.id);
    volume.server = null;
    return cloud.actions.answer(action);
  });
  route('POST', '/volumes/:id/actions/resize', (call) => {
    const { size } = parseBody(z.object({ size: z.int().max(10_240) }), call.body);
    const volume = volumeOf(call);
    if (size <= volume.size) throw invalidField('size', `must be greater than ${volume.size}`);
    volume.size = size;
    return cloud.actions.answer(act(call, 'resize_volume', volume));
  });
  route('POST', '/volumes/:id/actions/change_protection', (call) => {
    const volume = volumeOf(call);
    volume.protection.delete = parseBody(z.object({ delete: z.boolean() }), call.body).delete;
    return cloud.actions.answer(act(call, 'change_protection', volume));
  });
}

function createVolume(cloud: Cloud, project: Project, body: z.output<typeof createSchema>): Volume {
  checkUniqueName(project.volumes, body.name, 'volume');
  if (Object.keys(project.volumes).length >= cloud.settings.limits.volumes) {
    throw limitExceeded('volume limit exceeded', 'volume_limit');
  }
  const server = body.server === undefined ? undefined : serverOf(project, body.server);
  const location = server?.location ?? body.location;
  if (location === undefined) throw invalidField('location', 'Missing data for required field.');
  if (!locationNamed(location)) throw invalidInputMessage(`location '${location}' not found`);
  if (server) refuseWhenLocked(cloud, project, server.id);
  const volume: Volume = {
    id: nextId(cloud),
    name: body.name,
    size: body.size,
    location,
    server: server?.id ?? null,
    format: body.format ?? null,
    status: 'available',
    labels: body.labels,
    created: cloud.kernel.clock.now(),
    protection: { delete: false },
  };
  project.volumes[volume.id] = volume;
  server?.volumes.push(volume.id);
  return volume;
}

function attachVolume(cloud: Cloud, project: Project, volume: Volume, serverId: number): void {
  const server = serverOf(project, serverId);
  refuseWhenLocked(cloud, project, server.id);
  if (server.location !== volume.location) throw invalidField('server', 'is in another location');
  volume.server = server.id;
  server.volumes.push(volume.id);
}

function serverOf(project: Project, id: number): Server {
  const server = project.servers[id];
  if (!server) throw notFound('server', id);
  return server;
}

function renderVolume(volume: Volume): unknown {
  return {
    id: volume.id,
    name: volume.name,
    size: volume.size,
    location: locationNamed(volume.location),
    server: volume.server,
    format: volume.format,
    status: volume.status,
    linux_device: `/dev/disk/by-id/scsi-0HC_Volume_${volume.id}`,
    labels: volume.labels,
    created: timestamp(volume.created),
    protection: volume.protection,
  };
}
