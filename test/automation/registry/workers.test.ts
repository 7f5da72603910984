import assert from 'node:assert/strict';
import { forEachRegistry, registerWorkers } from './contract';

forEachRegistry('the book of workers', (stand) => {
  const key = (environment: string, worker = 'ci-0001') => ({ environment, pool: 'ci', worker });
  const machine = { hostname: 'staging-ci-0001', slots: 4, address: '100.64.0.1' };

  it('lists a worker as it registered, without a beat', async () => {
    const environment = stand.environment();
    await stand.registry.workers.register(key(environment), { ...machine, at: 90 }, 100);
    assert.deepEqual(await stand.registry.workers.list(environment), [
      { ...key(environment), ...machine, registeredAt: 100, seenAt: 100, busy: 0, running: [] },
    ]);
  });

  it('keeps the first registration’s time, the jobs and the drain when a worker registers again', async () => {
    const environment = stand.environment();
    const { workers } = stand.registry;
    await workers.register(key(environment), machine, 100);
    await workers.drain(environment, ['ci-0001'], { cause: 'policy', reason: 'idle' }, 105);
    await workers.beat(key(environment), { at: 10, busy: 1, ages: [3] }, 110);
    await workers.register(key(environment), { ...machine, slots: 2 }, 120);
    assert.deepEqual(await workers.list(environment), [
      {
        ...key(environment),
        ...machine,
        slots: 2,
        registeredAt: 100,
        seenAt: 120,
        beatAt: 110,
        busy: 1,
        running: [107],
        drain: { cause: 'policy', reason: 'idle', since: 105 },
      },
    ]);
  });

  it('answers unknown to a worker that has not registered, or under another pool', async () => {
    const environment = stand.environment();
    const { workers } = stand.registry;
    const beat = { at: 10, busy: 0, ages: [] };
    assert.deepEqual(await workers.beat(key(environment), beat, 100), { kind: 'unknown' });
    await workers.register(key(environment), machine, 100);
    assert.deepEqual(await workers.beat({ ...key(environment), pool: 'web' }, beat, 101), {
      kind: 'unknown',
    });
    assert.deepEqual(await workers.beat(key(environment), beat, 102), { kind: 'ok', drain: false });
  });

  it('counts a beat once, and none that was sent before the last one or before the registration', async () => {
    const environment = stand.environment();
    const { workers } = stand.registry;
    await workers.register(key(environment), { ...machine, at: 50 }, 100);
    const rows: [at: number, kind: string][] = [
      [49, 'replayed'],
      [50, 'replayed'],
      [51.5, 'ok'],
      [51.5, 'replayed'],
      [51.499, 'replayed'],
      [51.501, 'ok'],
    ];
    for (const [index, [at, kind]] of rows.entries()) {
      const answer = await workers.beat(key(environment), { at, busy: index, ages: [] }, 100 + index);
      assert.equal(answer.kind, kind, `beat at ${at}`);
    }
    const [worker] = await workers.list(environment);
    assert.deepEqual([worker?.busy, worker?.beatAt, worker?.seenAt], [5, 105, 105]);
  });

  it('hears a worker whose clock was set back once it has registered again', async () => {
    const environment = stand.environment();
    const { workers } = stand.registry;
    await workers.register(key(environment), { ...machine, at: 5000 }, 100);
    await workers.beat(key(environment), { at: 5010, busy: 0, ages: [] }, 110);
    assert.equal((await workers.beat(key(environment), { at: 20, busy: 0, ages: [] }, 120)).kind, 'replayed');
    await workers.register(key(environment), { ...machine, at: 21 }, 121);
    assert.equal((await workers.beat(key(environment), { at: 22, busy: 0, ages: [] }, 122)).kind, 'ok');
  });

  it('tells a drain with the next beat, notes when, and tells that it is over', async () => {
    const environment = stand.environment();
    const { workers } = stand.registry;
    await registerWorkers(stand.registry, environment, [1, 1], 100);
    await workers.drain(environment, ['ci-0001', 'ci-9999'], { cause: 'excess', reason: 'above max' }, 105);
    const told = async () => (await workers.list(environment))[0]?.drain;
    assert.deepEqual(await told(), { cause: 'excess', reason: 'above max', since: 105 });
    for (const now of [110, 120]) {
      const answer = await workers.beat(key(environment), { at: now, busy: 0, ages: [] }, now);
      assert.deepEqual(answer, { kind: 'ok', drain: true });
    }
    assert.deepEqual(await told(), { cause: 'excess', reason: 'above max', since: 105, toldAt: 110 });
    const other = await workers.beat(key(environment, 'ci-0002'), { at: 1, busy: 0, ages: [] }, 120);
    assert.deepEqual(other, { kind: 'ok', drain: false });
    await workers.resume(environment, ['ci-0001']);
    assert.equal(await told(), undefined);
    const answer = await workers.beat(key(environment), { at: 130, busy: 0, ages: [] }, 130);
    assert.deepEqual(answer, { kind: 'ok', drain: false });
  });

  it('takes the order to drain for unheard when the worker registers again: the answer may have been lost', async () => {
    const environment = stand.environment();
    const { workers } = stand.registry;
    await workers.register(key(environment), machine, 100);
    await workers.drain(environment, ['ci-0001'], { cause: 'policy', reason: 'idle' }, 105);
    await workers.beat(key(environment), { at: 1, busy: 0, ages: [] }, 110);
    await workers.register(key(environment), machine, 120);
    await workers.beat(key(environment), { at: 2, busy: 0, ages: [] }, 121);
    const [worker] = await workers.list(environment);
    assert.deepEqual(worker?.drain, { cause: 'policy', reason: 'idle', since: 105, toldAt: 121 });
  });

  const causes = [
    ['policy', 'rollout', 'rollout'],
    ['policy', 'operator', 'operator'],
    ['policy', 'excess', 'policy'],
    ['rollout', 'operator', 'rollout'],
    ['operator', 'policy', 'operator'],
    ['excess', 'operator', 'excess'],
  ] as const;
  for (const [first, second, kept] of causes) {
    it(`drains because of ${kept} when ${second} is ordered after ${first}`, async () => {
      const environment = stand.environment();
      const { workers } = stand.registry;
      await workers.register(key(environment), machine, 100);
      await workers.drain(environment, ['ci-0001'], { cause: first, reason: first }, 105);
      await workers.drain(environment, ['ci-0001'], { cause: second, reason: second }, 106);
      const [worker] = await workers.list(environment);
      assert.deepEqual(worker?.drain, { cause: kept, reason: kept, since: 105 });
    });
  }

  it('follows jobs from beat to beat and keeps those that ended, for a day', async () => {
    const environment = stand.environment();
    const { workers } = stand.registry;
    await workers.register(key(environment), machine, 1000);
    await workers.beat(key(environment), { at: 1, busy: 2, ages: [100, 40] }, 1000);
    await workers.beat(key(environment), { at: 2, busy: 2, ages: [3, 50] }, 1010);
    const [worker] = await workers.list(environment);
    assert.deepEqual([worker?.busy, worker?.running], [2, [960, 1007]]);
    assert.deepEqual(await workers.served(environment, 1000), [{ pool: 'ci', endedAt: 1010, seconds: 110 }]);
    assert.deepEqual(await workers.served(environment, 1010), []);
    const later = 1010 + 86_400;
    await workers.beat(key(environment), { at: 3, busy: 0, ages: [] }, later);
    assert.equal((await workers.served(environment, 0)).length, 3);
    await workers.beat(key(environment), { at: 4, busy: 1, ages: [1] }, later + 20);
    await workers.beat(key(environment), { at: 5, busy: 0, ages: [] }, later + 30);
    assert.deepEqual(
      (await workers.served(environment, 0)).map(({ endedAt }) => endedAt),
      [later, later, later + 30],
    );
  });

  it('forgets workers whose server is gone, and keeps environments apart', async () => {
    const [one, other] = [stand.environment(), stand.environment()];
    const { workers } = stand.registry;
    await registerWorkers(stand.registry, one, [1, 1], 100);
    await registerWorkers(stand.registry, other, [1], 100);
    await workers.forget(one, ['ci-0001', 'ci-7777']);
    assert.deepEqual(
      (await workers.list(one)).map(({ worker }) => worker),
      ['ci-0002'],
    );
    assert.deepEqual(
      (await workers.list(other)).map(({ worker }) => worker),
      ['ci-0001'],
    );
    assert.equal((await workers.beat(key(one), { at: 1, busy: 0, ages: [] }, 110)).kind, 'unknown');
  });

  it('keeps in which step a set-up failed, as news once for each step, environment and worker', async () => {
    const [one, other] = [stand.environment(), stand.environment()];
    const { workers } = stand.registry;
    const rows: [environment: string, worker: string, step: string, news: boolean][] = [
      [one, 'ci-0001', '13-packages', true],
      [one, 'ci-0001', '13-packages', false],
      [one, 'ci-0002', '13-packages', true],
      [other, 'ci-0001', '13-packages', true],
      [one, 'ci-0001', 'interrupted', true],
    ];
    for (const [environment, worker, step, news] of rows)
      assert.equal(await workers.fail(key(environment, worker), step, 100.25), news);
    assert.deepEqual(await workers.failedSteps(one), { 'ci-0001': 'interrupted', 'ci-0002': '13-packages' });
    assert.deepEqual(await workers.failedSteps(other), { 'ci-0001': '13-packages' });
    assert.deepEqual(await workers.list(one), []);
  });

  const ends: [string, (environment: string) => Promise<unknown>][] = [
    ['the worker registers after all', (at) => stand.registry.workers.register(key(at), machine, 110)],
    ['its server is gone', (at) => stand.registry.workers.forget(at, ['ci-0001'])],
    [
      'a day has passed and another fails',
      (at) => stand.registry.workers.fail(key(at, 'ci-0003'), '13-packages', 100 + 86_401),
    ],
  ];
  for (const [when, end] of ends) {
    it(`forgets a failed set-up when ${when}`, async () => {
      const environment = stand.environment();
      const { workers } = stand.registry;
      await workers.fail(key(environment), '13-packages', 100);
      await workers.fail(key(environment, 'ci-0002'), '13-packages', 100 + 3600);
      await end(environment);
      const { 'ci-0001': forgotten, 'ci-0002': kept } = await workers.failedSteps(environment);
      assert.deepEqual([forgotten, kept], [undefined, '13-packages']);
    });
  }

  it('counts every job once when beats of one worker arrive at once', async () => {
    const environment = stand.environment();
    const { workers } = stand.registry;
    await workers.register(key(environment), { ...machine, slots: 20 }, 100);
    await workers.beat(key(environment), { at: 0, busy: 20, ages: [] }, 100);
    const answers = await Promise.all(
      Array.from({ length: 20 }, (_, index) =>
        workers.beat(key(environment), { at: index + 1, busy: 19 - index, ages: [] }, 110),
      ),
    );
    const [worker] = await workers.list(environment);
    const served = await workers.served(environment, 0);
    assert.equal(answers.at(-1)?.kind, 'ok');
    assert.deepEqual([worker?.busy, served.length], [0, 20]);
  });

  it('remembers all of it after a restart', async () => {
    const environment = stand.environment();
    const { workers } = stand.registry;
    await workers.register(key(environment), machine, 100);
    await workers.beat(key(environment), { at: 1, busy: 2, ages: [5, 6] }, 110);
    await workers.drain(environment, ['ci-0001'], { cause: 'operator', reason: 'asked' }, 111);
    const before = await workers.list(environment);
    await stand.reopen();
    assert.deepEqual(await stand.registry.workers.list(environment), before);
    await stand.registry.workers.beat(key(environment), { at: 2, busy: 1, ages: [16] }, 120);
    assert.deepEqual(await stand.registry.workers.served(environment, 0), [
      { pool: 'ci', endedAt: 120, seconds: 15 },
    ]);
  });
});
