import assert from 'node:assert/strict';
import {
  decide,
  type Observation,
  type Plan,
  type PolicyState,
  type WorkerObservation,
} from '../../automation/decide';
import { experienced, NOW, observed, pool, worker } from './worlds';

const waiting = (count: number, age: number): number[] => Array<number>(count).fill(age);
const plan = (observation: Observation, bounds = pool, state: PolicyState = experienced): Plan =>
  decide(observation, bounds, state).plan;
const removed = ({ removals }: Plan): string[] => removals.map(({ id }) => id);

describe('launches', () => {
  for (const { about, observation, launches } of [
    { about: 'none for an empty queue', observation: observed([]), launches: 0 },
    {
      about: 'one for the first job, though only its depth is known',
      observation: depthOnly(1),
      launches: 1,
    },
    {
      about: 'half as many as jobs at a tolerance of two',
      observation: observed(waiting(20, 180)),
      launches: 10,
    },
    { about: 'as few as start all jobs in time', observation: observed(waiting(10, 0)), launches: 3 },
    {
      about: 'none where the free workers suffice',
      observation: observed(waiting(4, 0), [worker('a', 100), worker('b', 100)]),
      launches: 0,
    },
    {
      about: 'none for what boots already',
      observation: observed(
        waiting(10, 10),
        ['a', 'b', 'c', 'd', 'e'].map((id) => worker(id, 10, { state: 'booting' })),
      ),
      launches: 0,
    },
    {
      about: 'one for an overdue queue behind long jobs',
      observation: observed([400], [worker('a', 3000, { running: [NOW - 2900] })]),
      launches: 1,
    },
    {
      about: 'at once though a worker drains with a long job',
      observation: observed(waiting(3, 200), [
        worker('a', 3000, { state: 'draining', running: [NOW - 2700], leaving: true }),
      ]),
      launches: 2,
    },
  ])
    it(about, () => assert.equal(plan(observation).launches.length, launches));

  it('go on once: twelve ticks later no more have been asked for than at first', () => {
    let state: PolicyState = { ...experienced, boots: [150] };
    let workers: WorkerObservation[] = [];
    const launched = Array.from({ length: 12 }, (_, tick) => {
      const now = NOW + tick * 10;
      const decision = decide(
        { ...observed(waiting(10, 100), workers), now, queue: queueAt(now, 10) },
        pool,
        state,
      );
      state = decision.state;
      const fresh = decision.plan.launches.map((_launch, index) => ({
        ...worker(`w${tick}-${index}`, 0, { state: 'booting' as const }),
        created: now,
      }));
      workers = [...workers, ...fresh];
      return fresh.length;
    });
    assert.ok((launched[0] ?? 0) > 0);
    assert.deepEqual(launched.slice(1), Array<number>(11).fill(0));
  });

  it('go to the first placement that is not sold out, and name the others', () => {
    const { launches, alternatives } = plan(observed([10]));
    assert.deepEqual(launches, [{ serverType: 'cx33', location: 'fsn1' }]);
    assert.deepEqual(alternatives, [{ serverType: 'cpx32', location: 'nbg1' }]);
    const placement = { serverType: 'cx33', location: 'fsn1' };
    const failed = plan(observed([10], [], { failures: [{ placement, kind: 'sold-out' }] }));
    assert.deepEqual(failed.launches, [{ serverType: 'cpx32', location: 'nbg1' }]);
  });

  it('wait ten minutes when the account’s limit is met, wherever', () => {
    const placement = { serverType: 'cx33', location: 'fsn1' };
    const { plan: held, state } = decide(
      observed([10], [], { failures: [{ placement, kind: 'limit' }] }),
      pool,
      experienced,
    );
    assert.deepEqual(held.launches, []);
    assert.match(held.reasons.join('\n'), /0 of 1 are launched: the vendor refused/);
    assert.equal(
      decide({ ...observed([10]), now: NOW + 600, queue: queueAt(NOW + 600, 1) }, pool, state).plan.launches
        .length,
      1,
    );
  });

  it('keep the least size and the schedule’s, a boot ahead', () => {
    assert.equal(plan(observed([]), { ...pool, minSize: 3 }).launches.length, 3);
    // NOW is a Saturday, 10:40 UTC; the boot takes 90 s.
    const window = { days: ['sat' as const], to: '12:00', timezone: 'UTC', min: 4 };
    const inWindow = (from: string): number =>
      plan(observed([]), { ...pool, schedule: [{ ...window, from }] }).launches.length;
    assert.deepEqual(['10:40', '10:41', '10:42'].map(inWindow), [4, 4, 0]);
  });

  it('say what they are for, in numbers', () => {
    assert.match(
      plan(observed(waiting(20, 100))).reasons[0] ?? '',
      /^20 waiting or expected and 0 running jobs on 0 workers: to start all within 300 s takes \d+ more; at 2\.0 jobs/,
    );
  });
});

