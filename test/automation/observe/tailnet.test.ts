import assert from 'node:assert/strict';
import { filterDevices, openTailnet, type Tailnet } from '../../../automation/observe/tailnet';
import { ObserverStand } from './stand';

const LIST = 'GET /api/v2/tailnet/-/devices';

describe('devices of a stack on the tailnet', () => {
  const stand = new ObserverStand();
  const open = (): Tailnet =>
    openTailnet(stand.tailscale, {
      environment: 'production',
      tags: ['tag:worker'],
      now: stand.now,
      caller: stand.caller,
    });

  /** A machine joins with a key of the stack's; answers its node id. */
  async function join(hostname: string, os = 'linux'): Promise<string> {
    const { url, oauthClientId, oauthClientSecret } = stand.sandbox.endpoints.tailscale;
    const form = {
      grant_type: 'client_credentials',
      client_id: oauthClientId,
      client_secret: oauthClientSecret,
    };
    const send = async (path: string, init: RequestInit): Promise<Record<string, string>> => {
      const response = await fetch(`${url}/api/v2${path}`, { method: 'POST', ...init });
      return (await response.json()) as Record<string, string>;
    };
    const owner = { 'user-agent': 'owner' };
    const token = await send('/oauth/token', { body: new URLSearchParams(form), headers: owner });
    const create = { reusable: false, ephemeral: true, preauthorized: true, tags: ['tag:worker'] };
    const key = await send('/tailnet/-/keys', {
      headers: {
        ...owner,
        authorization: `Bearer ${token['access_token']}`,
        'content-type': 'application/json',
      },
      body: JSON.stringify({ capabilities: { devices: { create } }, expirySeconds: 3600 }),
    });
    return stand.sandbox.tailscale.enrol({
      authKey: key['key']!,
      hostname,
      advertiseTags: ['tag:worker'],
      os,
    }).nodeId;
  }

  it('are listed by host name, with what people and the scaler need', async () => {
    const second = await join('production-ci-0002');
    const first = await join('production-ci-0001');
    await join('staging-ci-0001');
    const seen = stand.now();
    stand.sandbox.tailscale.setOnline(second, false);
    await stand.sandbox.advance(120);
    const { at, items } = await open().devices();
    assert.equal(at, stand.now());
    assert.deepEqual(
      items.map(({ address: _address, ...device }) => device),
      [
        {
          id: first,
          name: 'production-ci-0001.sandbox.ts.net',
          hostname: 'production-ci-0001',
          os: 'linux',
          online: true,
          lastSeen: at,
        },
        {
          id: second,
          name: 'production-ci-0002.sandbox.ts.net',
          hostname: 'production-ci-0002',
          os: 'linux',
          online: false,
          lastSeen: Math.floor(seen),
        },
      ],
    );
    assert.match(items[0]!.address, /^127\./);
  });

  it('without the stack’s tags are not its own', async () => {
    await join('production-ci-0001');
    const other = openTailnet(stand.tailscale, {
      environment: 'production',
      tags: ['tag:worker', 'tag:other'],
      now: stand.now,
    });
    assert.deepEqual((await other.devices()).items, []);
  });

  it('are filtered by online and by system', async () => {
    const off = await join('production-ci-0001');
    await join('production-ci-0002', 'freebsd');
    stand.sandbox.tailscale.setOnline(off, false);
    const { items } = await open().devices();
    const names = (filter: Parameters<typeof filterDevices>[1]): string[] =>
      filterDevices(items, filter).map(({ hostname }) => hostname);
    assert.deepEqual(names({}), ['production-ci-0001', 'production-ci-0002']);
    assert.deepEqual(names({ online: true }), ['production-ci-0002']);
    assert.deepEqual(names({ online: false }), ['production-ci-0001']);
    assert.deepEqual(names({ os: 'FreeBSD' }), ['production-ci-0002']);
    assert.deepEqual(names({ online: true, os: 'linux' }), []);
  });

  it('are remembered for five minutes, unless asked for anew', async () => {
    const tailnet = open();
    const lists = (): number => stand.calls('tailscale').filter((call) => call === LIST).length;
    await tailnet.devices();
    await stand.sandbox.advance(300);
    await tailnet.devices();
    assert.equal(lists(), 1);
    await tailnet.devices({ maxAge: 0 });
    assert.equal(lists(), 2);
    await stand.sandbox.advance(301);
    await Promise.all([tailnet.devices(), tailnet.devices()]);
    assert.equal(lists(), 3);
  });

  it('are read with one token, until it is about to end or is withdrawn', async () => {
    const tailnet = open();
    const tokens = (): number =>
      stand.calls('tailscale').filter((call) => call === 'POST /api/v2/oauth/token').length;
    await tailnet.devices({ maxAge: 0 });
    await tailnet.devices({ maxAge: 0 });
    assert.equal(tokens(), 1);
    await stand.sandbox.advance(3001);
    await tailnet.devices({ maxAge: 0 });
    assert.equal(tokens(), 2);
    stand.sandbox.faults.add({ vendor: 'tailscale', path: '/api/v2/tailnet/-/devices', status: 401 });
    await tailnet.devices({ maxAge: 0 });
    assert.equal(tokens(), 3);
  });

  it('are not taken for none when they cannot be listed', async () => {
    stand.sandbox.faults.add({
      vendor: 'tailscale',
      path: '/api/v2/tailnet/-/devices',
      status: 500,
      times: null,
    });
    await assert.rejects(open().devices(), { name: 'VendorError', status: 500 });
    assert.deepEqual(stand.waits, [1000, 2000, 4000, 8000]);
  });

  describe('are removed', () => {
    it('after a last look', async () => {
      const id = await join('production-ci-0001');
      stand.sandbox.tailscale.setOnline(id, false);
      const tailnet = open();
      assert.equal(await tailnet.remove(id, 'production-ci-0001'), 'removed');
      assert.deepEqual((await tailnet.devices()).items, []);
    });

    it('and are out of what is remembered', async () => {
      const id = await join('production-ci-0001');
      stand.sandbox.tailscale.setOnline(id, false);
      const tailnet = open();
      assert.equal((await tailnet.devices()).items.length, 1);
      await tailnet.remove(id, 'production-ci-0001');
      assert.deepEqual((await tailnet.devices()).items, []);
      assert.equal(stand.calls('tailscale').filter((call) => call === LIST).length, 1);
    });

    it('once: one that is gone is fine', async () => {
      assert.equal(await open().remove('nGone', 'production-ci-0001'), 'gone');
    });

    const left: [string, string, boolean, RegExp][] = [
      ['is another one', 'production-ci-0002', false, /is production-ci-0002 and not production-ci-0001/],
      ['is connected again', 'production-ci-0001', true, /\(production-ci-0001\) is connected again/],
    ];
    for (const [what, hostname, online, message] of left) {
      it(`not when it ${what}`, async () => {
        const id = await join(hostname);
        stand.sandbox.tailscale.setOnline(id, online);
        await assert.rejects(open().remove(id, 'production-ci-0001'), { name: 'NotOursError', message });
        assert.equal(
          stand.calls('tailscale').some((call) => call.startsWith('DELETE')),
          false,
        );
      });
    }

    it('not when it lacks a tag of the stack', async () => {
      const id = await join('production-ci-0001');
      const tags = ['tag:worker', 'tag:other'];
      const other = openTailnet(stand.tailscale, { environment: 'production', tags, now: stand.now });
      await assert.rejects(other.remove(id, 'production-ci-0001'), {
        name: 'NotOursError',
        message: /lacks the tags tag:worker, tag:other/,
      });
    });
  });
});
