import assert from 'node:assert/strict';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { slotToken } from '../../automation/http/tokens';
import { REGISTRATION_SECRET } from '../engine/harness';
import { GROWN, jobPool, World } from './world';

describe('queues that fail, and slots', function () {
  this.timeout(300_000);
  let world: World;
  let queue: Server;
  let waiting = 0;
  before(async () => {
    queue = createServer((_request, response) => response.end(JSON.stringify({ waiting })));
    await new Promise<void>((resolve) => queue.listen(0, '127.0.0.1', resolve));
    const { port } = queue.address() as AddressInfo;
    const own = { kind: 'http', url: `http://127.0.0.1:${port}/`, waiting: 'waiting' };
    world = await World.running(
      { blind: { ...jobPool, queue: own }, ci: jobPool, desk: { ...jobPool, queue: { kind: 'slots' } } },
      { sandbox: GROWN },
    );
  });
  after(async () => {
    await world?.close();
    queue.closeAllConnections();
    queue.close();
  });

  it('a queue that cannot be read holds its pool’s size over its hour; the others go on', async () => {
    waiting = 3;
    assert.ok(await world.pass(300, () => world.fleet('blind').alive > 0));
    waiting = 0;
    await world.pass(120);
    const held = world.fleet('blind').names;
    queue.closeAllConnections();
    await new Promise((resolve) => queue.close(resolve));
    world.addJobs('ci', 2, 60);
    assert.ok(await world.pass(600, () => world.sandbox.jobs.poolReport('ci').done === 2));
    assert.ok((await world.alarms()).includes('blind: queue-unreadable'));
    await world.rest(3500 - Math.max(...world.ages('blind')));
    await world.pass(120);
    assert.deepEqual(world.fleet('blind').names, held);
    assert.ok(await world.emptied('ci'));
    assert.deepEqual(world.fleet('blind').names, held);
  });

  describe('slots asked for over HTTP', () => {
    const token = slotToken(REGISTRATION_SECRET, { environment: 'sandbox', pool: 'desk' });
    const ask = async (method: string, path: string, body?: object) => {
      const response = await fetch(`${world.workersUrl}/v1/slots${path}`, {
        method,
        headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
        ...(body ? { body: JSON.stringify(body) } : {}),
      });
      return { status: response.status, slot: (await response.json()) as Record<string, unknown> };
    };

    it('grow a pool from nothing, and are granted on its worker', async () => {
      assert.equal(world.fleet('desk').alive, 0);
      const asked = await ask('POST', '', { environment: 'sandbox', pool: 'desk', id: 'visit-1' });
      assert.equal(asked.status, 202);
      const granted = await world.pass(300, async () => {
        const { slot } = await ask('GET', '/sandbox/visit-1');
        return slot['state'] === 'granted';
      });
      assert.ok(granted);
      const { slot } = await ask('GET', '/sandbox/visit-1');
      const { workers } = await world.pool('desk');
      assert.ok(workers.some(({ id }) => id === slot['worker']));
    });

    it('keep their worker over its hour as long as they are held', async () => {
      const before = world.fleet('desk').names;
      await world.rest(3000);
      assert.equal((await ask('POST', '/sandbox/visit-1/renew', {})).status, 200);
      await world.pass(900);
      assert.deepEqual(world.fleet('desk').names, before);
      assert.equal((await ask('DELETE', '/sandbox/visit-1')).status, 200);
      assert.ok(await world.emptied('desk'));
    });
  });
});
