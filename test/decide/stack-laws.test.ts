import assert from 'node:assert/strict';
import fc from 'fast-check';
import { PARAMETERS } from '../../automation/decide';
import { PAID_HOUR } from '../../automation/decide/parameters';
import { decideStack } from '../../automation/decide/stack';
import type { ScaledPool, StackPlan } from '../../automation/decide/stack-types';
import { Fleet, type Event, type Job, type Tick } from './fleet';
import { CI, NOTHING, changes } from './stack-worlds';

const HOURS = 3;
const TICKS = (HOURS * PAID_HOUR) / 10;

const jobs: fc.Arbitrary<Job[]> = fc.array(
  fc.record({ arrival: fc.nat(2 * PAID_HOUR), service: fc.integer({ min: 5, max: 900 }) }),
  { minLength: 1, maxLength: 60 },
);

const pools: fc.Arbitrary<Partial<ScaledPool>> = fc.record({
  minSize: fc.integer({ min: 0, max: 3 }),
  maxSize: fc.integer({ min: 3, max: 7 }),
  slots: fc.integer({ min: 1, max: 3 }),
  rollout: fc.constantFrom({ maxSurge: 1, maxUnavailable: 0 }, { maxSurge: 2, maxUnavailable: 1 }),
});

const worker = fc.nat(6);
const mischief: fc.Arbitrary<Event> = fc.oneof(
  fc.record({
    kind: fc.constantFrom(
      'edit' as const,
      'restart' as const,
      'restart-forgetful' as const,
      'pause' as const,
      'unpause' as const,
      'no-order' as const,
    ),
  }),
  fc.record({ kind: fc.constant('order' as const), size: fc.nat(8) }),
  fc.record({
    kind: fc.constantFrom(
      'drain' as const,
      'undrain' as const,
      'mute' as const,
      'unmute' as const,
      'crash' as const,
    ),
    worker,
  }),
  fc.record({
    kind: fc.constant('refuse' as const),
    by: fc.constantFrom('sold-out' as const, 'limit' as const, 'rate' as const, 'other' as const),
  }),
  fc.record({
    kind: fc.constantFrom(
      'serve' as const,
      'queue-down' as const,
      'queue-up' as const,
      'bad-template' as const,
      'good-template' as const,
    ),
  }),
);
const events = fc.array(fc.record({ at: fc.nat(TICKS - 1), event: mischief }), { maxLength: 25 });
const worlds = fc.record({ jobs, pool: pools, events });

type World = { jobs: Job[]; pool: Partial<ScaledPool>; events: { at: number; event: Event }[] };

function play(
  { jobs: arriving, pool, events: happening }: World,
  judge: (tick: Tick, fleet: Fleet) => void,
): Fleet {
  const fleet = new Fleet(arriving, pool);
  for (let tick = 0; tick < TICKS; tick += 1) {
    for (const { at, event } of happening) if (at === tick) fleet.happen(event);
    judge(fleet.tick(), fleet);
  }
  return fleet;
}

const law = (judge: (tick: Tick, fleet: Fleet) => void): void =>
  fc.assert(
    fc.property(worlds, (world) => {
      play(world, judge);
    }),
    { numRuns: 15 },
  );

describe('laws of the stack’s decisions, whatever happens', function () {
  this.timeout(60_000);

  it('lesson 4: a removal as idle is of a worker that runs nothing, and was told to take nothing', () =>
    law(({ plan, observation, truth }) => {
      for (const { id, because } of plan.removals) {
        if (because !== 'idle') continue;
        const drain = observation.pools['ci']?.workers.find((one) => one.id === id)?.registered?.drain;
        assert.equal(truth.get(id), 0, `${id} runs a job`);
        assert.notEqual(drain?.toldAt, undefined, `${id} was not told`);
      }
    }));

  it('a removal as useless is of a worker that never registered, is lost, or silent for five minutes', () =>
    law(({ plan, observation }) => {
      for (const { id, because } of plan.removals) {
        if (because !== 'useless') continue;
        const view = observation.pools['ci']?.workers.find((one) => one.id === id);
        const silence = observation.now - (view?.registered?.seenAt ?? 0);
        const allowed =
          view?.status === 'booting' ||
          view?.status === 'lost' ||
          (view?.status === 'silent' && silence > 300);
        assert.equal(allowed, true, `${id} is ${view?.status}`);
      }
    }));

  it('lesson 2: the pool never has more members than its greatest size', () =>
    law(({ observation, plan }, fleet) => {
      const size = (observation.pools['ci']?.workers.length ?? 0) + plan.launches.length;
      assert.equal(size <= fleet.pool.maxSize, true, `${size} of ${fleet.pool.maxSize}`);
    }));

  it('a worker is named for at most one thing', () =>
    law(({ plan: { removals, drains, resumes } }) => {
      const named = [...removals.map(({ id }) => id), ...drains.map(({ id }) => id), ...resumes];
      assert.deepEqual(named, [...new Set(named)]);
    }));

  it('a pause changes nothing', () =>
    law(({ plan, observation }) => {
      if (observation.orders.pause !== undefined) assert.deepEqual(changes(plan), NOTHING);
    }));

  it('lesson 12: the policy removes in the last minute of a paid hour only', () =>
    law(({ plan, observation }) => {
      for (const { id, because } of plan.removals) {
        const view = observation.pools['ci']?.workers.find((one) => one.id === id);
        if (because !== 'idle' || view?.registered?.drain?.cause !== 'policy') continue;
        const left = PAID_HOUR - ((observation.now - view.created) % PAID_HOUR);
        assert.equal(left <= PARAMETERS.hourEndMargin, true, `${left} s of its hour are left`);
      }
    }));

  it('only what the policy drained is resumed', () =>
    law(({ plan, observation }) => {
      for (const id of plan.resumes)
        assert.equal(
          observation.pools['ci']?.workers.find((one) => one.id === id)?.registered?.drain?.cause,
          'policy',
        );
    }));

  it('lesson 8: what stops launches changes no removal, drain or resume', () =>
    law(({ observation, memory }, { pool }) => {
      const policy = { pools: { ci: pool } };
      const kept = ({ removals, drains, resumes }: StackPlan): unknown => ({ removals, drains, resumes });
      const free = decideStack(observation, policy, memory).plan;
      const bound = decideStack(
        { ...observation, api: { limit: 3600, remaining: 0 }, spentThisMonth: 99 },
        { ...policy, hourlyBudget: 0, monthlyBudget: 1 },
        memory,
      ).plan;
      assert.deepEqual(bound.launches, []);
      assert.deepEqual(kept(bound), kept(free));
    }));

  it('nobody is drained and resumed again in the next decision, unless something happened between', () =>
    fc.assert(
      fc.property(jobs, pools, (arriving, pool) => {
        let before: Tick | undefined;
        play({ jobs: arriving, pool, events: [] }, (tick) => {
          const drained = before?.plan.drains.map(({ id }) => id) ?? [];
          const hasty = tick.plan.resumes.filter((id) => drained.includes(id));
          const waiting = tick.observation.pools['ci']?.queue?.waiting ?? 0;
          const renewed = hasty.every((id) => {
            const created = tick.observation.pools['ci']?.workers.find((one) => one.id === id)?.created ?? 0;
            return (tick.observation.now - created) % PAID_HOUR < 10;
          });
          const caused = waiting > 0 || renewed || (tick.observation.pools['ci']?.served.length ?? 0) > 0;
          assert.equal(hasty.length === 0 || caused, true, `${hasty.join()} at ${tick.observation.now}`);
          before = tick;
        });
      }),
      { numRuns: 15 },
    ));
});

