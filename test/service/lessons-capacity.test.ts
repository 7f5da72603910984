import assert from 'node:assert/strict';
import { GROWN, jobPool, World } from './world';

const CREATES = /^\/v1\/servers$/;

/** Every job has to begin at once, so that each asks for a worker of its own. */
const eager = { ...jobPool, scaling: { targetWait: 60 } };

describe('what counts as capacity', function () {
  this.timeout(300_000);
  let world: World;
  before(async () => {
    const sandbox = { ...GROWN, machines: { bootSeconds: { min: 90, max: 90 } } };
    world = await World.running(
      { ci: eager, build: { ...jobPool, scaling: { targetWait: 180 } } },
      { sandbox },
    );
  });
  after(() => world?.close());

  const creates = (): number => world.requests('POST', CREATES);
  const report = (pool: string) => world.sandbox.jobs.poolReport(pool);

  describe('lesson 1: pending servers are capacity', () => {
    it('ten jobs are ten servers over twelve ticks, though the service restarts at the fourth', async () => {
      world.addJobs('ci', 10, 900);
      await world.pass(40);
      await world.stopService();
      await world.startService();
      await world.pass(80);
      assert.equal(creates(), 10);
      assert.equal(world.fleet('ci').alive, 10);
    });

    it('so they are when the service loses its registry while they boot', async () => {
      assert.ok(await world.emptied('ci'));
      world.sandbox.requests.clear();
      world.addJobs('ci', 10, 900);
      await world.pass(40);
      await world.stopService();
      world.forgetRegistry();
      await world.startService();
      assert.ok(await world.pass(1800, () => report('ci').done === 20));
      assert.equal(creates(), 10);
      assert.equal(report('ci').lost, 0);
    });
  });

  describe('lesson 5: draining workers are neither capacity nor blockers', () => {
    it('jobs that arrive while one ends its long job get workers of their own within a tick', async () => {
      world.addJobs('build', 1, 45 * 60);
      assert.ok(await world.pass(300, () => report('build').running === 1));
      const [old] = (await world.pool('build')).workers;
      await world.ask(`/v1/stacks/sandbox/workers/${old!.id}/drain`, { by: 'anna', reason: 'noisy disk' });
      await world.pass(20);
      world.sandbox.requests.clear();
      world.addJobs('build', 3, 600);
      await world.pass(10);
      assert.ok(creates() > 0);
      await world.pass(300);
      await world.rest(2100);
      assert.ok(await world.pass(1200, () => report('build').done === 4));
      assert.equal(report('build').lost, 0);
    });

    it('a drain is taken back when load returns, and no server is bought', async () => {
      const leaving = async (): Promise<string[]> =>
        (await world.pool('build')).workers.flatMap(({ id, drain }) =>
          drain?.cause === 'policy' ? [id] : [],
        );
      await world.rest(3500 - Math.max(...world.ages('build')));
      assert.ok(await world.pass(3600, async () => (await leaving()).length > 0));
      world.sandbox.requests.clear();
      const before = world.fleet('build').names;
      const drained = await leaving();
      world.addJobs('build', before.length, 600);
      const resumed = async (): Promise<boolean> => (await leaving()).length < drained.length;
      assert.ok(await world.pass(60, resumed));
      assert.deepEqual(world.fleet('build').names, before);
      assert.equal(creates(), 0);
    });
  });
});
