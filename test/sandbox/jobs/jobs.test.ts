import assert from 'node:assert/strict';
import type { Sandbox } from '../../../sandbox/sandbox';
import { control, hetzner, sandboxes } from '../control/support';
import { addWorker, type Service, startService } from '../machines/service';

describe('the tenant’s queue', () => {
  const { start, closeAll } = sandboxes();
  let sandbox: Sandbox;
  let service: Service;
  beforeEach(async () => {
    sandbox = await start({
      hetzner: { durationFactor: 0 },
      machines: { bootSeconds: { min: 60, max: 60 } },
    });
    service = await startService(() => sandbox.clock.now());
  });
  afterEach(async () => {
    await closeAll();
    await service.close();
  });

  const add = (seconds: number[], pool = 'ci') =>
    sandbox.jobs.add(
      pool,
      seconds.map((each) => ({ seconds: each })),
    );
  /** waiting, running, done, lost, abandoned */
  const counts = (pool = 'ci'): number[] => {
    const { waiting, running, done, lost, abandoned } = sandbox.jobs.poolReport(pool);
    return [waiting, running, done, lost, abandoned];
  };
  const lastBeat = () => {
    const { busy, ages } = service.posts.findLast(({ what }) => what === 'heartbeat')?.body ?? {};
    return { busy, ages };
  };

  it('is worked off in order by the pool’s machines, as many jobs at once as they have slots', async () => {
    await addWorker(sandbox, service, 'ci-0001', { slots: 2 });
    add([30, 10, 5, 100]);
    add([1], 'other');
    await sandbox.advance(59);
    assert.deepEqual(counts(), [4, 0, 0, 0, 0]);
    await sandbox.advance(1);
    assert.deepEqual(counts(), [2, 2, 0, 0, 0]);
    await sandbox.advance(10);
    assert.deepEqual(counts(), [1, 2, 1, 0, 0]);
    await sandbox.advance(20);
    assert.deepEqual(counts(), [0, 1, 3, 0, 0]);
    await sandbox.advance(85);
    assert.deepEqual(counts(), [0, 0, 4, 0, 0]);
    assert.deepEqual(counts('other'), [1, 0, 0, 0, 0]);
    assert.deepEqual(sandbox.jobs.poolReport('ci').waits, { p50: 60, p95: 75, max: 75 });
  });

  it('makes the machines busy, and their beats say since when', async () => {
    await addWorker(sandbox, service, 'ci-0001', { slots: 4 });
    add([100, 100]);
    await sandbox.advance(65);
    add([100]);
    await sandbox.advance(15);
    assert.deepEqual(lastBeat(), { busy: 3, ages: [20, 20, 15] });
    assert.equal(sandbox.machines.list()[0]?.heartbeat?.busy, 3);
    await sandbox.advance(100);
    assert.deepEqual(lastBeat(), { busy: 0, ages: [] });
  });

  it('gives nothing to a machine from the beat on that told it to drain, and again when that is over', async () => {
    await addWorker(sandbox, service, 'ci-0001', { slots: 1 });
    add([25]);
    await sandbox.advance(60);
    service.draining.add('ci-0001');
    await sandbox.advance(9);
    add([50]);
    await sandbox.advance(31);
    assert.deepEqual(counts(), [1, 0, 1, 0, 0]);
    service.draining.clear();
    await sandbox.advance(10);
    assert.deepEqual(counts(), [0, 1, 1, 0, 0]);
  });

  for (const { name, end } of [
    { name: 'deleted', end: (id: number) => hetzner(sandbox, 'DELETE', `/servers/${id}`) },
    {
      name: 'switched off',
      end: (id: number) => hetzner(sandbox, 'POST', `/servers/${id}/actions/poweroff`),
    },
    { name: 'reset', end: (id: number) => hetzner(sandbox, 'POST', `/servers/${id}/actions/reset`) },
    {
      name: 'rebuilt',
      end: (id: number) => hetzner(sandbox, 'POST', `/servers/${id}/actions/rebuild`, { image: 'debian-12' }),
    },
  ])
    it(`counts jobs as lost whose machine is ${name}, and puts them back in front`, async () => {
      const id = await addWorker(sandbox, service, 'ci-0001', { slots: 2 });
      sandbox.jobs.add('ci', [
        { id: 'a', seconds: 100 },
        { id: 'b', seconds: 100 },
        { id: 'c', seconds: 100 },
      ]);
      await sandbox.advance(70);
      assert.equal((await end(id)).status < 300, true);
      await sandbox.advance(0);
      assert.deepEqual(counts(), [3, 0, 0, 2, 0]);
      assert.equal(sandbox.jobs.poolReport('ci').oldestAge, 70);
      await addWorker(sandbox, service, 'ci-0002', { slots: 2 });
      await sandbox.advance(60);
      assert.deepEqual(counts()[2], 0);
      await sandbox.advance(240);
      assert.deepEqual(counts(), [0, 0, 3, 2, 0]);
    });

  it('counts jobs of a machine that hung as abandoned once it is removed; they never end before', async () => {
    const id = await addWorker(sandbox, service, 'ci-0001', { slots: 1 });
    add([10, 10]);
    await sandbox.advance(60);
    sandbox.machines.hang(id);
    await sandbox.advance(3600);
    assert.deepEqual(counts(), [1, 1, 0, 0, 0]);
    await hetzner(sandbox, 'DELETE', `/servers/${id}`);
    assert.deepEqual(counts(), [2, 0, 0, 0, 1]);
  });

  it('goes on after a snapshot', async () => {
    await addWorker(sandbox, service, 'ci-0001', { slots: 1 });
    add([30, 30, 30]);
    await sandbox.advance(70);
    const snapshot = sandbox.snapshot();
    await sandbox.advance(60);
    const expected = sandbox.jobs.report();
    await sandbox.restore(snapshot);
    assert.deepEqual(counts(), [2, 1, 0, 0, 0]);
    await sandbox.advance(60);
    assert.deepEqual(sandbox.jobs.report(), expected);
  });

  it('is worked off the same in one step, in many, and in steps that overlap', async () => {
    await addWorker(sandbox, service, 'ci-0001', { slots: 1 });
    add([30, 30, 30, 30]);
    await sandbox.advance(70);
    const snapshot = sandbox.snapshot();
    await sandbox.advance(60);
    const expected = sandbox.jobs.report();
    await sandbox.restore(snapshot);
    for (let step = 0; step < 20; step++) await sandbox.advance(3);
    assert.deepEqual(sandbox.jobs.report(), expected);
    await sandbox.restore(snapshot);
    await Promise.all(Array.from({ length: 20 }, () => sandbox.advance(3)));
    assert.deepEqual(sandbox.jobs.report(), expected);
  });

  it('is empty after a reset', async () => {
    add([1]);
    await sandbox.reset();
    assert.deepEqual(sandbox.jobs.report(), {});
  });

  it('takes jobs and answers in flat JSON over the control API', async () => {
    const added = await control(sandbox, 'POST', '/jobs', {
      pool: 'ci',
      jobs: [{ id: 'first', seconds: 60 }, { seconds: 5 }],
    });
    assert.equal(added.status, 201);
    await sandbox.advance(30);
    const report = {
      waiting: 2,
      running: 0,
      done: 0,
      oldestAge: 30,
      waits: { p50: 0, p95: 0, max: 0 },
      lost: 0,
      abandoned: 0,
    };
    assert.deepEqual((await control(sandbox, 'GET', '/jobs/ci')).body, report);
    assert.deepEqual((await control(sandbox, 'GET', '/jobs')).body, { pools: { ci: report } });
    const { oldestAge, ...empty } = { ...report, waiting: 0 };
    assert.equal(oldestAge, 30);
    assert.deepEqual((await control(sandbox, 'GET', '/jobs/unheard-of')).body, empty);
  });

  for (const { name, body, says } of [
    {
      name: 'an id that was used',
      body: { pool: 'ci', jobs: [{ seconds: 1 }, { id: 'used', seconds: 1 }] },
      says: /there is a job \\"used\\" already/,
    },
    {
      name: 'one id twice',
      body: {
        pool: 'ci',
        jobs: [
          { id: 'x', seconds: 1 },
          { id: 'x', seconds: 1 },
        ],
      },
      says: /there is a job \\"x\\" already/,
    },
    { name: 'a negative length', body: { pool: 'ci', jobs: [{ seconds: -1 }] }, says: /seconds/ },
    { name: 'no jobs', body: { pool: 'ci', jobs: [] }, says: /jobs/ },
  ])
    it(`refuses ${name}, and adds nothing`, async () => {
      sandbox.jobs.add('ci', [{ id: 'used', seconds: 1 }]);
      const answer = await control(sandbox, 'POST', '/jobs', body);
      assert.equal(answer.status, 422);
      assert.match(JSON.stringify(answer.body), says);
      assert.deepEqual(counts(), [1, 0, 0, 0, 0]);
    });
});
