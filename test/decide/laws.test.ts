import assert from 'node:assert/strict';
import fc from 'fast-check';
import { decide, type Observation, PARAMETERS, type WorkerObservation } from '../../automation/decide';
import { leaseSlo } from '../../simulation/peers';
import { simulate } from '../../simulation/simulator';
import { DEFAULT_SCENARIO, type Trace } from '../../simulation/types';
import { experienced, NOW, pool } from './worlds';

const workers: fc.Arbitrary<WorkerObservation[]> = fc
  .array(
    fc.record({
      age: fc.integer({ min: 0, max: 20_000 }),
      state: fc.constantFrom('booting' as const, 'ready' as const, 'ready' as const, 'draining' as const),
      jobs: fc.integer({ min: 0, max: 2 }),
    }),
    { maxLength: 30 },
  )
  .map((drafts) =>
    drafts.map(({ age, state, jobs }, index) => ({
      id: `w${index}`,
      serverType: 'cx33',
      location: 'fsn1',
      created: NOW - age,
      state,
      running: state === 'booting' ? [] : Array<number>(jobs).fill(NOW - Math.min(age, 30)),
    })),
  );

const observations: fc.Arbitrary<Observation> = fc
  .record({
    workers,
    waited: fc.array(fc.integer({ min: 0, max: 2000 }), { maxLength: 80 }),
    age: fc.constantFrom(0, 15, 60, 300),
  })
  .map(({ workers: seen, waited, age }) => ({
    now: NOW,
    queue: {
      observedAt: NOW - age,
      depth: waited.length,
      arrivals: waited.map((wait) => NOW - wait).sort((a, b) => a - b),
    },
    workers: seen,
  }));

const pools = fc
  .record({
    minSize: fc.integer({ min: 0, max: 5 }),
    maxSize: fc.integer({ min: 5, max: 30 }),
    slots: fc.integer({ min: 2, max: 4 }),
    targetWait: fc.constantFrom(60, 300, 900),
    hourlyBudget: fc.constantFrom(undefined, 0.1),
  })
  .map(({ hourlyBudget, ...bounds }) => ({
    ...pool,
    ...bounds,
    ...(hourlyBudget === undefined ? {} : { hourlyBudget }),
  }));

const traces: fc.Arbitrary<Trace> = fc
  .array(fc.record({ arrival: fc.nat(14_400), service: fc.integer({ min: 1, max: 1800 }) }), {
    minLength: 1,
    maxLength: 120,
  })
  .map((jobs) => ({ jobs: jobs.toSorted((a, b) => a.arrival - b.arrival), horizon: 14_401 }));

const worlds = fc.record({
  seed: fc.nat(),
  slots: fc.integer({ min: 1, max: 4 }),
  targetWait: fc.constantFrom(60, 300),
  neverReadyShare: fc.constantFrom(0, 0.05),
  metricDelay: fc.constantFrom(0, 30, 60),
});

