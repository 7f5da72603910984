import assert from 'node:assert/strict';
import fc from 'fast-check';
import { certifiedHours } from '../../../simulation/bound/prices';
import { exhaustiveHours } from './exhaustive';

const HOUR = 3600;

describe('the certificate behind the bound', () => {
  it('holds for any prices, however bad', () => {
    fc.assert(
      fc.property(
        fc.array(fc.double({ min: -1, max: 5, noNaN: true }), { maxLength: 40 }),
        fc.array(
          fc.record({ arrival: fc.integer({ min: 0, max: 9 }), service: fc.integer({ min: 1, max: 14 }) }),
          {
            minLength: 1,
            maxLength: 3,
          },
        ),
        fc.constantFrom(0, 300, 600),
        (prices, steps, targetWait) => {
          const jobs = steps
            .map(({ arrival, service }) => ({ arrival: arrival * 300, service: service * 300 }))
            .sort((a, b) => a.arrival - b.arrival);
          const service = { targetWait, slots: 1, boot: 300 };
          const hours = certifiedHours(jobs, 12 * HOUR, service, 600, prices);
          assert.ok(hours <= exhaustiveHours({ jobs, horizon: 6 * HOUR }, service, 300) + 1e-9);
        },
      ),
      { numRuns: 300 },
    );
  }).timeout(60_000);

  it('is the work for even prices, which every server can afford', () => {
    const jobs = [{ arrival: 0, service: 5400 }];
    const even = new Array<number>(24).fill(1);
    assert.ok(
      Math.abs(certifiedHours(jobs, 24 * HOUR, { targetWait: 0, slots: 2, boot: 0 }, HOUR, even) - 0.75) <
        1e-9,
    );
  });

  it('finds the cheapest start between the edges of intervals', () => {
    const jobs = [{ arrival: 500, service: 600 }];
    // Any start up to 900 runs at least 300 s in the interval from 600 on; from 0 to 600 costs nothing.
    const hours = certifiedHours(jobs, 24 * HOUR, { targetWait: 400, slots: 1, boot: 0 }, 600, [0, 0.5, 1]);
    assert.ok(Math.abs(hours - (0.5 * 500) / 600 / 1.5) < 1e-9, String(hours));
  });
});