describe('a boot that fails', () => {
  const dead = worker('dead', 301, { state: 'booting' });

  it('is removed and replaced', () => {
    const decided = plan(observed([250], [dead]));
    assert.deepEqual(removed(decided), ['dead']);
    assert.equal(decided.launches.length, 1);
  });

  it('is removed and replaced at once when the worker says so, by its step', () => {
    const said = worker('said', 20, { state: 'booting', failedStep: '13-packages' });
    const { plan: decided, state } = decide(observed([250], [said]), pool, experienced);
    assert.deepEqual(decided.removals, [{ id: 'said', reason: 'its set-up failed in step 13-packages' }]);
    assert.equal(decided.launches.length, 1);
    assert.equal(state.failedBoots, 1);
  });

  it('is counted once, however often its deletion has to be asked for', () => {
    const first = decide(observed([250], [dead]), pool, experienced);
    const second = decide(observed([250], [dead]), pool, first.state);
    assert.equal(second.state.failedBoots, 1);
  });

  it('of a broken image is tried again only by one probe every ten minutes, and forgotten when one gets ready', () => {
    let state = { ...experienced, failedBoots: 3 };
    const probe = decide(observed(waiting(10, 200)), pool, state);
    assert.equal(probe.plan.launches.length, 1);
    state = { ...probe.state };
    assert.equal(decide(observed(waiting(10, 200)), pool, state).plan.launches.length, 0);
    const healed = decide(observed(waiting(10, 200), [], { booted: [90] }), pool, state);
    assert.ok(healed.plan.launches.length > 1);
  });
});

describe('the end of a paid hour', () => {
  for (const { about, observation, gone } of [
    { about: 'keeps an idle worker before', observation: observed([], [worker('a', 3554)]), gone: [] },
    {
      about: 'releases an idle worker 45 s before',
      observation: observed([], [worker('a', 3555)]),
      gone: ['a'],
    },
    {
      about: 'releases it in later hours too',
      observation: observed([], [worker('a', 2 * 3600 - 10)]),
      gone: ['a'],
    },
    {
      about: 'keeps a busy worker',
      observation: observed([], [worker('a', 3590, { running: [NOW - 5] })]),
      gone: [],
    },
    {
      about: 'keeps an idle worker that waiting jobs need',
      observation: observed(waiting(4, 200), [worker('a', 3590), worker('b', 100)]),
      gone: [],
    },
    {
      about: 'releases first the one whose hour ends first',
      observation: observed(waiting(1, 0), [worker('late', 3570), worker('soon', 3590)]),
      gone: ['soon'],
    },
    {
      about: 'releases by what workers say where the queue’s reading is old',
      observation: {
        ...observed([], [worker('a', 3590)]),
        queue: { observedAt: NOW - 60, depth: 0, arrivals: [] },
      },
      gone: ['a'],
    },
  ])
    it(about, () => {
      const decided = plan(observation);
      assert.deepEqual(removed(decided).slice(0, Math.max(1, gone.length)), gone);
    });

  it('keeps the least size', () => {
    const idle = [worker('a', 3590), worker('b', 3580)];
    assert.deepEqual(removed(plan(observed([], idle), { ...pool, minSize: 1 })), ['a']);
  });

  it('lets a busy worker drain towards it where the others suffice, and resumes it when its hour is renewed', () => {
    const busy = { running: [NOW - 5] };
    const others = ['b', 'c', 'd'].map((id) => worker(id, 1000));
    const { drains } = plan(observed([], [worker('a', 3510, busy), ...others]));
    assert.deepEqual(
      drains.map(({ id }) => id),
      ['a'],
    );
    const renewed = plan(observed([], [worker('a', 3605, { ...busy, state: 'draining' }), ...others]));
    assert.deepEqual(renewed.resumes, ['a']);
  });
});

describe('a draining worker', () => {
  it('is resumed before another is launched', () => {
    const draining = worker('a', 3500, { state: 'draining' });
    const { resumes, launches } = plan(observed([280], [draining]));
    assert.deepEqual(resumes, ['a']);
    assert.deepEqual(launches, []);
  });

  it('is not resumed where it leaves for good', () => {
    const leaving = worker('a', 3500, { state: 'draining', leaving: true });
    const { resumes, launches } = plan(observed([280], [leaving]));
    assert.deepEqual(resumes, []);
    assert.equal(launches.length, 1);
  });
});

describe('a greatest size that was lowered', () => {
  it('removes idle workers and drains busy ones, those with the least paid time left first', () => {
    const workers = [
      worker('idle', 100),
      worker('busy-old', 3000, { running: [NOW - 5] }),
      worker('busy-new', 200, { running: [NOW - 5] }),
    ];
    const decided = plan(observed([], workers), { ...pool, maxSize: 1 });
    assert.deepEqual(removed(decided), ['idle']);
    assert.deepEqual(
      decided.drains.map(({ id }) => id),
      ['busy-old'],
    );
  });
});

describe('the tolerance', () => {
  const after = (waits: number[]): number =>
    decide(observed([], [], { waits }), pool, experienced).state.tolerance;

  it('rises a little with each start in time and falls with each late one, in balance at 3 % late', () => {
    assert.ok(after([10]) > 2);
    assert.ok(after([301]) < 2);
    const balanced = [...Array<number>(97).fill(10), ...Array<number>(3).fill(400)];
    assert.ok(Math.abs(after(balanced) - 2) < 1e-9);
  });

  it('stays within its bounds', () => {
    assert.equal(after(Array<number>(10_000).fill(10)), 8);
    assert.equal(after(Array<number>(10_000).fill(400)), 1);
  });
});

function queueAt(now: number, depth: number): Observation['queue'] {
  return { observedAt: now, depth, arrivals: Array<number>(depth).fill(NOW - 100) };
}

function depthOnly(depth: number): Observation {
  return { now: NOW, queue: { observedAt: NOW, depth }, workers: [] };
}
