import assert from 'node:assert/strict';
import fc from 'fast-check';
import { openRegistry } from '../../../automation/registry';
import type { Registry } from '../../../automation/registry/types';
import { forEachRegistry, registerWorkers, SILENCE } from './contract';
import { emptyDatabase, type Place } from './databases';

const SLOTS = [1, 2, 3];
const TTL = 30;
const PATIENCE = 45;
const noneHeld: Record<string, number[]> = {};
const ids = Array.from({ length: 12 }, (_, index) => `slot-${String(index).padStart(2, '0')}`);

type Command =
  | { do: 'request' | 'release' | 'renew'; id: string }
  | { do: 'beat' | 'drain' | 'resume' | 'forget'; worker: number }
  | { do: 'settle' };

const id = fc.constantFrom(...ids);
const worker = fc.nat(SLOTS.length - 1);
const commands: fc.Arbitrary<Command> = fc.oneof(
  { weight: 6, arbitrary: fc.record({ do: fc.constant('request' as const), id }) },
  { weight: 4, arbitrary: fc.record({ do: fc.constantFrom('release' as const, 'renew' as const), id }) },
  { weight: 3, arbitrary: fc.record({ do: fc.constantFrom('beat' as const, 'drain' as const), worker }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constantFrom('resume' as const, 'forget' as const), worker }) },
  { weight: 3, arbitrary: fc.record({ do: fc.constant('settle' as const) }) },
);
/** Rounds of commands that are sent at once, each some seconds after the last. */
const histories = fc.array(
  fc.record({
    pass: fc.integer({ min: 0, max: 25 }),
    together: fc.array(commands, { minLength: 1, maxLength: 8 }),
  }),
  { minLength: 1, maxLength: 12 },
);

async function run(registry: Registry, environment: string, command: Command, now: number): Promise<void> {
  const { slots, workers } = registry;
  const name = 'worker' in command ? `ci-000${command.worker + 1}` : '';
  switch (command.do) {
    case 'request':
      await slots.request({ id: command.id, environment, pool: 'ci', patience: PATIENCE, ttl: TTL }, now);
      return;
    case 'release':
    case 'renew':
      await slots[command.do](environment, command.id, now);
      return;
    case 'beat':
      await workers.beat({ environment, pool: 'ci', worker: name }, { at: now, busy: 0, ages: [] }, now);
      return;
    case 'drain':
      await workers.drain(environment, [name], { cause: 'policy', reason: 'idle' }, now);
      return;
    case 'resume':
    case 'forget':
      await workers[command.do](environment, [name]);
      return;
    case 'settle':
      await slots.settle(environment, now);
  }
}

forEachRegistry('slots under whatever is asked at once', (stand) => {
  it('are never more than a worker has; end for good; and none is free while somebody waits', async function () {
    this.timeout(120_000);
    await fc.assert(
      fc.asyncProperty(histories, async (history) => {
        const environment = stand.environment();
        const { slots, workers } = stand.registry;
        await registerWorkers(stand.registry, environment, SLOTS, 1000);
        const ended = new Map<string, string>();
        let now = 1000;
        for (const { pass, together } of history) {
          now += pass;
          await Promise.all(together.map((command) => run(stand.registry, environment, command, now)));
          const held = (await slots.load(environment))['ci']?.held ?? {};
          for (const [name, times] of Object.entries(held)) {
            assert.ok(times.length <= (SLOTS[Number(name.at(-1)) - 1] ?? 0), `${name} holds ${times.length}`);
          }
          for (const [slot, state] of ended) assert.equal((await slots.get(environment, slot))?.state, state);
          for (const slot of ids) {
            const state = (await slots.get(environment, slot))?.state;
            if (state === 'released' || state === 'expired') ended.set(slot, state);
          }
        }
        await slots.settle(environment, now);
        const load = (await slots.load(environment))['ci'];
        const { waiting, held } = load ?? { waiting: 0, held: noneHeld };
        const room = (await workers.list(environment))
          .filter(({ drain, seenAt }) => !drain && seenAt >= now - SILENCE)
          .reduce((sum, { worker, slots: all }) => sum + all - (held[worker]?.length ?? 0), 0);
        assert.ok(waiting === 0 || room === 0, `${waiting} wait for ${room} free places`);
        for (const slot of ids) {
          const found = await slots.get(environment, slot);
          if (found?.state === 'granted') {
            const known = (await workers.list(environment)).some(({ worker }) => worker === found.worker);
            assert.ok(known, `${slot} is held on a worker that is gone`);
          }
        }
      }),
      { numRuns: 15 },
    );
  });

  it('are granted in the order of asking', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(fc.nat(3), { minLength: 1, maxLength: 6 }), async (releases) => {
        const environment = stand.environment();
        const { slots } = stand.registry;
        for (const id of ids) {
          await slots.request({ id, environment, pool: 'ci', patience: 500, ttl: 500 }, 1000);
        }
        await registerWorkers(stand.registry, environment, [2, 1], 1000);
        const granted: string[] = [];
        const settle = async () => granted.push(...(await slots.settle(environment, 1001)).sort());
        await settle();
        for (const count of releases) {
          await Promise.all(granted.slice(-count - 1).map((id) => slots.release(environment, id, 1001)));
          await settle();
        }
        assert.deepEqual(granted, ids.slice(0, granted.length));
      }),
      { numRuns: 10 },
    );
  });
});

