import assert from 'node:assert/strict';
import * as fc from 'fast-check';
import { rateLimitHeaders, takeToken, type Bucket } from '../../../sandbox/hetzner/rate-limit';
import { CADENCE } from '../../../automation/observe/cadence';
import {
  allowsDelete,
  allowsRead,
  ApiMeter,
  budgetAfter,
  remainingAt,
  type ApiBudget,
} from '../../../automation/observe/api-budget';

const NOW = 1_800_000_000;
const answer = (
  remaining: number,
  { limit = 3600, status = 200, reset = NOW + 100 }: { limit?: number; status?: number; reset?: number } = {},
) => ({
  vendor: 'Hetzner',
  method: 'GET',
  status,
  headers: new Headers({
    'ratelimit-limit': String(limit),
    'ratelimit-remaining': String(remaining),
    'ratelimit-reset': String(reset),
  }),
});
const unanswered = { vendor: 'Hetzner', method: 'GET', status: undefined, headers: new Headers() };

describe('request limit of a Hetzner project', () => {
  it('is not known before the vendor’s first word, and then nothing is held back', () => {
    const meter = new ApiMeter();
    meter.observe(unanswered, NOW);
    assert.equal(meter.allowance(NOW), undefined);
    assert.deepEqual([meter.mayRead(NOW), meter.mayDelete(NOW)], [true, true]);
  });

  it('refills evenly between two answers: one a second of 3600', () => {
    const meter = new ApiMeter();
    meter.observe(answer(1000), NOW);
    assert.deepEqual(meter.allowance(NOW), { limit: 3600, remaining: 1000 });
    assert.deepEqual(meter.allowance(NOW + 60), { limit: 3600, remaining: 1060 });
    assert.deepEqual(meter.allowance(NOW + 7200), { limit: 3600, remaining: 3600 });
  });

  it('follows the vendor’s count, which knows what others ask', () => {
    const meter = new ApiMeter();
    meter.observe(answer(1000), NOW);
    meter.observe(answer(400), NOW + 1);
    assert.deepEqual(meter.allowance(NOW + 1), { limit: 3600, remaining: 400 });
  });

  it('counts our own requests by method, answered or not', () => {
    const meter = new ApiMeter();
    meter.observe(answer(1000), NOW);
    meter.observe(unanswered, NOW);
    meter.observe({ ...answer(998), method: 'DELETE' }, NOW);
    assert.deepEqual(meter.requests, { GET: 2, DELETE: 1 });
  });

  const reserves: [limit: number, remaining: number, free: boolean][] = [
    [3600, 600, true],
    [3600, 599, false],
    [3600, 0, false],
    [36_000, 6000, true],
    [36_000, 5999, false],
  ];
  for (const [limit, remaining, free] of reserves) {
    it(`${remaining} of ${limit} left: ${free ? 'any list' : 'deletions, and one list a minute'}`, () => {
      const meter = new ApiMeter();
      const low = { ...answer(remaining, { limit }) };
      meter.observe(low, NOW);
      meter.startRead(NOW);
      assert.deepEqual([meter.mayRead(NOW + 1e-6), meter.mayDelete(NOW)], [free, true]);
      meter.observe(low, NOW + 59);
      assert.equal(meter.mayRead(NOW + 59), free);
      assert.equal(meter.hasSpare(NOW + 59), free);
      meter.observe(low, NOW + 60);
      assert.equal(meter.mayRead(NOW + 60), true);
    });
  }

  it('lets nothing through between a 429 and the reset, deletions neither', () => {
    const meter = new ApiMeter();
    meter.observe(answer(0, { status: 429, reset: NOW + 90 }), NOW);
    for (const second of [0, 1, 60, 89.9]) {
      assert.deepEqual([meter.mayRead(NOW + second), meter.mayDelete(NOW + second)], [false, false]);
      assert.equal(meter.allowance(NOW + second)?.remaining, 0);
    }
    assert.deepEqual([meter.mayRead(NOW + 90), meter.mayDelete(NOW + 90)], [true, true]);
  });

  it('holds for a minute after a 429 that names no time', () => {
    const meter = new ApiMeter();
    meter.observe({ ...unanswered, status: 429 }, NOW);
    assert.deepEqual([meter.mayRead(NOW + 59), meter.mayRead(NOW + 60)], [false, true]);
  });

  const budgets = fc.record<ApiBudget>({
    limit: fc.integer({ min: 1, max: 100_000 }),
    remaining: fc.nat({ max: 100_000 }),
    at: fc.constant(NOW),
    resetAt: fc.integer({ min: NOW, max: NOW + 4000 }),
    heldUntil: fc.oneof(fc.constant(0), fc.integer({ min: NOW, max: NOW + 4000 })),
  });
  const later = fc.double({ min: NOW, max: NOW + 8000, noNaN: true });

  it('law: what remains never exceeds the limit, never falls by waiting, and is nothing while held', () => {
    fc.assert(
      fc.property(budgets, later, later, (budget, one, other) => {
        const [first, second] = [Math.min(one, other), Math.max(one, other)];
        assert.ok(remainingAt(budget, second) <= budget.limit);
        assert.ok(remainingAt(budget, first) <= remainingAt(budget, second));
        if (first < budget.heldUntil) assert.equal(remainingAt(budget, first), 0);
      }),
    );
  });

  it('law: what may be read may be deleted, and below the reserve reads are a minute apart', () => {
    fc.assert(
      fc.property(budgets, fc.option(later, { nil: undefined }), later, (budget, lastReadAt, now) => {
        if (!allowsRead(budget, lastReadAt, now)) return;
        assert.ok(allowsDelete(budget, now));
        const scarce = remainingAt(budget, now) < budget.limit / 6;
        if (scarce && lastReadAt !== undefined) assert.ok(now - lastReadAt >= 60);
      }),
    );
  });

  it('law: no later answer shortens a hold', () => {
    fc.assert(
      fc.property(
        budgets,
        fc.nat({ max: 3600 }),
        fc.constantFrom(200, 429, 500),
        (budget, remaining, status) => {
          const after = budgetAfter(budget, answer(remaining, { status }), NOW)!;
          assert.ok(after.heldUntil >= budget.heldUntil);
        },
      ),
    );
  });

  describe('shared with a neighbour', () => {
    /** A day of ticks beside somebody who sends this many requests an hour; what became of our lists of two pages. */
    function day(neighbourPerHour: number): { at: number; status: number; scarce: boolean }[] {
      const meter = new ApiMeter();
      const bucket: Bucket = { tokens: 3600, refilledAt: NOW * 1000 };
      const sent: { at: number; status: number; scarce: boolean }[] = [];
      let listedAt = -Infinity;
      for (let now = NOW; now < NOW + 86_400; now += 10) {
        for (let other = 0; other < neighbourPerHour / 360; other += 1) takeToken(bucket, 3600, now * 1000);
        if (now - listedAt < CADENCE.movingList || !meter.mayRead(now)) continue;
        const scarce = !meter.hasSpare(now);
        meter.startRead(now);
        listedAt = now;
        for (let page = 1; page <= 2 && meter.mayDelete(now); page += 1) {
          const status = takeToken(bucket, 3600, now * 1000) ? 200 : 429;
          sent.push({ at: now, status, scarce });
          const headers = new Headers(rateLimitHeaders(bucket, 3600));
          meter.observe({ vendor: 'Hetzner', method: 'GET', status, headers }, now);
        }
      }
      return sent;
    }

    it('of 2000 requests an hour: a day without one 429', () => {
      const sent = day(2000);
      assert.deepEqual(
        sent.filter(({ status }) => status !== 200),
        [],
      );
      assert.ok(sent.length > 2 * 24 * 100);
    });

    it('who takes more than there is: one list a minute, and after a 429 nothing for the hour until the reset', () => {
      const sent = day(5000);
      const refusals = sent.filter(({ status }) => status === 429);
      assert.ok(refusals.length > 0 && refusals.length <= 24, `${refusals.length} refusals`);
      for (const { at } of refusals) {
        const next = sent.find((other) => other.at > at);
        assert.ok(next === undefined || next.at - at >= 3590, `asked again after ${next && next.at - at} s`);
      }
      const lists = [...new Set(sent.filter(({ scarce }) => scarce).map(({ at }) => at))];
      for (const [index, at] of lists.slice(1).entries()) assert.ok(at - lists[index]! >= 60);
    });
  });
});
