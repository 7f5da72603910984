import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { generateTrace, traceFromJson, workloadNames } from '../../../simulation/traces';

describe('the workloads', () => {
  for (const name of workloadNames()) {
    it(`${name}: valid, the same for the same seed, another for another`, () => {
      const trace = generateTrace(name, 1, 2);
      assert.deepEqual(traceFromJson(JSON.stringify(trace), name), trace);
      assert.deepEqual(generateTrace(name, 1, 2), trace);
      assert.notDeepEqual(generateTrace(name, 2, 2), trace);
    });
  }

  it('are the same on every machine', () => {
    const text = workloadNames().map((name) => JSON.stringify(generateTrace(name, 1)));
    const hash = createHash('sha256').update(text.join('\n')).digest('hex');
    assert.equal(hash.slice(0, 16), 'f1b6563d89898e04');
  });

  it('steady offers five servers on average', () => {
    const { jobs } = generateTrace('steady', 5, 30);
    const offered = jobs.reduce((sum, { service }) => sum + service, 0) / (30 * 86_400);
    assert.ok(Math.abs(offered - 5) < 0.15, String(offered));
  });

  it('ci rests at night and at the weekend', () => {
    const atRest = generateTrace('ci', 1, 7).jobs.filter(({ arrival }) => {
      const hour = (arrival % 86_400) / 3600;
      return hour < 8 || hour >= 19 || arrival >= 5 * 86_400;
    });
    assert.deepEqual(atRest, []);
  });

  it('an unknown one is refused with what was meant', () => {
    assert.throws(() => generateTrace('stedy', 1), /no workload "stedy"\. Did you mean "steady"/);
    assert.throws(() => generateTrace('constructor', 1), RangeError);
  });
});
