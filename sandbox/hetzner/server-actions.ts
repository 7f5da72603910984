import { z } from 'zod';
import { refuseWhenLocked } from './actions';
import { idField, labelsField, parseBody } from './body';
import type { Cloud } from './cloud';
import { ApiError, invalidField, invalidInputMessage, notFound, protectedError, unsupported } from './errors';
import type { Answer, Call, Route } from './http';
import { addSnapshot, checkSnapshotLimit, imagesOf, renderImage } from './images';
import { checkRoomInGroup } from './placement-groups';
import { setDnsPtr } from './primary-ips';
import { resourceOf } from './resources';
import { checkTypeInLocation, checkUserData } from './server-plan';
import { findType } from './server-types';
import { typeOf } from './server-view';
import type { Durations } from './settings';
import type { Action, Server } from './state';

const idOrName = z.union([z.int(), z.string().min(1)]);
const rebuildSchema = z.object({ image: idOrName, user_data: z.string().optional() });
const changeTypeSchema = z.object({ server_type: idOrName, upgrade_disk: z.boolean() });
const createImageSchema = z.object({
  type: z.enum(['snapshot', 'backup']).default('snapshot'),
  description: z.string().default(''),
  labels: labelsField.default({}),
});
const protectionSchema = z.object({ delete: z.boolean().optional(), rebuild: z.boolean().optional() });
const dnsSchema = z.object({ ip: z.string(), dns_ptr: z.string().nullable() });
const groupSchema = z.object({ placement_group: idField });

/** Parts of the vendor's API that the local cloud does not play. */
const UNSUPPORTED = ['attach_iso', 'detach_iso', 'request_console', 'enable_backup', 'disable_backup'];

