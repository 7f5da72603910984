import { createHash } from 'node:crypto';
import { z } from 'zod';
import { nextId, timestamp, type Cloud } from './cloud';
import { labelsField, nameAndLabels, nameField, parseBody } from './body';
import { ApiError, invalidField, limitExceeded } from './errors';
import type { Route } from './http';
import { COMMON_SORT, filtered, listAnswer } from './lists';
import { checkUniqueName, resourceOf } from './resources';
import type { Project, SshKey } from './state';

const KEY_TYPES = [
  'ssh-ed25519',
  'ssh-rsa',
  'ecdsa-sha2-nistp256',
  'ecdsa-sha2-nistp384',
  'ecdsa-sha2-nistp521',
  'sk-ssh-ed25519@openssh.com',
  'sk-ecdsa-sha2-nistp256@openssh.com',
];

const createSchema = z.object({ name: nameField, public_key: z.string(), labels: labelsField.default({}) });

export function sshKeyRoutes(route: Route, cloud: Cloud): void {
  route('GET', '/ssh_keys', (call) => {
    const fingerprint = call.query.one('fingerprint');
    const keys = filtered(call, Object.values(call.project.sshKeys));
    return listAnswer(call, {
      key: 'ssh_keys',
      items: keys.filter((key) => fingerprint === undefined || key.fingerprint === fingerprint),
      render: renderKey,
      sort: COMMON_SORT,
    });
  });
  route('POST', '/ssh_keys', (call) => {
    const body = parseBody(createSchema, call.body);
    const key = createKey(cloud, call.project, body);
    return { status: 201, body: { ssh_key: renderKey(key) } };
  });
  route('GET', '/ssh_keys/:id', (call) => {
    return { status: 200, body: { ssh_key: renderKey(resourceOf(call, call.project.sshKeys, 'ssh_key')) } };
  });
  route('PUT', '/ssh_keys/:id', (call) => {
    const changes = parseBody(nameAndLabels, call.body);
    const key = resourceOf(call, call.project.sshKeys, 'ssh_key');
    if (changes.name !== undefined) {
      checkUniqueName(call.project.sshKeys, changes.name, 'SSH key', key.id);
      key.name = changes.name;
    }
    if (changes.labels) key.labels = changes.labels;
    return { status: 200, body: { ssh_key: renderKey(key) } };
  });
  route('DELETE', '/ssh_keys/:id', (call) => {
    delete call.project.sshKeys[resourceOf(call, call.project.sshKeys, 'ssh_key').id];
    return { status: 204 };
  });
}

/** MD5 over the key's blob, in colon-separated hex. @throws ApiError invalid_input when it is no public key */
export function fingerprintOf(publicKey: string): string {
  const [type = '', blob = ''] = publicKey.trim().split(/\s+/);
  const bytes = Buffer.from(blob, 'base64');
  if (!KEY_TYPES.includes(type) || !isKeyBlob(bytes, type)) {
    throw invalidField('public_key', 'SSH key format is invalid');
  }
  const digest = createHash('md5').update(bytes).digest('hex');
  return (digest.match(/../g) ?? []).join(':');
}

/** Whether the blob is whole: length-prefixed fields to its very end, of which the first is the type (RFC 4253, 6.6). */
function isKeyBlob(bytes: Buffer, type: string): boolean {
  const fields: Buffer[] = [];
  let position = 0;
  while (position + 4 <= bytes.length) {
    const start = position + 4;
    position = start + bytes.readUInt32BE(position);
    fields.push(bytes.subarray(start, position));
  }
  return position === bytes.length && fields.length > 1 && fields[0]?.toString() === type;
}

function createKey(cloud: Cloud, project: Project, body: z.output<typeof createSchema>): SshKey {
  const fingerprint = fingerprintOf(body.public_key);
  checkUniqueName(project.sshKeys, body.name, 'SSH key');
  if (Object.values(project.sshKeys).some((key) => key.fingerprint === fingerprint)) {
    throw new ApiError(409, 'uniqueness_error', 'SSH key with the same fingerprint already exists', {
      fields: [{ name: 'public_key' }],
    });
  }
  if (Object.keys(project.sshKeys).length >= cloud.settings.limits.sshKeys) {
    throw limitExceeded('SSH key limit exceeded', 'ssh_key_limit');
  }
  const key: SshKey = {
    id: nextId(cloud),
    name: body.name,
    fingerprint,
    publicKey: body.public_key.trim(),
    labels: body.labels,
    created: cloud.kernel.clock.now(),
  };
  project.sshKeys[key.id] = key;
  return key;
}

function renderKey(key: SshKey): unknown {
  return {
    id: key.id,
    name: key.name,
    fingerprint: key.fingerprint,
    public_key: key.publicKey,
    labels: key.labels,
    created: timestamp(key.created),
  };
}
