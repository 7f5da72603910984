import { z } from 'zod';
import { nextId, timestamp, type Cloud } from './cloud';
import { labelsField, nameAndLabels, nameField, parseBody } from './body';
import { ApiError, limitExceeded } from './errors';
import type { Route } from './http';
import { COMMON_SORT, filtered, listAnswer } from './lists';
import { checkUniqueName, resourceOf } from './resources';
import type { PlacementGroup, Project } from './state';

const createSchema = z.object({
  name: nameField,
  type: z.literal('spread'),
  labels: labelsField.default({}),
});

export function placementGroupRoutes(route: Route, cloud: Cloud): void {
  route('GET', '/placement_groups', (call) => {
    const types = call.query.all('type');
    const groups = filtered(call, Object.values(call.project.placementGroups));
    return listAnswer(call, {
      key: 'placement_groups',
      items: groups.filter((group) => types.length === 0 || types.includes(group.type)),
      render: (group) => renderGroup(call.project, group),
      sort: COMMON_SORT,
    });
  });
  route('POST', '/placement_groups', (call) => {
    const body = parseBody(createSchema, call.body);
    checkUniqueName(call.project.placementGroups, body.name, 'placement group');
    if (Object.keys(call.project.placementGroups).length >= cloud.settings.limits.placementGroups) {
      throw limitExceeded('placement group limit exceeded', 'placement_group_limit');
    }
    const group: PlacementGroup = { id: nextId(cloud), created: cloud.kernel.clock.now(), ...body };
    call.project.placementGroups[group.id] = group;
    return { status: 201, body: { placement_group: renderGroup(call.project, group), action: null } };
  });
  route('GET', '/placement_groups/:id', (call) => {
    const group = resourceOf(call, call.project.placementGroups, 'placement group');
    return { status: 200, body: { placement_group: renderGroup(call.project, group) } };
  });
  route('PUT', '/placement_groups/:id', (call) => {
    const changes = parseBody(nameAndLabels, call.body);
    const group = resourceOf(call, call.project.placementGroups, 'placement group');
    if (changes.name !== undefined) {
      checkUniqueName(call.project.placementGroups, changes.name, 'placement group', group.id);
      group.name = changes.name;
    }
    if (changes.labels) group.labels = changes.labels;
    return { status: 200, body: { placement_group: renderGroup(call.project, group) } };
  });
  route('DELETE', '/placement_groups/:id', (call) => {
    const group = resourceOf(call, call.project.placementGroups, 'placement group');
    for (const server of Object.values(call.project.servers)) {
      if (server.placementGroup === group.id) server.placementGroup = null;
    }
    delete call.project.placementGroups[group.id];
    return { status: 204 };
  });
}

/** @throws ApiError placement_error when the group is full: each of its servers stands on a host of its own */
export function checkRoomInGroup(cloud: Cloud, project: Project, group: PlacementGroup): void {
  if (membersOf(project, group).length >= cloud.settings.limits.serversPerPlacementGroup) {
    throw new ApiError(422, 'placement_error', `placement group ${group.id} has no room for another server`);
  }
}

export function renderGroup(project: Project, group: PlacementGroup): unknown {
  return {
    id: group.id,
    name: group.name,
    labels: group.labels,
    type: group.type,
    created: timestamp(group.created),
    servers: membersOf(project, group),
  };
}

function membersOf(project: Project, group: PlacementGroup): number[] {
  return Object.values(project.servers)
    .filter((server) => server.placementGroup === group.id)
    .map((server) => server.id);
}
