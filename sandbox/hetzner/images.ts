import { z } from 'zod';
import type { Image } from './catalogue';
import { nextId, timestamp, type Cloud } from './cloud';
import { labelsField, parseBody } from './body';
import { invalidField, limitExceeded, notFound, protectedError } from './errors';
import type { Call, Route } from './http';
import { COMMON_SORT, filtered, listAnswer } from './lists';
import type { Labels, Project } from './state';

/** The images a project sees: the vendor's and its own snapshots. */
export function imagesOf(cloud: Cloud, project: Project): Image[] {
  return [...Object.values(cloud.state.catalogue.systemImages), ...Object.values(project.snapshots)];
}

/** Adds a snapshot to a project; used by the settings, by tests and by `create_image`. */
export function addSnapshot(
  cloud: Cloud,
  project: Project,
  from: Pick<Image, 'description' | 'architecture' | 'diskSize'> &
    Partial<Pick<Image, 'osFlavor' | 'osVersion' | 'createdFrom' | 'status' | 'type'>> & { labels?: Labels },
): Image {
  const image: Image = {
    id: nextId(cloud),
    type: from.type ?? 'snapshot',
    status: from.status ?? 'available',
    name: null,
    description: from.description,
    osFlavor: from.osFlavor ?? 'debian',
    osVersion: from.osVersion ?? null,
    architecture: from.architecture,
    diskSize: from.diskSize,
    imageSize: Math.round(from.diskSize * 5) / 100,
    created: cloud.kernel.clock.now(),
    createdFrom: from.createdFrom ?? null,
    deprecated: null,
    labels: from.labels ?? {},
    protection: { delete: false },
  };
  project.snapshots[image.id] = image;
  return image;
}

/** @throws ApiError 403 when the project may not have one more snapshot */
export function checkSnapshotLimit(cloud: Cloud, project: Project): void {
  if (Object.keys(project.snapshots).length >= cloud.settings.limits.snapshots) {
    throw limitExceeded('snapshot limit exceeded', 'snapshot_limit');
  }
}

export function renderImage(image: Image): unknown {
  return {
    id: image.id,
    type: image.type,
    status: image.status,
    name: image.name,
    description: image.description,
    os_flavor: image.osFlavor,
    os_version: image.osVersion,
    architecture: image.architecture,
    disk_size: image.diskSize,
    image_size: image.imageSize,
    rapid_deploy: image.type === 'system',
    created: timestamp(image.created),
    created_from: image.createdFrom,
    bound_to: null,
    deprecated: image.deprecated === null ? null : timestamp(image.deprecated),
    deleted: null,
    labels: image.labels,
    protection: image.protection,
  };
}

const updateSchema = z.object({
  description: z.string().optional(),
  type: z.literal('snapshot').optional(),
  labels: labelsField.optional(),
});

export function imageRoutes(route: Route, cloud: Cloud): void {
  route('GET', '/images', (call) => {
    const types = call.query.all('type');
    const status = call.query.all('status');
    const architectures = call.query.all('architecture');
    const withDeprecated = call.query.one('include_deprecated') === 'true';
    const kept = filtered(call, imagesOf(cloud, call.project)).filter(
      (image) =>
        (types.length === 0 || types.includes(image.type)) &&
        (status.length === 0 || status.includes(image.status)) &&
        (architectures.length === 0 || architectures.includes(image.architecture)) &&
        (withDeprecated || !isDeprecated(cloud, image)),
    );
    return listAnswer(call, { key: 'images', items: kept, render: renderImage, sort: COMMON_SORT });
  });
  route('GET', '/images/:id', (call) => ({
    status: 200,
    body: { image: renderImage(imageOf(cloud, call)) },
  }));
  route('PUT', '/images/:id', (call) => {
    const changes = parseBody(updateSchema, call.body);
    const image = ownImage(cloud, call);
    if (changes.description !== undefined) image.description = changes.description;
    if (changes.labels) image.labels = changes.labels;
    return { status: 200, body: { image: renderImage(image) } };
  });
  route('DELETE', '/images/:id', (call) => {
    const image = ownImage(cloud, call);
    if (image.protection.delete) throw protectedError('image');
    delete call.project.snapshots[image.id];
    return { status: 204 };
  });
  route('POST', '/images/:id/actions/change_protection', (call) => {
    const { delete: on } = parseBody(z.object({ delete: z.boolean() }), call.body);
    const image = ownImage(cloud, call);
    image.protection.delete = on;
    const resources = [{ type: 'image' as const, id: image.id }];
    return cloud.actions.answer(
      cloud.actions.start(call.project, { command: 'change_protection', duration: 'other', resources }),
    );
  });
}

function isDeprecated(cloud: Cloud, image: Image): boolean {
  return image.deprecated !== null && image.deprecated <= cloud.kernel.clock.now();
}

function imageOf(cloud: Cloud, call: Call): Image {
  const image = imagesOf(cloud, call.project).find((candidate) => String(candidate.id) === call.params['id']);
  if (!image) throw notFound('image', call.params['id'] ?? '');
  return image;
}

function ownImage(cloud: Cloud, call: Call): Image {
  const image = imageOf(cloud, call);
  if (image.type !== 'snapshot') throw invalidField('image', 'system images cannot be changed');
  return image;
}
