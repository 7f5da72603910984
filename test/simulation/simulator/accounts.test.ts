import assert from 'node:assert/strict';
import fc from 'fast-check';
import { policies } from '../../../simulation/peers';
import { simulate } from '../../../simulation/simulator';
import { startedHours } from '../../../simulation/simulator/outcome';
import { DEFAULT_SCENARIO, type Commands, type SimulatedPolicy, type Trace } from '../../../simulation/types';

const traces: fc.Arbitrary<Trace> = fc
  .array(
    fc.record({ arrival: fc.integer({ min: 0, max: 7200 }), service: fc.integer({ min: 1, max: 900 }) }),
    {
      minLength: 1,
      maxLength: 60,
    },
  )
  .map((jobs) => ({ jobs: jobs.toSorted((a, b) => a.arrival - b.arrival), horizon: 7201 }));

const scenarios = fc.record({
  slots: fc.integer({ min: 1, max: 4 }),
  seed: fc.nat(),
  neverReadyShare: fc.constantFrom(0, 0.05, 0.3),
  metricDelay: fc.constantFrom(0, 30),
});

const names = fc.constantFrom(...Object.keys(policies));

function scripted(script: Record<number, Partial<Commands>>): SimulatedPolicy {
  const nothing: Commands = { launches: [], removals: [], drains: [], retirements: [], resumes: [] };
  return {
    name: 'scripted',
    create: () => ({ interval: 10, decide: ({ now }) => ({ ...nothing, ...script[now] }) }),
  };
}
const scenario = { ...DEFAULT_SCENARIO, boot: { min: 60, max: 60 } };

describe('the simulator’s accounts', () => {
  it('loses no job and starts none before it arrives, whatever the policy does', () => {
    fc.assert(
      fc.property(traces, scenarios, names, (trace, world, name) => {
        const policy = policies[name];
        assert.ok(policy);
        const outcome = simulate(trace, policy, { ...DEFAULT_SCENARIO, ...world });
        const started = outcome.starts.filter((start) => start !== undefined).length;
        assert.equal(outcome.starts.length, trace.jobs.length);
        assert.ok(trace.jobs.length - started <= outcome.unfinished);
        trace.jobs.forEach(({ arrival }, index) => assert.ok((outcome.starts[index] ?? Infinity) >= arrival));
      }),
      { numRuns: 60 },
    );
  });

  it('bills every started hour of every server, and pays for at least the work that was done', () => {
    fc.assert(
      fc.property(traces, scenarios, names, (trace, world, name) => {
        const policy = policies[name];
        assert.ok(policy);
        const outcome = simulate(trace, policy, { ...DEFAULT_SCENARIO, ...world });
        const billed = outcome.servers.reduce((sum, server) => sum + startedHours(server), 0);
        assert.equal(outcome.hours, billed);
        assert.equal(outcome.launches, outcome.servers.length);
        if (outcome.unfinished > 0) return;
        const work = trace.jobs.reduce((sum, { service }) => sum + service, 0);
        assert.ok(outcome.hours * 3600 * world.slots >= work);
      }),
      { numRuns: 60 },
    );
  });

  it('gives the same outcome for the same seed', () => {
    fc.assert(
      fc.property(traces, scenarios, names, (trace, world, name) => {
        const policy = policies[name];
        assert.ok(policy);
        const play = () => simulate(trace, policy, { ...DEFAULT_SCENARIO, ...world });
        assert.deepEqual(play(), play());
      }),
      { numRuns: 20 },
    );
  });

  for (const { lived, hours } of [
    { lived: 0, hours: 1 },
    { lived: 3600, hours: 1 },
    { lived: 3601, hours: 2 },
    { lived: 7200, hours: 2 },
  ])
    it(`bills ${hours} h for ${lived} s`, () => {
      assert.equal(startedHours({ created: 50, deleted: 50 + lived }), hours);
    });
});

describe('the simulator’s events', () => {
  const twoJobs: Trace = {
    jobs: [
      { arrival: 5, service: 100 },
      { arrival: 6, service: 100 },
    ],
    horizon: 1000,
  };

  it('starts jobs first in, first out, when a boot or a job ends', () => {
    const { starts, maxWait } = simulate(twoJobs, scripted({ 10: { launches: [0] } }), scenario);
    assert.deepEqual(starts, [70, 170]);
    assert.equal(maxWait, 164);
  });

  it('puts the job of a deleted server back to the head of the queue, and counts the deletion as busy', () => {
    const policy = scripted({ 10: { launches: [0] }, 100: { removals: ['s0'], launches: [0] } });
    const { starts, busyDeletes } = simulate(twoJobs, policy, scenario);
    assert.deepEqual(starts, [160, 260]);
    assert.equal(busyDeletes, 1);
  });

  it('lets a retiring server finish its job and then go', () => {
    const policy = scripted({ 10: { launches: [0] }, 100: { retirements: ['s0'], launches: [0] } });
    const { starts, servers, busyDeletes } = simulate(twoJobs, policy, scenario);
    assert.deepEqual(starts, [70, 160]);
    assert.equal(servers[0]?.deleted, 170);
    assert.equal(busyDeletes, 0);
  });

  it('gives a draining server no job until it is resumed', () => {
    const policy = scripted({ 10: { launches: [0] }, 20: { drains: ['s0'] }, 200: { resumes: ['s0'] } });
    assert.deepEqual(simulate(twoJobs, policy, scenario).starts, [200, 300]);
  });

  it('refuses launches in an outage, beyond the greatest size and beyond the request limit', () => {
    const policy = scripted({ 10: { launches: [0, 0, 0] } });
    const count = (change: Partial<typeof scenario> & { apiLimit?: number }): number =>
      simulate(twoJobs, policy, { ...scenario, ...change }).launches;
    assert.equal(count({}), 3);
    assert.equal(count({ outages: [{ placement: 0, from: 0, to: 20 }] }), 0);
    assert.equal(count({ maxSize: 2 }), 2);
    assert.equal(count({ apiLimit: 1 }), 1);
  });

  it('tells a policy of the queue only what is as old as the metric delay', () => {
    const seen: [number, number][] = [];
    const policy: SimulatedPolicy = {
      name: 'onlooker',
      create: () => ({
        interval: 10,
        decide: ({ now, queue }) => {
          seen.push([now - queue.observedAt, queue.depth]);
          return { launches: [], removals: [], drains: [], retirements: [], resumes: [] };
        },
      }),
    };
    simulate({ ...twoJobs, horizon: 60 }, policy, { ...scenario, metricDelay: 30 });
    assert.deepEqual(seen.slice(0, 6), [
      [0, 0],
      [10, 0],
      [20, 0],
      [30, 0],
      [30, 2],
      [30, 2],
    ]);
  });

  it('says what is wrong with a scenario that cannot be played', () => {
    assert.throws(() => simulate(twoJobs, scripted({}), { ...scenario, slots: 0, tick: 0 }), {
      name: 'RangeError',
      message: /slots is 0; it must be a whole number from 1; tick is 0/,
    });
  });
});
