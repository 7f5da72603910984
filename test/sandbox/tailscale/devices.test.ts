import assert from 'node:assert/strict';
import fc from 'fast-check';
import { passes } from '../../../sandbox/tailscale/device-view';
import { sanitizeHostname, uniqueLabel } from '../../../sandbox/tailscale/names';
import { startTailnet, type Tailnet } from './tailnet';

const DEVICES = '/api/v2/tailnet/-/devices';
interface DeviceBody {
  nodeId: string;
  id: string;
  name: string;
  addresses: string[];
  [field: string]: unknown;
}

describe('Tailscale devices', () => {
  let tailnet: Tailnet;
  const list = async (query = ''): Promise<DeviceBody[]> => {
    const answer = await tailnet.call('GET', `${DEVICES}${query}`);
    assert.equal(answer.status, 200, JSON.stringify(answer.body));
    return (answer.body as { devices: DeviceBody[] }).devices;
  };
  const enrolled = async (hostname = 'worker', create: object = {}) =>
    tailnet.enrol((await tailnet.newKey(create)).key, hostname);
  const get = async (id: string): Promise<DeviceBody> =>
    (await tailnet.call('GET', `/api/v2/device/${id}`)).body as DeviceBody;
  const post = (id: string, path: string, body: object) =>
    tailnet.call('POST', `/api/v2/device/${id}/${path}`, body);

  beforeEach(async () => {
    tailnet = await startTailnet({
      oauthClients: [{ scopes: ['auth_keys', 'devices:core', 'devices:routes'] }],
    });
  });
  afterEach(() => tailnet.close());

  it('shows a connected worker with an address of the pool, its tags and no last-seen time', async () => {
    const device = await enrolled('CI-000a.local', { ephemeral: true });
    assert.equal(device.name, 'ci-000a.sandbox.ts.net');
    assert.equal(device.addresses[0], '127.9.0.1');
    assert.match(device.addresses[1] ?? '', /^fd7a:115c:a1e0::[1-9a-f][\da-f]{3}:[1-9a-f][\da-f]{3}$/);
    const [shown] = await list();
    const { id, machineKey, nodeKey, clientVersion, ...rest } = shown ?? assert.fail('no device');
    assert.match(`${id} ${String(machineKey)} ${String(nodeKey)}`, /^\d{16} mkey:\w{64} nodekey:\w{64}$/);
    assert.equal(typeof clientVersion, 'string');
    assert.deepEqual(rest, {
      addresses: device.addresses,
      nodeId: device.nodeId,
      name: 'ci-000a.sandbox.ts.net',
      hostname: 'CI-000a.local',
      user: 'tagged-devices',
      authorized: true,
      tags: ['tag:worker'],
      keyExpiryDisabled: true,
      blocksIncomingConnections: false,
      created: '2026-10-01T00:00:00Z',
      expires: '0001-01-01T00:00:00Z',
      connectedToControl: true,
      lastSeen: null,
      isEphemeral: true,
      isExternal: false,
      os: 'linux',
      updateAvailable: false,
      tailnetLockError: '',
      tailnetLockKey: '',
    });
  });

  it('adds routes and connectivity only for fields=all', async () => {
    const { nodeId } = await enrolled();
    assert.equal('enabledRoutes' in (await get(nodeId)), false);
    const [all] = await list('?fields=all');
    assert.deepEqual([all?.enabledRoutes, all?.sshEnabled], [[], true]);
  });

  it('gives a second machine of one hostname a name of its own', async () => {
    for (let count = 0; count < 3; count += 1) await enrolled('worker');
    const names = (await list()).map(({ name }) => name);
    assert.deepEqual(
      names,
      ['worker', 'worker-1', 'worker-2'].map((label) => `${label}.sandbox.ts.net`),
    );
  });

  it('keeps a device of a key that is not pre-authorised waiting for approval', async () => {
    const { nodeId } = await enrolled('worker', { preauthorized: false });
    assert.equal((await get(nodeId)).authorized, false);
    assert.equal((await post(nodeId, 'authorized', { authorized: true })).status, 200);
    assert.equal((await get(nodeId)).authorized, true);
  });

  it('finds and deletes by node id and by numeric id, and gives the address back', async () => {
    const [first, second] = [await enrolled('a'), await enrolled('b')];
    const { id } = await get(second.nodeId);
    assert.equal((await get(id)).nodeId, second.nodeId);
    for (const key of [first.nodeId, id]) {
      assert.equal((await tailnet.call('DELETE', `/api/v2/device/${key}`)).status, 200);
      const again = await tailnet.call('DELETE', `/api/v2/device/${key}`);
      assert.deepEqual([again.status, again.body], [404, { message: 'device not found' }]);
    }
    assert.deepEqual([await list(), [...tailnet.takenAddresses]], [[], []]);
  });

  it('shows when a device was last seen once it is offline', async () => {
    const { nodeId } = await enrolled();
    tailnet.kernel.schedule.advance(90_000);
    tailnet.tailscale.setOnline(nodeId, false);
    tailnet.kernel.schedule.advance(60_000);
    const device = await get(nodeId);
    assert.deepEqual([device.connectedToControl, device.lastSeen], [false, '2026-10-01T00:01:30Z']);
    tailnet.tailscale.setOnline('nGoneCNTRL', false);
  });

  it('removes an ephemeral device 45 minutes after it went offline, not when it came back', async () => {
    const [gone, back, kept] = [
      await enrolled('gone', { ephemeral: true }),
      await enrolled('back', { ephemeral: true }),
      await enrolled('kept'),
    ];
    for (const { nodeId } of [gone, back, kept]) tailnet.tailscale.setOnline(nodeId, false);
    tailnet.kernel.schedule.advance(2_699_000);
    assert.equal((await list()).length, 3);
    tailnet.tailscale.setOnline(back.nodeId, true);
    tailnet.kernel.schedule.advance(1000);
    assert.deepEqual(
      (await list()).map(({ nodeId }) => nodeId),
      [back.nodeId, kept.nodeId],
    );
  });

  it('removes an ephemeral device at once on logout, and only disconnects another', async () => {
    const [ephemeral, lasting] = [await enrolled('a', { ephemeral: true }), await enrolled('b')];
    tailnet.tailscale.logout(ephemeral.nodeId);
    tailnet.tailscale.logout(lasting.nodeId);
    const [left, ...others] = await list();
    assert.deepEqual([left?.nodeId, left?.connectedToControl, others], [lasting.nodeId, false, []]);
  });

  const changes: [string, object, number, string, unknown][] = [
    ['name', { name: 'db' }, 200, 'name', 'db.sandbox.ts.net'],
    ['name', { name: 'db.sandbox.ts.net' }, 200, 'name', 'db.sandbox.ts.net'],
    ['name', { name: '' }, 200, 'name', 'worker.sandbox.ts.net'],
    ['name', { name: 'not a name' }, 400, 'name', 'worker.sandbox.ts.net'],
    ['name', { name: 'other' }, 400, 'name', 'worker.sandbox.ts.net'],
    ['key', { keyExpiryDisabled: false }, 200, 'expires', '2027-03-30T00:00:00Z'],
    ['tags', { tags: ['tag:worker'] }, 200, 'tags', ['tag:worker']],
    ['tags', { tags: [] }, 200, 'tags', undefined],
    ['tags', { tags: ['tag:x'] }, 400, 'tags', ['tag:worker']],
    ['ip', { ipv4: '100.101.102.103' }, 200, 'addresses', '100.101.102.103'],
    ['ip', { ipv4: '10.0.0.1' }, 400, 'addresses', '127.9.0.1'],
    ['authorized', {}, 400, 'authorized', true],
  ];
  for (const [path, body, status, field, value] of changes) {
    it(`answers ${status} to POST ${path} ${JSON.stringify(body)}`, async () => {
      const { nodeId } = await enrolled('worker');
      await enrolled('other');
      assert.equal((await post(nodeId, path, body)).status, status);
      const shown = (await get(nodeId))[field];
      assert.deepEqual(field === 'addresses' ? (shown as string[])[0] : shown, value);
    });
  }

  it('replaces the enabled routes', async () => {
    const { nodeId } = await enrolled();
    const answer = await post(nodeId, 'routes', { routes: ['10.0.0.0/24'] });
    assert.deepEqual(answer.body, { advertisedRoutes: [], enabledRoutes: ['10.0.0.0/24'] });
    assert.deepEqual((await tailnet.call('GET', `/api/v2/device/${nodeId}/routes`)).body, answer.body);
    assert.equal((await post(nodeId, 'routes', { routes: ['10.0.0.0'] })).status, 400);
  });

  it('filters by repeated attributes', async () => {
    const [a, b] = [await enrolled('a', { ephemeral: true }), await enrolled('b')];
    await enrolled('c');
    const ids = async (query: string): Promise<string[]> => (await list(query)).map(({ nodeId }) => nodeId);
    assert.deepEqual(await ids('?hostname=a&hostname=b&fields=all'), [a.nodeId, b.nodeId]);
    assert.deepEqual(await ids('?tags=tag:worker&isEphemeral=true'), [a.nodeId]);
    assert.deepEqual(await ids('?name=b.sandbox.ts.net'), [b.nodeId]);
    assert.equal((await tailnet.call('GET', `${DEVICES}?colour=red`)).status, 400);
  });

  it('law: a filter never lets through what one attribute alone refuses', () => {
    const attribute = fc.constantFrom('hostname', 'os', 'tags', 'isEphemeral');
    const value = fc.constantFrom('a', 'b', 'true', 'tag:x');
    fc.assert(
      fc.property(
        fc.dictionary(attribute, fc.oneof(value, fc.array(value))),
        fc.array(fc.tuple(attribute, fc.array(value))),
        (view, pairs) => {
          const filters = new Map(pairs);
          const each = [...filters].every((pair) => passes(view, new Map([pair])));
          assert.equal(passes(view, filters), each);
        },
      ),
    );
  });

  it('law: labels are valid DNS labels and never collide', () => {
    fc.assert(
      fc.property(
        fc.array(fc.oneof(fc.string({ maxLength: 80 }), fc.constant('x'.repeat(70)))),
        (hostnames) => {
          const devices: { label: string }[] = [];
          for (const hostname of hostnames) {
            devices.push({ label: uniqueLabel(sanitizeHostname(hostname), devices) });
          }
          for (const { label } of devices) assert.match(label, /^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$/);
          assert.equal(new Set(devices.map(({ label }) => label)).size, devices.length);
        },
      ),
    );
  });
});
