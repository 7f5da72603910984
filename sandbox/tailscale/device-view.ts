import { badRequest } from './errors';
import type { Device } from './state';
import { rfc3339, ZERO_TIME } from './time';

/** A device as the API shows it; `allFields` adds what `fields=all` does. */
export function viewDevice(device: Device, name: string, allFields: boolean): Record<string, unknown> {
  return {
    addresses: [device.ipv4, device.ipv6],
    id: device.id,
    nodeId: device.nodeId,
    name,
    hostname: device.hostname,
    user: device.tags.length > 0 ? 'tagged-devices' : 'admin@sandbox.example',
    authorized: device.authorized,
    ...(device.tags.length > 0 && { tags: device.tags }),
    keyExpiryDisabled: device.keyExpiresAt === undefined,
    blocksIncomingConnections: false,
    clientVersion: '1.88.3-t1a2b3c4d5-g6e7f8a9b0',
    created: rfc3339(device.createdAt),
    expires: device.keyExpiresAt === undefined ? ZERO_TIME : rfc3339(device.keyExpiresAt),
    connectedToControl: device.online,
    lastSeen: device.online ? null : rfc3339(device.lastSeenAt),
    isEphemeral: device.ephemeral,
    isExternal: false,
    machineKey: device.machineKey,
    nodeKey: device.nodeKey,
    os: device.os,
    updateAvailable: false,
    tailnetLockError: '',
    tailnetLockKey: '',
    ...(allFields && {
      advertisedRoutes: device.advertisedRoutes,
      enabledRoutes: device.enabledRoutes,
      sshEnabled: true,
      clientConnectivity: { endpoints: [`${device.ipv4}:41641`], derp: '', mappingVariesByDestIP: false },
    }),
  };
}

/**
 * Whether a device passes the list's filters: per attribute any of the given values, and all attributes together.
 * @throws TailscaleError 400 for an attribute that devices do not have
 */
export function passes(view: Record<string, unknown>, filters: Map<string, string[]>): boolean {
  return [...filters].every(([attribute, permitted]) => {
    if (!FILTERABLE.includes(attribute)) throw badRequest(`unknown device filter "${attribute}"`);
    const value = view[attribute] ?? [];
    const values = (Array.isArray(value) ? value : [value]).map(String);
    return values.some((item) => permitted.includes(item));
  });
}

const FILTERABLE = [
  'addresses',
  'authorized',
  'blocksIncomingConnections',
  'clientVersion',
  'connectedToControl',
  'hostname',
  'id',
  'isEphemeral',
  'isExternal',
  'keyExpiryDisabled',
  'name',
  'nodeId',
  'os',
  'tags',
  'updateAvailable',
  'user',
];
