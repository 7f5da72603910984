import assert from 'node:assert/strict';
import type { FaultInput } from '../../../sandbox/control/faults';
import { openCloud, type Cloud } from '../../../automation/observe/cloud';
import { ObserverStand } from './stand';

const list = '/v1/servers';
const secondPage = '^/v1/servers\\?.*page=2&';

describe('servers of a stack', () => {
  const stand = new ObserverStand();
  const cloud = (): Cloud => openCloud(stand.hetzner, 'production', stand.access);

  it('are listed with what their labels say, dated', async () => {
    const id = await stand.server('ci-0001', { public_net: { enable_ipv4: false, enable_ipv6: true } });
    const found = await cloud().listWorkers();
    assert.deepEqual(found, {
      at: stand.now(),
      unreadable: [],
      gateways: [],
      items: [
        {
          id,
          name: 'production-ci-0001',
          status: 'running',
          pool: 'ci',
          worker: 'ci-0001',
          created: Math.floor(stand.now()),
          serverType: 'cx23',
          location: 'fsn1',
          configHash: 'abc',
          configHashVersion: 1,
          publicIpv4: false,
        },
      ],
    });
  });

  it('are not other stacks’, or foreign ones; the gateway is told apart', async () => {
    await stand.server('ci-0001', { environment: 'staging' });
    await stand.server('db-0001', { labels: {} });
    await stand.server('db-0002', { labels: { stack: 'production' } });
    const ours = { 'managed-by': 'hcloud-worker-pools', stack: 'production' };
    const id = await stand.server('nat', { labels: { ...ours, role: 'nat-gateway' } });
    const { items, unreadable, gateways } = await cloud().listWorkers();
    assert.deepEqual([items, unreadable], [[], []]);
    assert.deepEqual(
      gateways.map((gateway) => [gateway.id, gateway.serverType, gateway.location, gateway.publicIpv4]),
      [[id, 'cx23', 'fsn1', true]],
    );
  });

  it('with our labels and broken worker labels are told apart', async () => {
    const ours = { 'managed-by': 'hcloud-worker-pools', stack: 'production' };
    const id = await stand.server('ci-0009', {
      labels: { ...ours, pool: 'ci', 'worker-id': '', 'config-hash': 'abc', 'config-hash-version': 'x' },
    });
    const found = await cloud().listWorkers();
    assert.deepEqual(found.items, []);
    assert.deepEqual(found.unreadable, [
      { id, name: 'production-ci-0009', labels: ['worker-id', 'config-hash-version'] },
    ]);
  });

  it('beyond one page are all there, for one request a page', async () => {
    for (let serial = 1; serial <= 60; serial += 1) await stand.server(`ci-${1000 + serial}`);
    const found = await cloud().listWorkers();
    assert.equal(new Set(found.items.map(({ worker }) => worker)).size, 60);
    assert.deepEqual(stand.calls(), ['GET /v1/servers', 'GET /v1/servers']);
    assert.deepEqual(stand.meter.requests, { GET: 2 });
  });

  const passing: [string, FaultInput][] = [
    ['a 500', { path: list, status: 500, code: 'server_error' }],
    ['a 503', { path: list, status: 503, code: 'unavailable' }],
    ['a dying connection', { path: list, mode: 'hang-up' }],
  ];
  for (const [what, fault] of passing) {
    it(`are listed in spite of ${what}`, async () => {
      await stand.server('ci-0001');
      stand.sandbox.faults.add(fault);
      assert.equal((await cloud().listWorkers()).items.length, 1);
      assert.deepEqual(stand.waits, [1000]);
    });
  }

  it('are listed after a 429, not before the reset that it names', async () => {
    await stand.server('ci-0001');
    const reset = Math.ceil(stand.now()) + 30;
    const headers = { 'ratelimit-limit': '3600', 'ratelimit-reset': String(reset) };
    stand.sandbox.faults.add({ path: list, status: 429, code: 'rate_limit_exceeded', headers });
    const { at, items } = await cloud().listWorkers();
    assert.deepEqual([items.length, stand.waits.length], [1, 1]);
    assert.ok(at >= reset, `listed at ${at}, reset at ${reset}`);
  });

  const partial: [string, FaultInput, RegExp][] = [
    [
      'the second page fails',
      { path: secondPage, status: 500, code: 'server_error', times: null },
      /page 2 cannot be read \(scripted fault\)/,
    ],
    [
      'the second page is refused',
      { path: secondPage, status: 403, code: 'forbidden' },
      /page 2 cannot be read/,
    ],
  ];
  for (const [what, fault, message] of partial) {
    it(`are never a part of them: ${what}`, async () => {
      for (let serial = 1; serial <= 51; serial += 1) await stand.server(`ci-${1000 + serial}`);
      stand.sandbox.faults.add(fault);
      await assert.rejects(cloud().listWorkers(), { name: 'IncompleteListError', message });
    });
  }

  it('cannot be listed with a token that is refused: the vendor’s words', async () => {
    const other = openCloud({ ...stand.hetzner, token: 'x'.repeat(64) }, 'production', stand.access);
    await assert.rejects(other.listWorkers(), { name: 'VendorError', status: 401 });
  });

  it('are not asked for between a 429 and the reset that it names; afterwards they are', async () => {
    await stand.server('ci-0001');
    const reset = Math.ceil(stand.now()) + 600;
    stand.sandbox.faults.add({
      path: list,
      status: 429,
      code: 'rate_limit_exceeded',
      headers: { 'ratelimit-limit': '3600', 'ratelimit-remaining': '0', 'ratelimit-reset': String(reset) },
    });
    await assert.rejects(cloud().listWorkers(), { status: 429, retryAt: reset * 1000 });
    const asked = stand.calls().length;
    await stand.sandbox.advance(599);
    await assert.rejects(cloud().listWorkers(), { status: 429, retryAt: reset * 1000 });
    await assert.rejects(cloud().deleteServer(1, { worker: 'ci-0001' }), { status: 429 });
    assert.equal(stand.calls().length, asked);
    await stand.sandbox.advance(2);
    assert.equal((await cloud().listWorkers()).items.length, 1);
  });

  describe('are deleted', () => {
    it('after a last look', async () => {
      const id = await stand.server('ci-0001');
      assert.equal(await cloud().deleteServer(id, { worker: 'ci-0001' }), 'deleted');
      assert.deepEqual(stand.calls(), [`GET /v1/servers/${id}`, `DELETE /v1/servers/${id}`]);
      assert.deepEqual((await cloud().listWorkers()).items, []);
    });

    it('once: one that is gone is fine', async () => {
      assert.equal(await cloud().deleteServer(4711, { worker: 'ci-0001' }), 'gone');
      assert.deepEqual(stand.calls(), ['GET /v1/servers/4711']);
    });

    it('though the answer was lost', async () => {
      const id = await stand.server('ci-0001');
      stand.sandbox.faults.add({ method: 'DELETE', mode: 'hang-up' });
      assert.equal(await cloud().deleteServer(id, { worker: 'ci-0001' }), 'gone');
    });

    it('even when requests are scarce, where lists have to wait', async () => {
      const id = await stand.server('ci-0001');
      stand.meter.startRead(stand.now());
      stand.meter.observe(
        {
          vendor: 'Hetzner',
          method: 'GET',
          status: 200,
          headers: new Headers({ 'ratelimit-limit': '3600', 'ratelimit-remaining': '9' }),
        },
        stand.now(),
      );
      await assert.rejects(cloud().listWorkers(), {
        status: 429,
        message: 'the project has 9 of 3600 requests an hour left; another list has to wait',
      });
      assert.equal(await cloud().deleteServer(id, { worker: 'ci-0001' }), 'deleted');
    });

    const left: [string, () => Promise<number>, string][] = [
      ['is another worker', () => stand.server('ci-0002'), 'worker-id=ci-0001'],
      ['is another stack’s', () => stand.server('ci-0001', { environment: 'staging' }), 'stack=production'],
      [
        'has no labels',
        () => stand.server('ci-0001', { labels: {} }),
        'managed-by=hcloud-worker-pools, stack=production, worker-id=ci-0001',
      ],
    ];
    for (const [what, make, expected] of left) {
      it(`not when it ${what}`, async () => {
        const id = await make();
        await assert.rejects(cloud().deleteServer(id, { worker: 'ci-0001' }), (error: Error) => {
          assert.equal(error.name, 'NotOursError');
          assert.ok(error.message.includes(`is not labelled ${expected};`), error.message);
          return true;
        });
        assert.deepEqual(stand.calls(), [`GET /v1/servers/${id}`]);
      });
    }

    it('not when it is protected, with what to do', async () => {
      const id = await stand.server('ci-0001');
      await stand.send('POST', `/servers/${id}/actions/change_protection`, { delete: true, rebuild: true });
      await assert.rejects(cloud().deleteServer(id, { worker: 'ci-0001' }), {
        status: 423,
        message: `server ${id} (production-ci-0001) is protected against deletion; take the protection off if it is to go`,
      });
      assert.deepEqual(stand.calls(), [`GET /v1/servers/${id}`]);
    });
  });
});
