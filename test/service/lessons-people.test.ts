import assert from 'node:assert/strict';
import { inventory, NOTHING, writes } from '../engine/cloud';
import { GROWN, jobPool, World } from './world';

const STACK = '/v1/stacks/sandbox';

describe('people beside the service', function () {
  this.timeout(300_000);
  let world: World;
  before(async () => {
    const pool = { ...jobPool, size: { min: 0, max: 6 }, scaling: { targetWait: 60 } };
    world = await World.running({ ci: pool }, { sandbox: GROWN });
  });
  after(() => world?.close());

  const report = () => world.sandbox.jobs.poolReport('ci');
  const size = (): number => world.fleet('ci').alive;

  describe('lesson 14: `pulumi up` from git does not undo the scaler', () => {
    it('a person’s preview of a pool that has grown changes nothing', async () => {
      world.addJobs('ci', 6, 1500);
      assert.ok(await world.pass(400, () => size() === 6));
      const { changes, finished } = await world.environment.preview();
      assert.deepEqual(changes, {});
      assert.equal(finished.code, 0);
    });

    it('an update by a person during a scale-out removes nothing, and both come to their end', async () => {
      assert.ok(await world.emptied('ci'));
      world.addJobs('ci', 6, 1500);
      let up: ReturnType<World['environment']['up']> | undefined;
      world.onEvent = ({ event }) => {
        if (event === 'update-started') up ??= world.environment.up();
      };
      assert.ok(await world.pass(300, () => size() === 6));
      world.onEvent = () => undefined;
      const { code, text } = await up!;
      assert.ok(code === 0 || /is held by|another update|currently locked/.test(text), text);
      await world.pass(60);
      assert.equal(size(), 6);
      assert.equal(world.fleet('ci').peak, 6);
      await world.rest(1200);
      assert.ok(await world.pass(3600, () => report().done === 12));
      assert.equal(report().lost, 0);
    });

    it('a greatest size that is lowered to four drains to four, and no job is lost', async () => {
      world.addJobs('ci', 6, 1200);
      assert.ok(await world.pass(400, () => size() === 6 && report().running === 6));
      world.edit({ ci: { size: { min: 0, max: 4 } } });
      await world.pass(60);
      await world.rest(900);
      assert.ok(await world.pass(1500, () => size() === 4));
      assert.ok(await world.pass(1500, () => report().done === 18));
      assert.equal(report().lost, 0);
    });
  });

  describe('a template that is edited', () => {
    it('is rolled out one worker at a time: new before old, and busy ones end their jobs', async () => {
      world.edit({ ci: { size: { min: 2, max: 6 } } });
      assert.ok(await world.pass(2 * 3600, async () => size() === 2 && (await ready()) === 2));
      const old = world.fleet('ci').names;
      world.addJobs('ci', 1, 900);
      await world.pass(20);
      world.edit({ ci: { image: 'debian-13' } });
      const least: number[] = [];
      const rolled = await world.pass(2 * 3600, async () => {
        least.push(await ready());
        return (await world.pool('ci')).drifted === 0 && (await ready()) === 2;
      });
      assert.ok(rolled);
      assert.ok(Math.min(...least) >= 1);
      assert.ok(!world.fleet('ci').names.some((name) => old.includes(name)));
      assert.equal(report().lost, 0);
    });

    const ready = async (): Promise<number> =>
      (await world.pool('ci')).workers.filter(({ status }) => status === 'ready').length;
  });

  describe('orders', () => {
    it('a pause changes nothing until it is taken back', async () => {
      await world.ask(`${STACK}/pause`, { by: 'anna', reason: 'maintenance' });
      world.sandbox.requests.clear();
      world.addJobs('ci', 4, 300);
      await world.pass(120);
      assert.deepEqual(writes(world.sandbox), []);
      assert.equal((await world.status()).paused?.by, 'anna');
      await world.ask(`${STACK}/resume`, { by: 'anna' });
      await world.pass(30);
      assert.ok(size() > 2);
    });

    it('a size is held until its time is over', async () => {
      await world.ask(`${STACK}/pools/ci/scale`, { by: 'anna', size: 5, forSeconds: 600 });
      await world.pass(120);
      assert.equal(size(), 5);
      await world.pass(490);
      assert.equal((await world.pool('ci')).order, undefined);
      assert.ok(await world.pass(2 * 3600, () => size() === 2));
    });

    for (const [what, file, settings] of [
      ['the master switch is off', { autoscaling: { enabled: false } }, {}],
      ['the service is started with --dry-run', { autoscaling: { enabled: true } }, { dryRun: true }],
    ] as const) {
      it(`where ${what}, it watches, decides and explains, and changes nothing`, async () => {
        await world.stopService();
        world.edit({}, file);
        world.sandbox.requests.clear();
        await world.startService(settings);
        world.addJobs('ci', 6, 300);
        await world.pass(240);
        assert.deepEqual(writes(world.sandbox), []);
        const { enabled, dryRun, pools } = await world.status();
        assert.deepEqual(
          { enabled, dryRun },
          { enabled: file.autoscaling.enabled, dryRun: 'dryRun' in settings },
        );
        assert.ok(pools['ci']!.desired > 2);
        assert.notDeepEqual(pools['ci']!.reasons, []);
      });
    }
  });

  describe('lesson 14: at the end', () => {
    it('destroy leaves nothing', async () => {
      await world.stopService();
      const destroyed = await world.environment.cli(['destroy', '--yes', '--skip-preview']);
      assert.equal(destroyed.code, 0, destroyed.text);
      assert.deepEqual(inventory(world.sandbox), NOTHING);
    });
  });
});
