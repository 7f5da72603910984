import { z } from 'zod';
import { idField, labelsField, optionalId } from './body';
import { locationNamed, type Image, type ServerTypeState } from './catalogue';
import type { Cloud } from './cloud';
import { ApiError, invalidField, invalidInputMessage, limitExceeded, unavailable } from './errors';
import { checkFirewallLimit, privateOnly } from './firewall-targets';
import { imagesOf } from './images';
import { checkRoomInGroup } from './placement-groups';
import { checkPrimaryIpLimit, checkSameLocation } from './primary-ips';
import { checkUniqueName } from './resources';
import { findType, offeredLocations } from './server-types';
import type { Firewall, Network, PlacementGroup, PrimaryIp, Project, Volume } from './state';

const MAX_USER_DATA_BYTES = 32_768;
const DEFAULT_LOCATION = 'fsn1';

const idOrName = z.union([z.int(), z.string().min(1)]);

/** `datacenter` is refused: the vendor removed it on 2026-07-01. */
export const createServerSchema = z.object({
  name: z.string(),
  server_type: idOrName,
  image: idOrName,
  location: z.string().optional(),
  datacenter: z.undefined({ error: 'datacenter was removed, use location' }).optional(),
  start_after_create: z.boolean().default(true),
  ssh_keys: z.array(idOrName).default([]),
  user_data: z.string().default(''),
  labels: labelsField.default({}),
  networks: z.array(idField).default([]),
  firewalls: z.array(z.object({ firewall: idField })).default([]),
  volumes: z.array(idField).default([]),
  automount: z.boolean().optional(),
  placement_group: optionalId,
  public_net: z
    .object({
      enable_ipv4: z.boolean().default(true),
      enable_ipv6: z.boolean().default(true),
      ipv4: optionalId,
      ipv6: optionalId,
    })
    .prefault({}),
});
export type CreateServer = z.output<typeof createServerSchema>;

/** A request for a server with everything that it names looked up. */
export interface ServerPlan {
  type: ServerTypeState;
  image: Image;
  location: string;
  sshPublicKeys: string[];
  networks: Network[];
  firewalls: Firewall[];
  volumes: Volume[];
  placementGroup: PlacementGroup | undefined;
  primaryIps: { ipv4: PrimaryIp | 'new' | 'none'; ipv6: PrimaryIp | 'new' | 'none' };
}

/**
 * Checks a request in the vendor's order: its fields, what it names, uniqueness, quotas, and last whether there
 * is room. Nothing is changed.
 * @throws ApiError with the vendor's code
 */
export function checkServer(cloud: Cloud, project: Project, body: CreateServer): ServerPlan {
  checkHostname(body.name);
  checkUserData(body.user_data);
  const type = findType(cloud, body.server_type);
  if (!type) throw invalidInputMessage(`server type '${body.server_type}' not found`);
  const image = findImage(cloud, project, body.image, type);
  const sshPublicKeys = body.ssh_keys.map((key) => publicKeyOf(project, key));
  const networks = body.networks.map((id) => find(project.networks, id, 'network'));
  const firewalls = body.firewalls.map(({ firewall }) => find(project.firewalls, firewall, 'firewall'));
  const volumes = body.volumes.map((id) => find(project.volumes, id, 'volume'));
  const location = body.location ?? volumes[0]?.location ?? DEFAULT_LOCATION;
  if (!locationNamed(location)) throw invalidInputMessage(`location '${location}' not found`);
  checkVolumes(volumes, location);

  checkUniqueName(project.servers, body.name, 'server');
  const primaryIps = {
    ipv4: checkPrimaryIp(project, 'ipv4', body.public_net.enable_ipv4, body.public_net.ipv4, location),
    ipv6: checkPrimaryIp(project, 'ipv6', body.public_net.enable_ipv6, body.public_net.ipv6, location),
  };
  checkNets(body, firewalls, primaryIps);
  checkFirewallLimit(cloud, firewalls.length);

  if (Object.keys(project.servers).length >= cloud.settings.limits.servers) {
    throw limitExceeded('server limit exceeded', 'server_limit');
  }
  if (primaryIps.ipv4 === 'new') checkPrimaryIpLimit(cloud, project);
  checkTypeInLocation(cloud, type, location);
  const placementGroup =
    body.placement_group === undefined
      ? undefined
      : find(project.placementGroups, body.placement_group, 'placement group');
  if (placementGroup) checkRoomInGroup(cloud, project, placementGroup);
  return {
    type,
    image,
    location,
    sshPublicKeys,
    networks,
    firewalls,
    volumes,
    placementGroup,
    primaryIps,
  };
}

