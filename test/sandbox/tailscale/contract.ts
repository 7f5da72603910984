import assert from 'node:assert/strict';
import { type Answer, keyRequest } from './tailnet';

const KEYS = '/api/v2/tailnet/-/keys';
const DEVICES = '/api/v2/tailnet/-/devices';

/** A kind of tailnet behind the vendor's API, and machines that can join it. */
export interface TailnetUnderTest {
  /** Calls the API as the workers' OAuth client. */
  call(method: string, path: string, body?: unknown): Promise<Answer>;
  /** A machine joins and stays; rejects when it is not let in. */
  join(authKey: string, hostname: string): Promise<{ logout(): Promise<void> }>;
  /** So much time goes by for keys and machines. */
  pass(seconds: number): Promise<void>;
}

interface Listed {
  nodeId: string;
  hostname: string;
  name: string;
  tags?: string[];
}

/** What the API promises, whoever keeps the tailnet behind it. */
export function keepsTheContract(tailnet: () => TailnetUnderTest): void {
  const newKey = async (create: object = {}, rest: object = {}): Promise<{ id: string; key: string }> => {
    const answer = await tailnet().call('POST', KEYS, keyRequest(create, rest));
    assert.equal(answer.status, 200, JSON.stringify(answer.body));
    return answer.body as { id: string; key: string };
  };
  const devices = async (): Promise<Listed[]> =>
    ((await tailnet().call('GET', DEVICES)).body as { devices: Listed[] }).devices;
  const named = async (hostname: string): Promise<Listed[]> =>
    (await devices()).filter((device) => device.hostname === hostname);
  const keyIds = async (): Promise<string[]> =>
    ((await tailnet().call('GET', KEYS)).body as { keys: { id: string }[] }).keys.map(({ id }) => id);

  it('lets one machine in with a single-use key, under its name and with the key’s tag', async () => {
    const { id, key } = await newKey();
    assert.ok((await keyIds()).includes(id));
    await tailnet().join(key, 'single-1');
    const [device, ...others] = await named('single-1');
    assert.deepEqual(others, []);
    assert.deepEqual([device?.name, device?.tags], ['single-1.sandbox.ts.net', ['tag:worker']]);

    await assert.rejects(tailnet().join(key, 'single-2'));
    assert.deepEqual(await named('single-2'), []);
    assert.equal(((await tailnet().call('GET', `${KEYS}/${id}`)).body as { invalid: boolean }).invalid, true);
    assert.ok(!(await keyIds()).includes(id));
  });

  it('lets several machines in with a reusable key, each under a name of its own', async () => {
    const { id, key } = await newKey({ reusable: true });
    await tailnet().join(key, 'several');
    await tailnet().join(key, 'several');
    const names = (await named('several')).map(({ name }) => name);
    assert.equal(new Set(names).size, 2, names.join(' '));
    assert.ok((await keyIds()).includes(id));
  });

  it('lets nobody in with a key that was deleted', async () => {
    const { id, key } = await newKey();
    assert.equal((await tailnet().call('DELETE', `${KEYS}/${id}`)).status, 200);
    await assert.rejects(tailnet().join(key, 'deleted-key'));
    assert.deepEqual(await named('deleted-key'), []);
    const gone = await tailnet().call('GET', `${KEYS}/${id}`);
    assert.deepEqual([gone.status, gone.body], [404, { message: 'key not found' }]);
  });

  it('lets nobody in with a key that has expired', async () => {
    const { id, key } = await newKey({}, { expirySeconds: 1 });
    await tailnet().pass(2);
    await assert.rejects(tailnet().join(key, 'expired'));
    assert.deepEqual(await named('expired'), []);
    assert.ok(!(await keyIds()).includes(id));
  });

  it('forgets a device that the API deletes, and keeps the others', async () => {
    const { key } = await newKey({ reusable: true });
    await tailnet().join(key, 'kept');
    await tailnet().join(key, 'removed');
    const [removed] = await named('removed');
    assert.equal((await tailnet().call('DELETE', `/api/v2/device/${removed?.nodeId}`)).status, 200);
    assert.deepEqual(await named('removed'), []);
    assert.equal((await named('kept')).length, 1);
    for (const method of ['GET', 'DELETE']) {
      const again = await tailnet().call(method, `/api/v2/device/${removed?.nodeId}`);
      assert.deepEqual([again.status, again.body], [404, { message: 'device not found' }]);
    }
  });

  it('forgets an ephemeral device when it logs out, and keeps an ordinary one', async () => {
    const ephemeral = await tailnet().join((await newKey({ ephemeral: true })).key, 'ephemeral');
    const ordinary = await tailnet().join((await newKey()).key, 'ordinary');
    await ephemeral.logout();
    await ordinary.logout();
    assert.deepEqual(await named('ephemeral'), []);
    assert.equal((await named('ordinary')).length, 1);
  });

  it('shows a device with the vendor’s fields', async () => {
    await tailnet().join((await newKey({ ephemeral: true })).key, 'shown');
    const [shown] = await named('shown');
    const device = (await tailnet().call('GET', `/api/v2/device/${shown?.nodeId}`)).body as Record<
      string,
      unknown
    >;
    assert.deepEqual(device, shown);
    assert.deepEqual(Object.keys(device).sort(), FIELDS);
    assert.match(String(device['nodeId']), /^n\w{11}CNTRL$/);
    assert.match(String(device['nodeKey']), /^nodekey:[0-9a-f]{64}$/);
    const { authorized, connectedToControl, isEphemeral, keyExpiryDisabled, lastSeen } = device;
    assert.deepEqual(
      { authorized, connectedToControl, isEphemeral, keyExpiryDisabled, lastSeen },
      {
        authorized: true,
        connectedToControl: true,
        isEphemeral: true,
        keyExpiryDisabled: true,
        lastSeen: null,
      },
    );
  });

  it('changes the tags and the name of a device', async () => {
    await tailnet().join((await newKey()).key, 'changed');
    const path = `/api/v2/device/${(await named('changed'))[0]?.nodeId}`;
    assert.equal((await tailnet().call('POST', `${path}/name`, { name: 'renamed' })).status, 200);
    const refused = await tailnet().call('POST', `${path}/tags`, { tags: ['tag:ghost'] });
    assert.deepEqual(refused.body, { message: 'requested tags [tag:ghost] are invalid or not permitted' });
    const { name, tags } = (await tailnet().call('GET', path)).body as Listed;
    assert.deepEqual([name, tags], ['renamed.sandbox.ts.net', ['tag:worker']]);
  });

  it('takes a policy file, and says what is wrong with one', async () => {
    const policy = {
      tagOwners: { 'tag:worker': ['autogroup:admin'], 'tag:more': ['tag:worker'] },
      acls: [{ action: 'accept', src: ['autogroup:member', 'tag:worker'], dst: ['*:*'] }],
    };
    const set = await tailnet().call('POST', '/api/v2/tailnet/-/acl', policy);
    assert.deepEqual([set.status, set.body], [200, policy]);
    assert.equal((await newKey({ tags: ['tag:more'] })).key.length > 0, true);
    const refused = await tailnet().call('POST', '/api/v2/tailnet/-/acl', { acls: 'none', tagOwners: 7 });
    assert.equal(refused.status, 400);
  });
}

const FIELDS = [
  'addresses',
  'authorized',
  'blocksIncomingConnections',
  'clientVersion',
  'connectedToControl',
  'created',
  'expires',
  'hostname',
  'id',
  'isEphemeral',
  'isExternal',
  'keyExpiryDisabled',
  'lastSeen',
  'machineKey',
  'name',
  'nodeId',
  'nodeKey',
  'os',
  'tags',
  'tailnetLockError',
  'tailnetLockKey',
  'updateAvailable',
  'user',
];
