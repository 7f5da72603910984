import assert from 'node:assert/strict';
import fc from 'fast-check';
import { elasticity, geometricMean, mean, pairedRatio, quantile } from '../../../simulation/metrics';

const HOUR = 3600;

describe('metrics', () => {
  const values = [5, 1, 4, 2, 3];
  for (const [q, expected] of [
    [0, 1],
    [0.2, 1],
    [0.21, 2],
    [0.5, 3],
    [0.95, 5],
    [1, 5],
  ] as const) {
    it(`the ${q} quantile of 1 to 5 is ${expected}`, () => assert.equal(quantile(values, q), expected));
  }

  it('a mean of ratios is geometric: twice and half cancel out', () => {
    assert.ok(Math.abs(geometricMean([2, 0.5]) - 1) < 1e-12);
    assert.equal(mean([1, 3]), 2);
  });

  it('of nothing are refused', () => {
    for (const of of [() => quantile([], 0.5), () => mean([]), () => pairedRatio([])])
      assert.throws(of, RangeError);
  });

  it('a paired interval has no width where the ratio is the same everywhere, whatever the sizes', () => {
    const { value, low, high } = pairedRatio(
      [1, 10, 300].map((ours) => ({ ours, theirs: 2 * ours })),
      200,
    );
    assert.deepEqual([value, low, high], [0.5, 0.5, 0.5]);
  });

  it('law: a paired interval lies within the least and the greatest ratio, in order', () => {
    const pair = fc.record({
      ours: fc.integer({ min: 1, max: 99 }),
      theirs: fc.integer({ min: 1, max: 99 }),
    });
    fc.assert(
      fc.property(fc.array(pair, { minLength: 1, maxLength: 8 }), (pairs) => {
        const { low, high } = pairedRatio(pairs, 100);
        const ratios = pairs.map(({ ours, theirs }) => ours / theirs);
        assert.ok(Math.min(...ratios) - 1e-9 <= low && low <= high && high <= Math.max(...ratios) + 1e-9);
      }),
    );
  });
});

describe('elasticity', () => {
  const trace = { jobs: [{ arrival: 0, service: HOUR }], horizon: 2 * HOUR };

  it('is all zeros for a server that is there exactly while the job is', () => {
    const servers = [{ created: 0, ready: 0, deleted: HOUR }];
    assert.deepEqual(elasticity(trace, servers, 1), {
      ...{ underProvisioned: 0, overProvisioned: 0, overProvisionedPaid: 0, timeUnder: 0, timeOver: 0 },
    });
  });

  it('counts a missing server for as long as it is missing', () => {
    const servers = [{ created: 0, ready: HOUR / 2, deleted: HOUR }];
    const { underProvisioned, timeUnder, overProvisioned } = elasticity(trace, servers, 1);
    assert.deepEqual([underProvisioned, timeUnder, overProvisioned], [25, 25, 0]);
  });

  it('excuses the rest of an hour that was needed, and no further hour', () => {
    const short = { jobs: [{ arrival: 0, service: HOUR / 2 }], horizon: 2 * HOUR };
    const kept = elasticity(short, [{ created: 0, ready: 0, deleted: 2 * HOUR }], 1);
    assert.deepEqual([kept.overProvisioned, kept.overProvisionedPaid, kept.timeOver], [75, 50, 75]);
  });

  it('takes a server that was never ready for none', () => {
    assert.equal(elasticity(trace, [{ created: 0, deleted: HOUR }], 1).underProvisioned, 50);
  });

  it('counts demand in servers, not in jobs', () => {
    const two = { ...trace, jobs: [trace.jobs[0]!, trace.jobs[0]!] };
    const servers = [{ created: 0, ready: 0, deleted: HOUR }];
    assert.deepEqual(
      [1, 2].map((slots) => elasticity(two, servers, slots).underProvisioned),
      [25, 0],
    );
  });
});
