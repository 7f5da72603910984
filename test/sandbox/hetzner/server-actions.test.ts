import assert from 'node:assert/strict';
import { at, plainServer, startCloud, type Reply, type TestCloud } from './support';

describe('hetzner server actions', () => {
  let cloud: TestCloud;
  let id: number;
  beforeEach(async () => {
    cloud = await startCloud();
    id = await cloud.make('/servers', plainServer('web-1'));
    cloud.advance(10);
    cloud.told.length = 0;
  });
  afterEach(() => cloud.close());

  const act = (action: string, body?: object): Promise<Reply> =>
    cloud.call('POST', `/servers/${id}/actions/${action}`, body);
  const server = async (): Promise<unknown> => (await cloud.call('GET', `/servers/${id}`)).get('server');
  const status = async (): Promise<unknown> => at(await server(), 'status');

  it('lock the server while they run, so that anything else answers 423', async () => {
    assert.equal((await act('reboot')).status, 201);
    assert.equal(at(await server(), 'locked'), true);
    for (const action of ['poweroff', 'shutdown', 'change_protection', 'rebuild']) {
      const refused = await act(action, {});
      assert.deepEqual([refused.status, refused.code], [423, 'locked'], action);
    }
    assert.deepEqual((await cloud.call('DELETE', `/servers/${id}`)).status, 423);
    cloud.advance(3);
    assert.equal(at(await server(), 'locked'), false);
    assert.equal((await cloud.call('DELETE', `/servers/${id}`)).status, 200);
  });

  it('show their progress and end with a time', async () => {
    const actionId = (await act('reboot')).get('action.id');
    cloud.advance(1.5);
    const half = await cloud.call('GET', `/actions/${String(actionId)}`);
    assert.deepEqual([half.get('action.progress'), half.get('action.finished')], [50, null]);
    cloud.advance(1.5);
    const done = await cloud.call('GET', `/servers/${id}/actions/${String(actionId)}`);
    assert.deepEqual(
      [done.get('action.status'), done.get('action.progress'), done.get('action.finished')],
      ['success', 100, '2026-10-05T10:00:13Z'],
    );
    assert.deepEqual(done.get('action.resources'), [{ id, type: 'server' }]);
  });

  it('switch off and on, and tell the machine each time', async () => {
    await act('poweroff');
    assert.equal(await status(), 'stopping');
    cloud.advance(2);
    assert.equal(await status(), 'off');
    await act('poweron');
    cloud.advance(2);
    assert.equal(await status(), 'running');
    assert.deepEqual(cloud.told, [`stopped ${id}`, `started ${id}`]);
    assert.equal(cloud.starts.at(-1)?.freshDisk, false);
  });

  it('succeed and change nothing when there is nothing to do', async () => {
    assert.equal((await act('poweron')).get('action.command'), 'start_server');
    cloud.advance(5);
    await act('poweroff');
    cloud.advance(5);
    assert.equal((await act('poweroff')).status, 201);
    cloud.advance(5);
    assert.deepEqual(cloud.told, [`stopped ${id}`]);
  });

  it('send a shutdown at once, while the machine takes its time', async () => {
    const action = (await act('shutdown')).get('action.id');
    cloud.advance(1);
    assert.equal((await cloud.call('GET', `/actions/${String(action)}`)).get('action.status'), 'success');
    assert.equal(await status(), 'running');
    cloud.advance(5);
    assert.equal(await status(), 'off');
    assert.deepEqual(cloud.told, [`stopped ${id}`]);
  });

  it('forget a shutdown when the machine was restarted meanwhile', async () => {
    await act('shutdown');
    cloud.advance(1);
    await act('reset');
    cloud.advance(20);
    assert.equal(await status(), 'running');
  });

  it('rebuild on a fresh disk with another image', async () => {
    const reply = await act('rebuild', { image: 'ubuntu-24.04', user_data: '#!/bin/sh' });
    assert.equal(typeof reply.get('root_password'), 'string');
    assert.equal(await status(), 'rebuilding');
    cloud.advance(10);
    assert.equal(at(await server(), 'image.name'), 'ubuntu-24.04');
    assert.equal(cloud.starts.at(-1)?.freshDisk, true);
    assert.equal(cloud.starts.at(-1)?.userData, '#!/bin/sh');
    assert.equal((await act('rebuild', { image: 114690389 })).code, 'invalid_input');
  });

  it('change the type of a stopped server only, and start it', async () => {
    const change = { server_type: 'cx33', upgrade_disk: false };
    assert.equal((await act('change_type', change)).code, 'server_not_stopped');
    await act('poweroff');
    cloud.advance(2);
    for (const wrong of ['cax11', 'cx23']) {
      assert.equal((await act('change_type', { ...change, server_type: wrong })).code, 'invalid_server_type');
    }
    assert.equal((await act('change_type', change)).status, 201);
    assert.equal(await status(), 'migrating');
    cloud.advance(40);
    const changed = await server();
    assert.deepEqual(
      [at(changed, 'server_type.name'), at(changed, 'primary_disk_size'), at(changed, 'status')],
      ['cx33', 40, 'running'],
    );
  });

  it('protect from deletion and rebuild together', async () => {
    assert.equal((await act('change_protection', { delete: true })).code, 'invalid_input');
    await act('change_protection', { delete: true, rebuild: true });
    cloud.advance(1);
    assert.deepEqual((await cloud.call('DELETE', `/servers/${id}`)).code, 'protected');
    assert.deepEqual((await act('rebuild', { image: 'debian-12' })).code, 'protected');
    await act('change_protection', { delete: false, rebuild: false });
    cloud.advance(1);
    assert.equal((await cloud.call('DELETE', `/servers/${id}`)).status, 200);
  });

  it('make a snapshot that new servers can be made from, of its architecture only', async () => {
    const reply = await act('create_image', { description: 'golden', labels: { role: 'worker' } });
    assert.equal(reply.get('image.status'), 'creating');
    const image = reply.get('image.id');
    const early = await cloud.call('POST', '/servers', plainServer('copy', { image }));
    assert.equal(early.code, 'resource_unavailable');
    cloud.advance(60);
    const found = await cloud.call('GET', '/images?label_selector=role%3Dworker&type=snapshot');
    assert.deepEqual([found.get('images.0.id'), found.get('images.0.name')], [image, null]);
    await cloud.make('/servers', plainServer('copy', { image }));
    const arm = await cloud.call('POST', '/servers', plainServer('arm', { image, server_type: 'cax11' }));
    assert.equal(arm.code, 'invalid_input');
  });

  it('fail when a test says so, with the server left as it was before', async () => {
    cloud.hetzner.failNextAction('start_server', { code: 'server_error', message: 'host broke' });
    const other = await cloud.call('POST', '/servers', plainServer('web-2'));
    const ids = [other.get('action.id'), other.get('next_actions.0.id')].map(String);
    cloud.advance(30);
    const polled = await cloud.call('GET', `/actions?id=${ids.join('&id=')}&sort=id`);
    assert.deepEqual(
      [polled.get('actions.0.status'), polled.get('actions.1.status'), polled.get('actions.1.error')],
      ['success', 'error', { code: 'server_error', message: 'host broke' }],
    );
    const shown = await cloud.call('GET', `/servers/${String(other.get('server.id'))}`);
    assert.deepEqual([shown.get('server.status'), shown.get('server.locked')], ['off', false]);
  });

  it('fail with what they wait for', async () => {
    cloud.hetzner.failNextAction('create_server');
    const other = await cloud.call('POST', '/servers', plainServer('web-2'));
    cloud.advance(8);
    const next = await cloud.call('GET', `/actions/${String(other.get('next_actions.0.id'))}`);
    assert.equal(next.get('action.status'), 'error');
    assert.equal(cloud.told.includes(`started ${String(other.get('server.id'))}`), false);
  });

  it('end at once when durations are switched off', async () => {
    const quick = await startCloud({ durationFactor: 0 });
    try {
      const reply = await quick.call('POST', '/servers', plainServer('web-1'));
      assert.deepEqual(
        [reply.get('action.status'), reply.get('next_actions.0.status'), reply.get('server.status')],
        ['success', 'success', 'running'],
      );
    } finally {
      await quick.close();
    }
  });

  it('rename and relabel with PUT, each alone', async () => {
    await cloud.call('PUT', `/servers/${id}`, { labels: { a: 'b' } });
    const renamed = await cloud.call('PUT', `/servers/${id}`, { name: 'web-9' });
    assert.deepEqual([renamed.get('server.name'), renamed.get('server.labels')], ['web-9', { a: 'b' }]);
    assert.equal((await cloud.call('PUT', `/servers/${id}`, { name: 'a_b' })).code, 'invalid_input');
  });
});
