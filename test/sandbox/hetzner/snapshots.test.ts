import assert from 'node:assert/strict';
import { plainServer, startCloud, type TestCloud } from './support';

describe('hetzner state', () => {
  let cloud: TestCloud;
  beforeEach(async () => {
    cloud = await startCloud({ snapshots: [{ description: 'golden' }] });
  });
  afterEach(() => cloud.close());

  it('is plain data that JSON keeps whole', async () => {
    await cloud.make('/servers', plainServer('web'));
    const data = cloud.hetzner.snapshot();
    assert.deepEqual(JSON.parse(JSON.stringify(data)), data);
    cloud.hetzner.restore(data);
    assert.deepEqual(cloud.hetzner.snapshot(), data);
  });

  it('finishes the actions that were running when it was taken', async () => {
    const id = await cloud.make('/servers', plainServer('web'));
    cloud.advance(3);
    const data = cloud.hetzner.snapshot();
    const events = cloud.kernel.schedule.snapshot();
    const later = await startCloud({ snapshots: [{ description: 'golden' }] });
    try {
      later.advance(3);
      later.hetzner.restore(JSON.parse(JSON.stringify(data)));
      later.kernel.schedule.restore(events);
      const status = async (): Promise<unknown> =>
        (await later.call('GET', `/servers/${id}`)).get('server.status');
      assert.equal(await status(), 'initializing');
      later.advance(7);
      assert.equal(await status(), 'running');
      assert.deepEqual(later.told, [`started ${id}`]);
    } finally {
      await later.close();
    }
  });

  it('does not change with what happens after it was taken', async () => {
    const data = cloud.hetzner.snapshot();
    const copy = structuredClone(data);
    await cloud.make('/servers', plainServer('web'));
    assert.deepEqual(data, copy);
    cloud.hetzner.restore(data);
    await cloud.make('/servers', plainServer('web'));
    assert.deepEqual(data, copy);
  });

  it('is empty after a reset, with the same tokens, free addresses and nothing left to happen', async () => {
    const tokens = cloud.hetzner.projects.map((project) => project.token);
    const free = cloud.freeAddresses.size;
    await cloud.make('/servers', plainServer('web'));
    cloud.hetzner.catalogue.setAvailable('cx33', false);
    cloud.advance(1);
    await cloud.hetzner.reset();
    assert.deepEqual(cloud.kernel.schedule.snapshot(), []);
    assert.equal(cloud.freeAddresses.size, free);
    assert.deepEqual(
      cloud.hetzner.projects.map((project) => project.token),
      tokens,
    );
    assert.deepEqual((await cloud.call('GET', '/servers')).get('servers'), []);
    assert.deepEqual(cloud.hetzner.costReport()[0]?.servers, []);
    const snapshots = await cloud.call('GET', '/images?type=snapshot');
    assert.equal(snapshots.get('images.0.description'), 'golden');
    const type = await cloud.call('GET', '/server_types?name=cx33');
    assert.equal(type.get('server_types.0.locations.0.available'), true);
  });
});
