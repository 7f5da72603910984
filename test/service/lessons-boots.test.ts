import assert from 'node:assert/strict';
import { setTimeout as sleep } from 'node:timers/promises';
import { workerToken } from '../../components/model/worker-machine';
import { REGISTRATION_SECRET, STACK } from '../engine/harness';
import { jobPool, World } from './world';

const CREATES = /^\/v1\/servers$/;
/** Seconds that a worker which says nothing is waited for at least. */
const SHORTEST_PATIENCE = 240;
const eager = { ...jobPool, scaling: { targetWait: 60 } };

describe('workers that do not become ready', function () {
  this.timeout(300_000);
  let world: World;
  before(async () => {
    const pool = { ...eager, size: { min: 0, max: 3 } };
    world = await World.running({
      slow: { ...pool, size: { min: 0, max: 2 } },
      off: { ...pool, scaling: { targetWait: 200 } },
      broken: pool,
      failing: pool,
    });
  });
  after(() => world?.close());

  const creates = (): number => world.requests('POST', CREATES);
  const report = (pool: string) => world.sandbox.jobs.poolReport(pool);
  const machines = (changes: Partial<World['sandbox']['machines']['settings']>): void =>
    world.sandbox.machines.changeSettings({ ...world.sandbox.machines.settings, ...changes });

  describe('lesson 13: boot timeouts follow the image', () => {
    it('a boot that takes five times as long is waited for', async () => {
      machines({ slowShare: 1, slowFactor: 5 });
      world.addJobs('slow', 2, 60);
      assert.ok(await world.pass(900, () => report('slow').done === 2));
      machines({ slowShare: 0 });
      const { servers, alive } = world.fleet('slow');
      assert.deepEqual({ servers, alive }, { servers: 2, alive: 2 });
    });

    const failures = [
      ['was made and never started', 'start_server'],
      ['ended its creation in an error', 'create_server'],
    ];
    for (const [what, command] of failures) {
      it(`a server that ${what} is removed at once, and another one made`, async () => {
        assert.ok(await world.emptied('off'));
        const { servers } = world.fleet('off');
        const { done } = report('off');
        world.sandbox.hetzner.failNextAction(command!);
        world.addJobs('off', 1, 60);
        await world.pass(30);
        assert.ok(!world.fleet('off').names.includes(`sandbox-off-000${servers + 1}`));
        assert.equal(world.servers().length, world.fleet('off').alive + world.fleet('slow').alive);
        assert.ok(await world.pass(300, () => report('off').done === done + 1));
      });
    }
  });

  describe('lesson 3: a broken image cannot run away nor starve', () => {
    it('each that never gets ready is deleted, and replacements follow a budget, with an alarm', async () => {
      machines({ neverReadyShare: 1 });
      world.sandbox.requests.clear();
      world.addJobs('broken', 20, 60);
      await world.pass(900);
      const first = creates();
      assert.ok(first <= 4, `${first} servers in the first quarter of an hour`);
      assert.ok((await world.alarms()).includes('broken: workers-never-ready'));
      await world.pass(3600);
      const more = creates() - first;
      assert.ok(more >= 4 && more <= 6, `${more} further servers in an hour`);
      assert.ok(world.fleet('broken').alive <= 1);
    });

    it('the next attempt after it is healed restores the service, without anybody’s doing', async () => {
      machines({ neverReadyShare: 0 });
      assert.ok(await world.pass(2 * 3600, () => report('broken').done === 20));
      assert.equal(report('broken').lost, 0);
      assert.deepEqual(await world.alarms(), []);
    });

    it('one that says that its set-up failed is replaced at once, and counts as one that never gets ready', async () => {
      const LAUNCHES = ['failing-0001', 'failing-0002', 'failing-0003', 'failing-0004'];
      machines({ neverReadyShare: 1 });
      const began = world.now;
      world.addJobs('failing', 1, 60);
      for (const worker of LAUNCHES) {
        assert.ok(await world.pass(120, () => world.servers().includes(`${STACK}-${worker}`)), worker);
        await world.pass(30);
        assert.equal((await sayFailed(worker)).status, 200);
        await world.round();
        assert.ok(!world.servers().includes(`${STACK}-${worker}`));
      }
      assert.ok(world.now - began < SHORTEST_PATIENCE, `${world.now - began} s`);
      assert.ok((await world.alarms()).includes('failing: workers-never-ready'));
      const { entries } = (await world.ask(`/v1/stacks/${STACK}/audit?worker=failing-0001`)) as {
        entries: { summary: string }[];
      };
      assert.match(JSON.stringify(entries), /failing-0001 is removed: its set-up failed in step 13-packages/);
      await world.pass(500);
      assert.equal(world.fleet('failing').servers, LAUNCHES.length);
      machines({ neverReadyShare: 0 });
      assert.ok(await world.pass(400, () => report('failing').done === 1));
      assert.deepEqual(await world.alarms(), []);
    });

    /** What the worker's own program says; its machine only hangs. */
    function sayFailed(worker: string): Promise<Response> {
      const key = { environment: STACK, pool: 'failing', worker };
      const token = workerToken(REGISTRATION_SECRET, { ...key, id: worker });
      return fetch(`${world.workersUrl}/v1/workers/failed`, {
        method: 'POST',
        headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
        body: JSON.stringify({ ...key, at: world.now, step: '13-packages', log: 'E: no such package\n' }),
      });
    }
  });
});

describe('machines that the vendor is long in making', function () {
  this.timeout(300_000);
  const durations = { createServer: 900, startServer: 0, deleteServer: 0, network: 0, firewall: 0, other: 0 };
  let world: World;
  before(async () => {
    world = await World.running(
      { copied: { ...eager, size: { min: 0, max: 1 } } },
      {
        sandbox: {
          hetzner: { durations, durationFactor: 1 },
          machines: { bootSeconds: { min: 200, max: 200 } },
        },
      },
    );
  });
  after(() => world?.close());

  it('lesson 13: a boot is timed from when its machine was made, a quarter of an hour after its request', async () => {
    // The registry is older than the worker's server, by the vendor's whole seconds too.
    await world.pass(20);
    world.addJobs('copied', 1, 60);
    const launching = world.round();
    while (world.requests('POST', CREATES) === 0) await sleep(20);
    await world.sandbox.advance(durations.createServer);
    await launching;
    assert.ok(await world.pass(400, () => world.sandbox.jobs.poolReport('copied').done === 1));
    assert.equal(world.fleet('copied').servers, 1);
  });
});
