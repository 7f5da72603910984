import assert from 'node:assert/strict';
import { at, plainServer, startCloud, type TestCloud } from './support';

describe('hetzner servers', () => {
  let cloud: TestCloud;
  beforeEach(async () => {
    cloud = await startCloud();
  });
  afterEach(() => cloud.close());

  it('go from initializing over starting to running, and tell the machine when they run', async () => {
    const created = await cloud.call(
      'POST',
      '/servers',
      plainServer('web-1', { user_data: '#cloud-config' }),
    );
    assert.equal(created.status, 201);
    assert.equal(created.get('server.status'), 'initializing');
    assert.equal(created.get('action.command'), 'create_server');
    assert.equal(created.get('action.status'), 'running');
    assert.equal(created.get('next_actions.0.command'), 'start_server');
    assert.equal(typeof created.get('root_password'), 'string');
    assert.equal(created.get('server.datacenter'), undefined);
    const id = Number(created.get('server.id'));
    const status = async (): Promise<unknown> =>
      (await cloud.call('GET', `/servers/${id}`)).get('server.status');

    cloud.advance(7.9);
    assert.equal(await status(), 'initializing');
    cloud.advance(0.1);
    assert.equal(await status(), 'starting');
    assert.deepEqual(cloud.told, []);
    cloud.advance(2);
    assert.equal(await status(), 'running');
    assert.deepEqual(cloud.told, [`started ${id}`]);
    const [start] = cloud.starts;
    assert.equal(start?.userData, '#cloud-config');
    assert.equal(start?.freshDisk, true);
    assert.equal(start?.publicIpv4, created.get('server.public_net.ipv4.ip'));
    assert.equal(start?.publicIpv6, '2001:db8:0:1::1');
  });

  it('are gone after a delete, with their addresses, and answer 404 and an empty list', async () => {
    const id = await cloud.make('/servers', plainServer('web-1'));
    cloud.advance(10);
    const before = cloud.freeAddresses.size;
    const deleted = await cloud.call('DELETE', `/servers/${id}`);
    assert.equal(deleted.status, 200);
    assert.equal(deleted.get('action.command'), 'delete_server');
    assert.equal((await cloud.call('GET', `/servers/${id}`)).get('server.status'), 'deleting');
    cloud.advance(1);
    const gone = await cloud.call('GET', `/servers/${id}`);
    assert.equal(gone.status, 404);
    assert.equal(gone.code, 'not_found');
    assert.deepEqual((await cloud.call('GET', `/servers?name=${id}`)).get('servers'), []);
    assert.deepEqual((await cloud.call('GET', '/primary_ips')).get('primary_ips'), []);
    assert.equal(cloud.freeAddresses.size, before + 1);
    assert.deepEqual(cloud.told, [`started ${id}`, `stopped ${id}`, `deleted ${id}`]);
  });

  it('are polled by many action ids at once, sorted by status and id', async () => {
    const created = await cloud.call('POST', '/servers', plainServer('web-1'));
    const ids = [created.get('action.id'), created.get('next_actions.0.id')];
    cloud.advance(8);
    const polled = await cloud.call(
      'GET',
      `/actions?id=${String(ids[1])}&id=${String(ids[0])}&page=1&per_page=50&sort=status&sort=id`,
    );
    assert.deepEqual(
      (polled.get('actions') as unknown[]).map((action) => [at(action, 'id'), at(action, 'status')]),
      [
        [ids[1], 'running'],
        [ids[0], 'success'],
      ],
    );
    assert.equal((await cloud.call('GET', '/actions')).code, 'invalid_input');
  });
});