describe('slots of one database, asked for through several processes’ connections', function () {
  this.timeout(60_000);
  let place: Place;
  let registries: Registry[] = [];
  before(async () => {
    place = await emptyDatabase();
    registries = await Promise.all([1, 2, 3].map(() => openRegistry(place.location, { silence: SILENCE })));
  });
  after(async () => {
    await Promise.all(registries.map((registry) => registry.close()));
    await place?.remove();
  });
  const via = (index: number) => {
    const registry = registries[index % registries.length];
    assert.ok(registry);
    return registry;
  };

  it('200 requests at once get each place once, and the rest wait; 30 releases at once give 30 of them theirs', async () => {
    const environment = 'staging';
    const places = [4, 1, 3, 8, 2, 5, 7, 6, 4, 10];
    await registerWorkers(via(0), environment, places, 100);
    const answers = await Promise.all(
      Array.from({ length: 200 }, (_, index) =>
        via(index).slots.request(
          { id: `slot-${index}`, environment, pool: 'ci', patience: 300, ttl: 300 },
          100,
        ),
      ),
    );
    const held = async () => {
      const all = (await via(0).slots.load(environment))['ci']?.held ?? {};
      return places.map((_, index) => all[`ci-${String(index + 1).padStart(4, '0')}`]?.length);
    };
    assert.deepEqual(await held(), places);
    const granted = answers.filter(({ state }) => state === 'granted');
    assert.equal(granted.length, 50);
    const settled = await Promise.all(
      granted.slice(0, 30).map(async ({ id }, index) => {
        await via(index).slots.release(environment, id, 101);
        return via(index + 1).slots.settle(environment, 101);
      }),
    );
    assert.equal(new Set(settled.flat()).size, 30);
    assert.equal(settled.flat().length, 30);
    assert.deepEqual(await held(), places);
  });

  it('the same id asked for at once everywhere is one slot', async () => {
    const environment = 'production';
    await registerWorkers(via(0), environment, [5], 100);
    const answers = await Promise.all(
      Array.from({ length: 30 }, (_, index) =>
        via(index).slots.request({ id: 'same', environment, pool: 'ci', patience: 300, ttl: 300 }, 100),
      ),
    );
    for (const answer of answers) assert.deepEqual(answer, answers[0]);
    assert.deepEqual((await via(0).slots.load(environment))['ci']?.held, { 'ci-0001': [100] });
  });

  it('beats of one worker that arrive at different processes are counted once each', async () => {
    const key = { environment: 'beats', pool: 'ci', worker: 'ci-0001' };
    await registerWorkers(via(0), 'beats', [50], 100);
    await via(0).workers.beat(key, { at: 0, busy: 50, ages: [] }, 100);
    await Promise.all(
      Array.from({ length: 50 }, (_, index) =>
        via(index).workers.beat(key, { at: index + 1, busy: 49 - index, ages: [] }, 110),
      ),
    );
    const [worker] = await via(1).workers.list('beats');
    assert.equal(worker?.busy, 0);
    assert.equal((await via(2).workers.served('beats', 0)).length, 50);
  });
});