export function serverActionRoutes(route: Route, cloud: Cloud): void {
  /** Registers an action that needs an unlocked server. `extra` is answered beside the action. */
  const act = (
    path: string,
    command: string,
    duration: keyof Durations,
    prepare: (server: Server, call: Call) => { params?: Action['params']; extra?: object } | undefined,
  ): void => {
    route('POST', `/servers/:id/actions/${path}`, (call): Answer => {
      const server = resourceOf(call, call.project.servers, 'server');
      refuseWhenLocked(cloud, call.project, server.id);
      const prepared = prepare(server, call);
      const action = cloud.actions.start(call.project, {
        command,
        effective: !isInVain(server, command),
        duration,
        resources: [{ type: 'server', id: server.id }],
        ...(prepared?.params ? { params: prepared.params } : {}),
      });
      return { status: 201, body: { action: cloud.actions.render(action), ...prepared?.extra } };
    });
  };
  const nothing = (): undefined => undefined;

  act('poweron', 'start_server', 'startServer', (server) => {
    if (
      server.primaryIps.ipv4 === null &&
      server.primaryIps.ipv6 === null &&
      server.privateNet.length === 0
    ) {
      throw invalidInputMessage('server needs a public or private network to be started');
    }
    return undefined;
  });
  act('poweroff', 'stop_server', 'stopServer', nothing);
  act('shutdown', 'shutdown_server', 'other', nothing);
  act('reboot', 'reboot_server', 'reboot', nothing);
  act('reset', 'reset_server', 'reboot', nothing);
  act('rebuild', 'rebuild_server', 'rebuildServer', (server, call) => {
    const body = parseBody(rebuildSchema, call.body);
    if (server.protection.rebuild) throw protectedError('server');
    checkUserData(body.user_data ?? '');
    const wanted = String(body.image);
    const { architecture } = typeOf(cloud, server);
    const images = imagesOf(cloud, call.project).filter(
      (candidate) => String(candidate.id) === wanted || candidate.name === wanted,
    );
    const image = images.find((candidate) => candidate.architecture === architecture);
    if (images.length === 0) throw invalidInputMessage(`image '${wanted}' not found`);
    if (!image) throw invalidField('image', `does not fit server type architecture '${architecture}'`);
    const password = server.sshPublicKeys.length > 0 ? null : cloud.kernel.random.text(20);
    return {
      params: { image: image.id, userData: body.user_data ?? null },
      extra: { root_password: password },
    };
  });
  act('change_type', 'change_server_type', 'changeServerType', (server, call) => {
    const body = parseBody(changeTypeSchema, call.body);
    const type = findType(cloud, body.server_type);
    if (!type) throw invalidInputMessage(`server type '${body.server_type}' not found`);
    checkStopped(server);
    const current = typeOf(cloud, server);
    if (type.name === current.name || type.architecture !== current.architecture) {
      throw new ApiError(422, 'invalid_server_type', `server type '${type.name}' does not fit the server`);
    }
    if (type.disk < server.primaryDiskSize) {
      throw new ApiError(422, 'invalid_server_type', 'the disk of the server type is too small');
    }
    checkTypeInLocation(cloud, type, server.location);
    return { params: { serverType: type.name, upgradeDisk: body.upgrade_disk } };
  });
  act('create_image', 'create_image', 'createImage', (server, call) => {
    const body = parseBody(createImageSchema, call.body);
    if (body.type === 'backup') throw unsupported('backups are not supported');
    checkSnapshotLimit(cloud, call.project);
    const image = addSnapshot(cloud, call.project, {
      description: body.description || server.name,
      architecture: server.imageData.architecture,
      diskSize: server.primaryDiskSize,
      osFlavor: server.imageData.osFlavor,
      osVersion: server.imageData.osVersion,
      createdFrom: { id: server.id, name: server.name },
      status: 'creating',
      labels: body.labels,
    });
    return { params: { image: image.id }, extra: { image: renderImage(image) } };
  });
  act('change_protection', 'change_protection', 'other', (server, call) => {
    const body = parseBody(protectionSchema, call.body);
    const wanted = { ...server.protection, ...body };
    if (wanted.delete !== wanted.rebuild) {
      throw invalidField('delete', 'delete and rebuild protection must be the same');
    }
    server.protection = { delete: wanted.delete, rebuild: wanted.rebuild };
    return undefined;
  });
  act('change_dns_ptr', 'change_dns_ptr', 'other', (server, call) => {
    const body = parseBody(dnsSchema, call.body);
    const id = body.ip.includes(':') ? server.primaryIps.ipv6 : server.primaryIps.ipv4;
    const ip = id === null ? undefined : call.project.primaryIps[id];
    if (!ip) throw notFound('ip', body.ip);
    setDnsPtr(ip, body.ip, body.dns_ptr);
    return undefined;
  });
  act('enable_rescue', 'enable_rescue', 'other', (server) => {
    server.rescueEnabled = true;
    return { extra: { root_password: cloud.kernel.random.text(20) } };
  });
  act('disable_rescue', 'disable_rescue', 'other', (server) => {
    server.rescueEnabled = false;
    return undefined;
  });
  act('reset_password', 'reset_password', 'other', (server) => {
    if (server.status !== 'running') throw serverNotRunning(server);
    return { extra: { root_password: cloud.kernel.random.text(20) } };
  });
  act('add_to_placement_group', 'add_to_placement_group', 'other', (server, call) => {
    const { placement_group: id } = parseBody(groupSchema, call.body);
    const group = call.project.placementGroups[id];
    if (!group) throw notFound('placement group', id);
    if (server.placementGroup !== null) {
      throw new ApiError(422, 'already_in_placement_group', `server ${server.id} is already in a group`);
    }
    checkStopped(server);
    checkRoomInGroup(cloud, call.project, group);
    server.placementGroup = id;
    return undefined;
  });
  act('remove_from_placement_group', 'remove_from_placement_group', 'other', (server) => {
    if (server.placementGroup === null) throw invalidInputMessage('server is not in a placement group');
    server.placementGroup = null;
    return undefined;
  });
  for (const path of UNSUPPORTED) {
    route('POST', `/servers/:id/actions/${path}`, () => {
      throw unsupported(`${path} is not supported`);
    });
  }
}

/** Starting what runs and stopping what is off succeeds and changes nothing. */
function isInVain(server: Server, command: string): boolean {
  if (command === 'start_server') return server.status === 'running';
  return ['stop_server', 'shutdown_server'].includes(command) && server.status === 'off';
}

function checkStopped(server: Server): void {
  if (server.status !== 'off') {
    throw new ApiError(422, 'server_not_stopped', `server ${server.id} must be stopped`);
  }
}

const serverNotRunning = (server: Server): ApiError =>
  invalidInputMessage(`server ${server.id} must be running`);