describe('laws of what comes of them', function () {
  this.timeout(60_000);

  const restarts = fc.array(
    fc.record({
      at: fc.nat(TICKS - 1),
      event: fc.record({
        kind: fc.constantFrom('restart' as const, 'restart-forgetful' as const, 'edit' as const),
      }),
    }),
    { maxLength: 6 },
  );

  it('every job is done, through edits and restarts', () =>
    fc.assert(
      fc.property(jobs, pools, restarts, (arriving, pool, happening) => {
        const fleet = play({ jobs: arriving, pool, events: happening }, () => undefined);
        for (let tick = 0; tick < 2 * TICKS && fleet.left > 0; tick += 1) fleet.tick();
        assert.deepEqual({ done: fleet.done, left: fleet.left }, { done: arriving.length, left: 0 });
      }),
      { numRuns: 10 },
    ));

  it('every job is done after everything that can happen is over', () =>
    fc.assert(
      fc.property(worlds, (world) => {
        const fleet = play(world, () => undefined);
        for (const kind of ['serve', 'queue-up', 'good-template', 'unpause', 'no-order'] as const)
          fleet.happen({ kind });
        fleet.happen({ kind: 'unmute', worker: 0 });
        for (let tick = 0; tick < 4 * TICKS && fleet.left > 0; tick += 1) fleet.tick();
        assert.equal(fleet.left, 0);
      }),
      { numRuns: 10 },
    ));

  it('an edit replaces every worker in the end, and the pool keeps its minimum of ready workers', () =>
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 4 }), jobs, (minSize, arriving) => {
        const fleet = new Fleet(arriving, { minSize, maxSize: 6 });
        for (let tick = 0; tick < 60; tick += 1) fleet.tick();
        fleet.happen({ kind: 'edit' });
        for (let tick = 0; tick < 2 * TICKS; tick += 1) {
          const { observation } = fleet.tick();
          const ready =
            observation.pools['ci']?.workers.filter(({ status }) => status === 'ready').length ?? 0;
          assert.equal(ready >= minSize, true, `${ready} of ${minSize} are ready at ${observation.now}`);
        }
        assert.deepEqual(
          fleet
            .observe()
            .pools['ci']?.workers.filter(({ drifted }) => drifted)
            .map(({ id }) => id),
          [],
        );
      }),
      { numRuns: 6 },
    ));

  it('a template that never boots leaves the old workers alone, and costs a probe every ten minutes', () => {
    const fleet = new Fleet([], { minSize: 3, maxSize: 6 });
    for (let tick = 0; tick < 60; tick += 1) fleet.tick();
    fleet.happen({ kind: 'bad-template' });
    let launched = 0;
    let drained = 0;
    for (let tick = 0; tick < TICKS; tick += 1) {
      const { plan } = fleet.tick();
      launched += plan.launches.length;
      drained += plan.drains.length;
    }
    assert.equal(drained, 0);
    assert.equal(launched <= 3 + (HOURS * 3600) / 600, true, `${launched} launches`);
    assert.equal(fleet.size <= 4, true);
    fleet.happen({ kind: 'good-template' });
    for (let tick = 0; tick < TICKS; tick += 1) fleet.tick();
    assert.equal(fleet.observe().pools['ci']?.workers.filter(({ drifted }) => drifted).length, 0);
  });

  it('the pool shrinks to its minimum when there is nothing to do', () => {
    const burst = Array.from({ length: 20 }, () => ({ arrival: 60, service: 200 }));
    const fleet = new Fleet(burst, { ...CI, maxSize: 10 });
    let most = 0;
    for (let tick = 0; tick < 400; tick += 1) most = Math.max(most, (fleet.tick(), fleet.size));
    assert.equal(most > 1, true);
    assert.equal(fleet.size, 0);
  });
});