describe('laws of every decision', () => {
  const runs = { numRuns: 2000 };

  it('never removes a worker that runs a job', () => {
    fc.assert(
      fc.property(observations, pools, (observation, bounds) => {
        const { plan } = decide(observation, bounds, experienced);
        for (const { id } of plan.removals)
          assert.equal(observation.workers.find((one) => one.id === id)?.running.length, 0);
      }),
      runs,
    );
  });

  it('names a worker for at most one thing', () => {
    fc.assert(
      fc.property(observations, pools, (observation, bounds) => {
        const { removals, drains, resumes } = decide(observation, bounds, experienced).plan;
        const named = [...removals.map(({ id }) => id), ...drains.map(({ id }) => id), ...resumes];
        assert.equal(new Set(named).size, named.length);
      }),
      runs,
    );
  });

  it('never launches beyond the greatest size or the budget', () => {
    fc.assert(
      fc.property(observations, pools, (observation, bounds) => {
        const launched = decide(observation, bounds, experienced).plan.launches.length;
        if (launched === 0) return;
        const size = observation.workers.length + launched;
        assert.ok(size <= bounds.maxSize);
        assert.ok(size * 0.01 <= (bounds.hourlyBudget ?? Infinity) + 1e-9);
      }),
      runs,
    );
  });

  it('counts what boots, and never wants more workers than there are jobs (C5)', () => {
    fc.assert(
      fc.property(observations, pools, (observation, bounds) => {
        if (bounds.targetWait < 300) return;
        const { plan } = decide(observation, { ...bounds, minSize: 0 }, experienced);
        const patience = Math.max(PARAMETERS.neverReady.min, PARAMETERS.neverReady.factor * 90);
        const serving = observation.workers.filter(
          ({ state, created }) => state === 'ready' || (state === 'booting' && NOW - created <= patience),
        ).length;
        const jobs = observation.queue.depth + observation.workers.flatMap(({ running }) => running).length;
        // One more where a job is overdue and nothing boots.
        const most = Math.max(serving, Math.ceil(jobs / bounds.slots)) + 1;
        assert.ok(plan.launches.length === 0 || serving + plan.launches.length <= most);
      }),
      runs,
    );
  });

  it('releases and launches nothing by a queue that it has not seen for long', () => {
    fc.assert(
      fc.property(observations, (observation) => {
        const blind = { ...observation, queue: { ...observation.queue, observedAt: NOW - 121 } };
        const { plan } = decide(blind, pool, experienced);
        assert.deepEqual(plan.launches, []);
        assert.deepEqual(plan.drains, []);
        for (const { reason } of plan.removals) assert.match(reason, /not ready after/);
      }),
      runs,
    );
  });

  it('decides the same by a state that was stored and read back', () => {
    fc.assert(
      fc.property(observations, observations, pools, (first, second, bounds) => {
        const { state } = decide(first, bounds, experienced);
        const stored = JSON.parse(JSON.stringify(state)) as typeof state;
        assert.deepEqual(decide(second, bounds, stored), decide(second, bounds, state));
      }),
      { numRuns: 500 },
    );
  });

  it('gives a reason for everything it does', () => {
    fc.assert(
      fc.property(observations, pools, (observation, bounds) => {
        const { reasons, ...deeds } = decide(observation, bounds, experienced).plan;
        const { launches, removals, drains, resumes } = deeds;
        const done = launches.length + removals.length + drains.length + resumes.length;
        assert.ok(done === 0 || reasons.length > 0);
      }),
      runs,
    );
  });
});

describe('laws of every run', () => {
  const play = (trace: Trace, world: Partial<typeof DEFAULT_SCENARIO>) =>
    simulate(trace, leaseSlo(), { ...DEFAULT_SCENARIO, ...world });
  const runs = { numRuns: 100 };

  it('deletes only in the last seconds of a paid hour, but for boots that failed (C1)', () => {
    fc.assert(
      fc.property(traces, worlds, (trace, world) => {
        const { servers } = play(trace, world);
        const end = Math.max(...servers.map(({ deleted }) => deleted));
        for (const { created, ready, deleted } of servers) {
          if (ready === undefined || deleted === end) continue;
          const into = (deleted - created) % 3600;
          assert.ok(into >= 3600 - PARAMETERS.hourEndMargin, `deleted ${into} s into its hour`);
        }
      }),
      runs,
    );
  });

  it('makes no more requests than twice the hours it pays for (C4), and deletes nothing busy', () => {
    fc.assert(
      fc.property(traces, worlds, (trace, world) => {
        const { apiWrites, hours, busyDeletes } = play(trace, world);
        assert.ok(apiWrites <= 2 * hours);
        assert.equal(busyDeletes, 0);
      }),
      runs,
    );
  });

  it('starts every job in the end, however late it is and whatever fails', () => {
    fc.assert(
      fc.property(traces, worlds, (trace, world) => assert.equal(play(trace, world).unfinished, 0)),
      runs,
    );
  });

  it('recovers from an overload that makes every job late', () => {
    const surge = Array.from({ length: 600 }, (_, index) => ({ arrival: index / 2, service: 300 }));
    const after = Array.from({ length: 200 }, (_, index) => ({ arrival: 7200 + index * 60, service: 60 }));
    const { starts } = play({ jobs: [...surge, ...after], horizon: 20_000 }, { maxSize: 100, seed: 3 });
    const late = after.filter(({ arrival }, index) => (starts[600 + index] ?? Infinity) - arrival > 300);
    assert.ok(late.length <= 10, `${late.length} of 200 jobs were late after the surge`);
  });
});
