import assert from 'node:assert/strict';
import fc from 'fast-check';
import { netCost, startedHours } from '../../../sandbox/hetzner/billing';
import { isLabelKey, matches, parseSelector } from '../../../sandbox/hetzner/labels';
import { rateLimitHeaders, takeToken } from '../../../sandbox/hetzner/rate-limit';

const HOUR = 3_600_000;

describe('label selectors', () => {
  const word = fc.stringMatching(/^[a-z0-9]([a-z0-9._-]{0,8}[a-z0-9])?$/);
  const key = fc.oneof(
    word,
    fc.tuple(fc.stringMatching(/^[a-z]{1,5}\.[a-z]{2,3}$/), word).map((parts) => parts.join('/')),
  );
  const few = fc.constantFrom('a', 'b', 'c');
  const labels = fc.dictionary(few, fc.constantFrom('', 'x', 'y'), { maxKeys: 3 });
  /** A requirement as text, with what it means said once more, independently. */
  const term = fc
    .tuple(few, fc.constantFrom('', 'x', 'y', 'z'), fc.constantFrom('', 'x', 'y', 'z'))
    .chain(([k, v, w]) =>
      fc.constantFrom<[string, (l: Record<string, string>) => boolean]>(
        [`${k}=${v}`, (l) => l[k] === v],
        [`${k}==${v}`, (l) => l[k] === v],
        [`${k} = ${v}`, (l) => l[k] === v],
        [`${k}!=${v}`, (l) => l[k] !== v],
        [k, (l) => k in l],
        [`!${k}`, (l) => !(k in l)],
        [`${k} in (${v},${w})`, (l) => k in l && [v, w].some((value) => value === l[k])],
        [`${k} in (${v}, ${w})`, (l) => k in l && [v, w].some((value) => value === l[k])],
        [`${k} notin (${v},${w})`, (l) => !(k in l) || ![v, w].some((value) => value === l[k])],
      ),
    );

  it('mean the conjunction of their terms', () => {
    fc.assert(
      fc.property(fc.array(term, { minLength: 1, maxLength: 4 }), labels, (terms, owned) => {
        const selector = terms.map(([text]) => text).join(',');
        assert.equal(
          matches(parseSelector(selector), owned),
          terms.every(([, holds]) => holds(owned)),
          selector,
        );
      }),
    );
  });

  it('find a resource by each of its labels', () => {
    fc.assert(
      fc.property(fc.dictionary(key, fc.oneof(word, fc.constant('')), { minKeys: 1 }), (owned) => {
        const selector = Object.entries(owned)
          .map(([name, value]) => `${name}=${value}`)
          .join(',');
        assert.ok(Object.keys(owned).every(isLabelKey));
        assert.ok(matches(parseSelector(selector), owned));
      }),
    );
  });

  for (const bad of [
    '',
    ',',
    'a in',
    'a in (b',
    'a in b)',
    'a=b c',
    '!a=b',
    'a,,b',
    '=b',
    'a b',
    'a in (b),',
    'ä=1',
    'a=b=c',
    '!',
    'a in ((b))',
  ]) {
    it(`refuse ${JSON.stringify(bad)}`, () => {
      assert.throws(() => parseSelector(bad), { code: 'invalid_input' });
    });
  }

  for (const [name, valid] of [
    ['a', true],
    ['example.com/a', true],
    ['hetzner.cloud/a', false],
    ['a'.repeat(63), true],
    ['a'.repeat(64), false],
    ['-a', false],
    ['a/b/c', false],
    ['/a', false],
    ['a:b', false],
  ] as const) {
    it(`${valid ? 'take' : 'do not take'} the key ${name.slice(0, 20)} of ${name.length} characters`, () => {
      assert.equal(isLabelKey(name), valid);
    });
  }
});

describe('billing', () => {
  const instant = fc.integer({ min: Date.UTC(2026, 0, 1), max: Date.UTC(2027, 0, 1) });
  const stretch = fc.tuple(instant, fc.integer({ min: 0, max: 100 * 24 * HOUR }));

  it('charges every started hour, and one at once', () => {
    fc.assert(
      fc.property(stretch, ([from, length]) => {
        const hours = startedHours({ from, until: from + length }, 0);
        assert.equal(hours, Math.max(1, Math.ceil(length / HOUR)));
      }),
    );
  });

  it('never costs more than the monthly price in a calendar month, nor more than its hours', () => {
    fc.assert(
      fc.property(stretch, ([from, length]) => {
        const charge = { from, until: from + length, hourly: 0.0088, monthly: 5.49 };
        const cost = netCost(charge, 0);
        const first = new Date(from);
        const last = new Date(from + length);
        const months =
          (last.getUTCFullYear() - first.getUTCFullYear()) * 12 +
          last.getUTCMonth() -
          first.getUTCMonth() +
          1;
        assert.ok(cost <= months * charge.monthly + 1e-9);
        assert.ok(cost <= startedHours(charge, 0) * charge.hourly + 1e-9);
        assert.ok(cost >= charge.hourly);
      }),
    );
  });

  it('grows with time', () => {
    fc.assert(
      fc.property(stretch, fc.integer({ min: 0, max: 5000 * HOUR }), ([from, length], more) => {
        const until = (at: number): number => netCost({ from, until: at, hourly: 1, monthly: 624 }, 0);
        assert.ok(until(from + length) <= until(from + length + more));
      }),
    );
  });

  it('caps a whole month at the monthly price', () => {
    const charge = {
      from: Date.UTC(2026, 9, 1),
      until: Date.UTC(2026, 10, 1),
      hourly: 0.0088,
      monthly: 5.49,
    };
    assert.equal(netCost(charge, 0), 5.49);
    assert.equal(startedHours(charge, 0), 744);
  });
});

describe('token bucket', () => {
  it('never lets more through than it holds and what flew in, and less than that only when asked less', () => {
    const gaps = fc.array(fc.integer({ min: 0, max: 5000 }), { minLength: 1, maxLength: 300 });
    fc.assert(
      fc.property(gaps, fc.integer({ min: 1, max: 20_000 }), (waits, perHour) => {
        const bucket = { tokens: perHour, refilledAt: 0 };
        let now = 0;
        let passed = 0;
        for (const wait of waits) {
          now += wait;
          if (takeToken(bucket, perHour, now)) passed += 1;
          else assert.ok(passed + 1 > Math.floor(perHour), 'refused though tokens were left');
          assert.ok(passed <= perHour + (now * perHour) / HOUR + 1e-6);
        }
      }),
    );
  });

  it('is full again at the time that it says', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 100 }), (taken) => {
        const bucket = { tokens: 3600, refilledAt: 0 };
        for (let n = 0; n < taken; n += 1) takeToken(bucket, 3600, 0);
        const reset = Number(rateLimitHeaders(bucket, 3600)['RateLimit-Reset']);
        assert.equal(reset, taken);
        takeToken(bucket, 3600, reset * 1000);
        assert.equal(bucket.tokens, 3599);
      }),
    );
  });
});
