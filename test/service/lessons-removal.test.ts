import assert from 'node:assert/strict';
import { workerToken } from '../../components/model/worker-machine';
import { project, serverIds } from '../engine/cloud';
import { REGISTRATION_SECRET } from '../engine/harness';
import { GROWN, jobPool, World } from './world';

const ONE = /^\/v1\/servers\/\d+$/;

describe('removing workers', function () {
  this.timeout(300_000);
  let world: World;
  before(async () => {
    const pool = { ...jobPool, scaling: { targetWait: 200 } };
    const kept = { ...pool, size: { min: 1, max: 2 } };
    const pools = { kept, ci: pool, night: pool, long: pool, off: pool };
    world = await World.running(pools, { sandbox: GROWN });
  });
  afterEach(() => world.sandbox.faults.clear());
  after(() => world?.close());

  const report = (pool: string) => world.sandbox.jobs.poolReport(pool);
  const deletions = (): number => world.requests('DELETE', ONE);
  /** What a server of ours would have; there has to be one already. */
  const labelsOf = (worker: string): Record<string, string> => {
    const [server] = Object.values(project(world.sandbox).servers).filter(({ name }) =>
      name.startsWith('sandbox-kept-'),
    );
    return { ...server!.labels, pool: 'kept', 'worker-id': worker };
  };
  /** Seconds since the pool's youngest server was made. */
  const age = (pool: string): number =>
    world.now - Math.max(...world.machines(pool).map(({ startedAt }) => Date.parse(startedAt) / 1000));

  describe('lesson 4: never delete a busy worker', () => {
    it('one that turns busy between decision and deletion stays', async () => {
      world.addJobs('ci', 1, 60);
      assert.ok(await world.pass(400, () => report('ci').done === 1));
      const [worker] = (await world.pool('ci')).workers;
      const beats: Promise<Response>[] = [];
      world.onEvent = ({ event, removals }) => {
        if (event === 'update-started' && JSON.stringify(removals).includes(worker!.id))
          beats.push(beat(worker!.id));
      };
      await world.pass(3600, () => beats.length > 0);
      world.onEvent = () => undefined;
      assert.deepEqual(
        (await Promise.all(beats)).map(({ status }) => status),
        [200],
      );
      const { spared } = world.events.findLast(({ event }) => event === 'update-finished')!;
      assert.deepEqual(spared, [worker!.id]);
      assert.equal(deletions(), 0);
      assert.deepEqual(world.fleet('ci').names, [`sandbox-${worker!.id}`]);
    });

    /** What the worker would say if it had just taken a job. */
    function beat(worker: string): Promise<Response> {
      const key = { environment: 'sandbox', pool: 'ci', worker };
      const token = workerToken(REGISTRATION_SECRET, { ...key, id: worker });
      return fetch(`${world.workersUrl}/v1/workers/heartbeat`, {
        method: 'POST',
        headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
        body: JSON.stringify({ ...key, at: world.now + 1, busy: 1, ages: [0] }),
      });
    }
  });

  describe('lesson 12: scale-in follows paid hours, also over a restart', () => {
    it('an idle worker whose window the service sleeps through leaves in the next; a busy one stays', async () => {
      assert.ok(await world.pass(2 * 3600, () => world.fleet('ci').alive === 0));
      world.addJobs('night', 1, 60);
      world.addJobs('long', 1, 4200);
      assert.ok(await world.pass(400, () => report('night').done === 1 && report('long').running === 1));
      await world.pass(3300 - age('night'));
      await world.stopService();
      await world.pass(600);
      await world.startService();
      const before = deletions();
      await world.pass(7000 - age('night'));
      assert.equal(deletions(), before);
      assert.equal(report('long').done, 1);
      await world.pass(210);
      for (const pool of ['night', 'long']) {
        const { alive, hoursStarted } = world.fleet(pool);
        assert.deepEqual({ alive, hoursStarted }, { alive: 0, hoursStarted: 2 }, pool);
      }
      assert.equal(report('long').lost, 0);
    });
  });

  describe('lesson 7: the sweep is scoped and sceptical', () => {
    it('an orphan of ours goes once it is old, and nothing else does', async () => {
      const ours = labelsOf('kept-00zz');
      const foreign = {
        'a-neighbours-server': {},
        'sandbox-kept-00yy': { pool: 'kept', 'worker-id': 'kept-00yy' },
        'production-kept-0001': { ...ours, stack: 'production', 'worker-id': 'kept-0001' },
        'sandbox-old-0001': { ...ours, pool: 'old', 'worker-id': 'old-0001' },
      };
      for (const [name, labels] of Object.entries(foreign)) await world.createServer(name, labels);
      await world.createServer('sandbox-kept-00zz', ours);
      const there = Object.keys(serverIds(world.sandbox));
      await world.pass(880);
      assert.deepEqual(Object.keys(serverIds(world.sandbox)), there);
      await world.pass(300);
      assert.deepEqual(
        Object.keys(serverIds(world.sandbox)),
        there.filter((name) => name !== 'sandbox-kept-00zz'),
      );
    });

    const lists = [
      ['fails', { status: 500, code: 'server_error', message: 'internal' }],
      ['is empty', { mode: 'empty' }],
      ['is cut in half', { mode: 'half' }],
    ] as const;
    for (const [what, answer] of lists) {
      it(`nothing is deleted while the list of servers ${what}`, async () => {
        const before = deletions();
        await world.createServer('sandbox-kept-00zz', labelsOf('kept-00zz'));
        world.sandbox.faults.add({ method: 'GET', path: '/v1/servers', times: null, ...answer });
        await world.pass(1000);
        assert.equal(deletions(), before);
        world.sandbox.faults.clear();
        assert.ok(await world.pass(400, () => !('sandbox-kept-00zz' in serverIds(world.sandbox))));
      });
    }
  });

  describe('lesson 8: a scale-out that fails stops no removal', () => {
    it('idle workers and orphans go while the vendor refuses every server', async () => {
      const { done } = report('night');
      world.addJobs('night', 1, 60);
      assert.ok(await world.pass(400, () => report('night').done === done + 1));
      await world.pass(2300 - age('night'));
      await world.createServer('sandbox-kept-00zx', labelsOf('kept-00zx'));
      await world.pass(600);
      const soldOut = { status: 412, code: 'resource_unavailable', message: 'error during placement' };
      world.sandbox.faults.add({ method: 'POST', path: '/v1/servers', times: null, ...soldOut });
      world.addJobs('long', 3, 60);
      await world.pass(3600 - age('night') + 60);
      assert.deepEqual(world.fleet('night').names, []);
      assert.ok(!('sandbox-kept-00zx' in serverIds(world.sandbox)));
      assert.ok((await world.alarms()).includes('long: sold-out-everywhere'));
    });
  });

  describe('a server that is switched off', () => {
    it('is replaced, and its device leaves the tailnet', async () => {
      world.addJobs('off', 1, 2400);
      assert.ok(await world.pass(400, () => report('off').running === 1));
      const [machine] = world.machines('off').filter(({ heartbeat }) => heartbeat?.busy === 1);
      await world.hetzner('POST', `/servers/${machine!.serverId}/actions/poweroff`);
      assert.ok(await world.pass(400, () => !world.fleet('off').names.includes(machine!.name)));
      assert.ok(await world.pass(3600, () => report('off').done === 1));
      assert.ok(!world.sandbox.tailscale.hostnames().includes(machine!.name));
    });
  });
});
