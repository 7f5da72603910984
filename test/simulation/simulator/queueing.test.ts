import assert from 'node:assert/strict';
import { draw } from '../../../simulation/simulator/random';
import { simulate } from '../../../simulation/simulator';
import { DEFAULT_SCENARIO, type Job, type SimulatedPolicy } from '../../../simulation/types';

const NOTHING = { launches: [], removals: [], drains: [], retirements: [], resumes: [] };

/** A fixed number of servers from the first moment on. */
function constant(size: number): SimulatedPolicy {
  let launched = false;
  return {
    name: `constant ${size}`,
    create: () => ({
      interval: 1e9,
      decide: () => {
        const launches = launched ? [] : Array<number>(size).fill(0);
        launched = true;
        return { ...NOTHING, launches };
      },
    }),
  };
}

/** Launches when a job waits, deletes at once when none is left: a single server with set-up. */
const withSetup: SimulatedPolicy = {
  name: 'one server with set-up',
  create: () => ({
    interval: 0.5,
    decide: ({ queue, workers }) => {
      const idle = workers.filter(({ state, running }) => state === 'ready' && running.length === 0);
      if (queue.depth > 0 && workers.length === 0) return { ...NOTHING, launches: [0] };
      return { ...NOTHING, removals: idle.map(({ id }) => id) };
    },
  }),
};

const exponential = (seed: number, stream: number, index: number, mean: number): number =>
  -mean * Math.log(1 - draw(seed, stream, index));

function poisson(count: number, rate: number, service: number): Job[] {
  let at = 0;
  return Array.from({ length: count }, (_, index) => {
    at += exponential(7, 10, index, 1 / rate);
    return { arrival: at, service: exponential(7, 11, index, service) };
  });
}

/** Probability of having to wait in M/M/n (Erlang C), by the recursion for Erlang B. */
function erlangC(servers: number, load: number): number {
  let blocking = 1;
  for (let n = 1; n <= servers; n += 1) blocking = (load * blocking) / (n + load * blocking);
  return blocking / (1 - (load / servers) * (1 - blocking));
}

function meanWait(jobs: readonly Job[], policy: SimulatedPolicy, boot: number, slots = 1): number {
  const horizon = (jobs.at(-1)?.arrival ?? 0) + 1;
  const scenario = { ...DEFAULT_SCENARIO, slots, boot: { min: boot, max: boot } };
  const { starts } = simulate({ jobs, horizon }, policy, scenario);
  return jobs.reduce((sum, { arrival }, index) => sum + (starts[index] ?? NaN) - arrival, 0) / jobs.length;
}

const close = (actual: number, expected: number, share: number): void =>
  assert.ok(
    Math.abs(actual / expected - 1) <= share,
    `${actual} is not within ${share * 100} % of ${expected}`,
  );

describe('the simulator and queueing theory', () => {
  for (const { servers, slots } of [
    { servers: 4, slots: 1 },
    { servers: 8, slots: 1 },
    { servers: 2, slots: 4 },
  ])
    it(`waits as Erlang C says on ${servers} servers of ${slots} slots`, () => {
      const [places, service] = [servers * slots, 120];
      const load = 0.8 * places;
      const expected = (erlangC(places, load) * service) / (places - load);
      close(meanWait(poisson(400_000, load / service, service), constant(servers), 0, slots), expected, 0.04);
    });

  it('waits as M/G/1 with a constant set-up says', () => {
    const [rate, service, setup] = [0.5 / 20, 20, 60];
    // Doshi (1985): the wait of M/M/1 and, where an idle period ends with a set-up U, (2E[U] + λE[U²]) / (2(1 + λE[U])).
    const expected =
      (rate * service ** 2) / (1 - rate * service) +
      (2 * setup + rate * setup ** 2) / (2 * (1 + rate * setup));
    close(meanWait(poisson(20_000, rate, service), withSetup, setup), expected, 0.04);
  });
});
