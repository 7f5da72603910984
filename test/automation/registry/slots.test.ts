import assert from 'node:assert/strict';
import { forEachRegistry, registerWorkers, SILENCE } from './contract';

forEachRegistry('slots', (stand) => {
  const request = (
    environment: string,
    id: string,
    now: number,
    rest: { pool?: string; patience?: number } = {},
  ) => stand.registry.slots.request({ id, environment, pool: 'ci', patience: 300, ttl: 40, ...rest }, now);
  const stateOf = async (environment: string, id: string) =>
    (await stand.registry.slots.get(environment, id))?.state;

  it('are granted at once where one is free, with the worker’s address', async () => {
    const environment = stand.environment();
    await registerWorkers(stand.registry, environment, [1], 100);
    const granted = {
      id: 'a',
      environment,
      pool: 'ci',
      state: 'granted',
      requestedAt: 100.5,
      expiresAt: 140.5,
      worker: 'ci-0001',
      address: '100.64.0.1',
      grantedAt: 100.5,
    };
    assert.deepEqual(await request(environment, 'a', 100.5), granted);
    assert.deepEqual(await stand.registry.slots.get(environment, 'a'), granted);
    assert.equal(await stand.registry.slots.get(environment, 'b'), undefined);
  });

  it('are waited for where none is free, in the order of asking, and given when one comes free', async () => {
    const environment = stand.environment();
    const { slots } = stand.registry;
    assert.deepEqual(await request(environment, 'a', 100), {
      id: 'a',
      environment,
      pool: 'ci',
      state: 'waiting',
      requestedAt: 100,
      expiresAt: 400,
    });
    // Their clocks differ; what counts is who came first.
    await request(environment, 'b', 99);
    await request(environment, 'c', 101);
    assert.deepEqual(await slots.settle(environment, 101), []);
    await registerWorkers(stand.registry, environment, [2], 110);
    assert.equal((await request(environment, 'd', 111)).state, 'waiting');
    assert.deepEqual((await slots.settle(environment, 112)).sort(), ['a', 'b']);
    const released = await slots.release(environment, 'a', 120);
    assert.deepEqual([released?.state, released?.worker], ['released', 'ci-0001']);
    assert.deepEqual(await slots.settle(environment, 121), ['c']);
    assert.deepEqual(await slots.settle(environment, 122), []);
    assert.equal(await stateOf(environment, 'd'), 'waiting');
  });

  it('are taken from the fullest worker that has room, so that others fall idle', async () => {
    const environment = stand.environment();
    await registerWorkers(stand.registry, environment, [3, 2], 100);
    const workers: (string | undefined)[] = [];
    for (const id of ['a', 'b', 'c', 'd', 'e', 'f'])
      workers.push((await request(environment, id, 100)).worker);
    assert.deepEqual(workers, ['ci-0002', 'ci-0002', 'ci-0001', 'ci-0001', 'ci-0001', undefined]);
  });

  it('come from workers of their pool and environment only', async () => {
    const [environment, other] = [stand.environment(), stand.environment()];
    await registerWorkers(stand.registry, environment, [1], 100);
    assert.equal((await request(other, 'a', 100)).state, 'waiting');
    assert.equal((await request(environment, 'a', 100, { pool: 'web' })).state, 'waiting');
    assert.equal((await request(environment, 'b', 100)).state, 'granted');
  });

  it('answer what became of them when asked for again', async () => {
    const environment = stand.environment();
    const { slots } = stand.registry;
    await registerWorkers(stand.registry, environment, [1], 100);
    const granted = await request(environment, 'a', 100);
    const waiting = await request(environment, 'b', 101);
    assert.deepEqual(await request(environment, 'a', 110), granted);
    assert.deepEqual(await request(environment, 'b', 110, { patience: 1 }), waiting);
    const released = await slots.release(environment, 'a', 111);
    assert.deepEqual(await request(environment, 'a', 112), released);
    assert.deepEqual(await slots.release(environment, 'a', 113), released);
    assert.deepEqual(await slots.settle(environment, 114), ['b']);
  });

  it('are not given by workers that drain or were not heard of for long', async () => {
    const environment = stand.environment();
    const { workers } = stand.registry;
    await registerWorkers(stand.registry, environment, [1, 1], 100);
    await workers.drain(environment, ['ci-0001'], { cause: 'policy', reason: 'idle' }, 100);
    const late = 100 + SILENCE + 1;
    assert.equal((await request(environment, 'a', late)).state, 'waiting');
    assert.deepEqual(await stand.registry.slots.settle(environment, late), []);
    await workers.beat({ environment, pool: 'ci', worker: 'ci-0001' }, { at: 1, busy: 0, ages: [] }, late);
    assert.deepEqual(await stand.registry.slots.settle(environment, late), []);
    await workers.resume(environment, ['ci-0001']);
    assert.deepEqual(await stand.registry.slots.settle(environment, late), ['a']);
  });

  it('expire when nobody renews them, and their places go to those who wait', async () => {
    const environment = stand.environment();
    const { slots } = stand.registry;
    await registerWorkers(stand.registry, environment, [1], 100);
    await request(environment, 'a', 100);
    await request(environment, 'b', 100, { patience: 70 });
    await request(environment, 'c', 100, { patience: 71 });
    assert.equal((await slots.renew(environment, 'a', 130))?.expiresAt, 170);
    assert.deepEqual(await slots.settle(environment, 140), []);
    assert.equal(await slots.renew(environment, 'a', 170), undefined);
    await registerWorkers(stand.registry, environment, [1], 170);
    assert.deepEqual((await slots.settle(environment, 170)).sort(), ['a', 'b', 'c']);
    const states = await Promise.all(['a', 'b', 'c'].map((id) => stateOf(environment, id)));
    assert.deepEqual(states, ['expired', 'expired', 'granted']);
    assert.equal((await slots.release(environment, 'a', 171))?.state, 'expired');
  });

  it('renew nothing that is not held: one that waits stays as it is', async () => {
    const environment = stand.environment();
    const { slots } = stand.registry;
    const waiting = await request(environment, 'a', 100);
    assert.deepEqual(await slots.renew(environment, 'a', 200), waiting);
    await slots.release(environment, 'a', 201);
    assert.equal(await slots.renew(environment, 'a', 202), undefined);
    assert.equal(await slots.renew(environment, 'b', 202), undefined);
    assert.equal(await slots.release(environment, 'b', 202), undefined);
  });

  it('expire with the worker that is forgotten', async () => {
    const environment = stand.environment();
    const { slots, workers } = stand.registry;
    await registerWorkers(stand.registry, environment, [1, 1], 100);
    await request(environment, 'a', 100);
    await request(environment, 'b', 100);
    await request(environment, 'c', 100);
    await workers.forget(environment, ['ci-0001']);
    assert.equal(await stateOf(environment, 'a'), 'expired');
    assert.equal(await slots.renew(environment, 'a', 101), undefined);
    assert.deepEqual(await slots.settle(environment, 102), []);
    assert.deepEqual((await slots.load(environment))['ci']?.held, { 'ci-0002': [100] });
  });

  it('are not given by a worker that registered again with fewer than are held', async () => {
    const environment = stand.environment();
    const { slots } = stand.registry;
    await registerWorkers(stand.registry, environment, [2], 100);
    await request(environment, 'a', 100);
    await request(environment, 'b', 100);
    await registerWorkers(stand.registry, environment, [1], 101);
    await request(environment, 'c', 101);
    await slots.release(environment, 'a', 102);
    assert.deepEqual(await slots.settle(environment, 102), []);
    await slots.release(environment, 'b', 103);
    assert.deepEqual(await slots.settle(environment, 103), ['c']);
  });

  it('tell their load: who waits, what is held, and how long those waited that were granted since', async () => {
    const environment = stand.environment();
    const { slots } = stand.registry;
    assert.deepEqual(await slots.load(environment), {});
    await request(environment, 'a', 100);
    await request(environment, 'b', 105);
    await request(environment, 'c', 107);
    await request(environment, 'd', 108, { pool: 'web' });
    await registerWorkers(stand.registry, environment, [2], 110);
    await slots.settle(environment, 110);
    await slots.release(environment, 'a', 112);
    assert.deepEqual(await slots.load(environment, 109), {
      ci: { waiting: 1, oldest: 107, held: { 'ci-0001': [110] }, waits: [10, 5] },
      web: { waiting: 1, oldest: 108, held: {}, waits: [] },
    });
    assert.deepEqual((await slots.load(environment, 110))['ci']?.waits, []);
    assert.deepEqual((await slots.load(environment))['ci']?.waits, []);
  });

  it('are known for an hour after their end', async () => {
    const environment = stand.environment();
    const { slots } = stand.registry;
    await request(environment, 'a', 100);
    await slots.release(environment, 'a', 200);
    await slots.settle(environment, 200 + 3600);
    assert.equal(await stateOf(environment, 'a'), 'released');
    await slots.settle(environment, 201 + 3600);
    assert.equal(await stateOf(environment, 'a'), undefined);
  });

  it('outlive a restart', async () => {
    const environment = stand.environment();
    await registerWorkers(stand.registry, environment, [1], 100);
    const held = await request(environment, 'a', 100);
    const waiting = await request(environment, 'b', 101);
    await stand.reopen();
    assert.deepEqual(await stand.registry.slots.get(environment, 'a'), held);
    assert.deepEqual(await stand.registry.slots.get(environment, 'b'), waiting);
    await stand.registry.slots.release(environment, 'a', 102);
    assert.deepEqual(await stand.registry.slots.settle(environment, 102), ['b']);
  });
});