/** Names are RFC 1123 host names. @throws ApiError invalid_input */
export function checkHostname(name: string): void {
  const labels = name.split('.');
  const valid =
    name.length <= 253 &&
    labels.every((label) => /^[A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?$/.test(label));
  if (!valid) throw invalidField('name', 'must be a valid hostname as per RFC 1123');
}

/** @throws ApiError invalid_input when it is longer than the vendor takes */
export function checkUserData(userData: string): void {
  if (Buffer.byteLength(userData) > MAX_USER_DATA_BYTES) {
    throw invalidField('user_data', `Length must be between 0 and ${MAX_USER_DATA_BYTES}.`);
  }
}

/** @throws ApiError resource_unavailable when it is sold out, invalid_input when it is not offered there */
export function checkTypeInLocation(cloud: Cloud, type: ServerTypeState, location: string): void {
  if (!offeredLocations(cloud, type).includes(location)) {
    throw invalidInputMessage('unsupported location for server type');
  }
  if (cloud.state.catalogue.disabledLocations.includes(location)) {
    throw unavailable('server location disabled');
  }
  if (!type.locations[location]?.placeable) throw unavailable('error during placement');
}

/** By id, or by name for the type's architecture. */
function findImage(
  cloud: Cloud,
  project: Project,
  idOrNameWanted: string | number,
  type: ServerTypeState,
): Image {
  const wanted = String(idOrNameWanted);
  const candidates = imagesOf(cloud, project).filter(
    (image) => String(image.id) === wanted || image.name === wanted,
  );
  if (candidates.length === 0) throw invalidInputMessage(`image '${wanted}' not found`);
  const image = candidates.find((candidate) => candidate.architecture === type.architecture);
  if (!image) {
    throw invalidField(
      'image',
      `image architecture '${candidates[0]?.architecture}' does not fit server type architecture '${type.architecture}'`,
    );
  }
  if (image.status !== 'available') throw unavailable(`image ${image.id} is not available yet`);
  if (image.diskSize > type.disk) {
    throw invalidField('image', `needs a disk of ${image.diskSize} GB, the server type has ${type.disk} GB`);
  }
  return image;
}

function publicKeyOf(project: Project, idOrNameWanted: string | number): string {
  const wanted = String(idOrNameWanted);
  const key = Object.values(project.sshKeys).find(
    (candidate) => String(candidate.id) === wanted || candidate.name === wanted,
  );
  if (!key) throw invalidInputMessage(`SSH key '${wanted}' not found`);
  return key.publicKey;
}

function find<Item>(collection: Record<number, Item>, id: number, what: string): Item {
  const item = collection[id];
  if (!item) throw invalidInputMessage(`${what} '${id}' not found`);
  return item;
}

function checkPrimaryIp(
  project: Project,
  family: PrimaryIp['type'],
  enabled: boolean,
  id: number | undefined,
  location: string,
): PrimaryIp | 'new' | 'none' {
  if (id === undefined) return enabled ? 'new' : 'none';
  if (!enabled) throw invalidField(`public_net.${family}`, `must not be set when enable_${family} is false`);
  const ip = find(project.primaryIps, id, 'primary IP');
  if (ip.type !== family) {
    throw new ApiError(412, 'primary_ip_version_mismatch', `primary IP ${id} is not an ${family} address`);
  }
  if (ip.assignee !== null) {
    throw new ApiError(422, 'primary_ip_assigned', `primary IP ${id} is already assigned to a server`);
  }
  checkSameLocation(ip, location);
  return ip;
}

/** A server without any public address may not be started before it has a network, nor have a firewall. */
function checkNets(body: CreateServer, firewalls: Firewall[], primaryIps: ServerPlan['primaryIps']): void {
  if (primaryIps.ipv4 !== 'none' || primaryIps.ipv6 !== 'none') return;
  if (firewalls.length > 0) throw privateOnly(body.name);
  if (body.networks.length === 0 && body.start_after_create) {
    throw invalidField(
      'public_net',
      'a server without public network must have a network or start_after_create false',
    );
  }
}

function checkVolumes(volumes: Volume[], location: string): void {
  for (const volume of volumes) {
    if (volume.server !== null) {
      throw new ApiError(422, 'volume_already_attached', `volume ${volume.id} is already attached`);
    }
    if (volume.location !== location)
      throw invalidField('volumes', `volume ${volume.id} is in another location`);
  }
}
