import assert from 'node:assert/strict';
import { jobPool, World } from './world';

describe('the service, from a job in the queue to nothing left', function () {
  this.timeout(180_000);
  let world: World;
  before(async () => {
    world = await World.start({ ci: jobPool });
    const up = await world.environment.up();
    assert.equal(up.code, 0, up.text);
    await world.startService();
  });
  after(() => world?.close());

  it('grows a pool for its queue, and every job is done', async () => {
    world.sandbox.jobs.add(
      'ci',
      Array.from({ length: 5 }, () => ({ seconds: 200 })),
    );
    assert.ok(await world.pass(900, () => world.sandbox.jobs.poolReport('ci').done === 5));
    const { lost, waits } = world.sandbox.jobs.poolReport('ci');
    assert.equal(lost, 0);
    assert.ok(waits.max <= 300, `a job waited ${waits.max} s`);
  });

  it('keeps the workers while their hour is paid, and deletes each before it ends', async () => {
    const created = new Map(world.sandbox.machines.list().map(({ name, startedAt }) => [name, startedAt]));
    const deleted = new Map<string, number>();
    await world.pass(3600, () => {
      for (const name of created.keys()) {
        if (!deleted.has(name) && !world.servers().includes(name)) deleted.set(name, world.now);
      }
      return deleted.size === created.size;
    });
    for (const [name, at] of created) {
      const age = deleted.get(name)! - Date.parse(at) / 1000;
      assert.ok(age >= 3360 && age < 3600, `${name} was deleted at the age of ${age} s`);
    }
  });

  it('leaves no device and no worker behind', async () => {
    await world.pass(20);
    assert.deepEqual(world.sandbox.tailscale.hostnames(), []);
    const { pools, cost } = await world.status();
    assert.deepEqual(pools['ci']!.workers, []);
    assert.equal(cost.hourly, 0);
  });
});
