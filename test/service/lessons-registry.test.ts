import assert from 'node:assert/strict';
import { GROWN, jobPool, World } from './world';

const DELETES = /^\/v1\/servers\//;

describe('lesson 7: an empty list of workers deletes nobody', function () {
  this.timeout(300_000);
  let world: World;
  before(async () => {
    world = await World.running({ ci: { ...jobPool, scaling: { targetWait: 60 } } }, { sandbox: GROWN });
  });
  after(() => world?.close());

  it('when the registry is lost while they work', async () => {
    world.addJobs('ci', 4, 3000);
    assert.ok(await world.pass(400, () => world.sandbox.jobs.poolReport('ci').running === 4));
    await world.rest(900);
    await world.stopService();
    world.forgetRegistry();
    await world.startService();
    await world.pass(120);
    assert.equal(world.requests('DELETE', DELETES), 0);
    assert.equal(world.sandbox.jobs.poolReport('ci').lost, 0);
  });

  it('when no worker reaches the service with an empty registry', async () => {
    await world.stopService();
    world.forgetRegistry();
    await world.startService({ workers: { host: '127.0.0.1', port: 0 } });
    await world.pass(600);
    assert.equal(world.requests('DELETE', DELETES), 0);
    assert.equal(world.sandbox.jobs.poolReport('ci').lost, 0);
  });
});
