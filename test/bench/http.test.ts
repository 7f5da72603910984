import assert from 'node:assert/strict';
import { httpTables } from '../../bench/http';
import { percentile } from '../../bench/http/percentiles';

describe('a percentile', () => {
  const hundred = Array.from({ length: 100 }, (_, index) => 100 - index);
  for (const { share, values, expected } of [
    { share: 0.5, values: hundred, expected: 50 },
    { share: 0.99, values: hundred, expected: 99 },
    { share: 1, values: hundred, expected: 100 },
    { share: 0, values: hundred, expected: 1 },
    { share: 0.99, values: [7], expected: 7 },
  ]) {
    it(`of ${share} is ${expected} among ${values.length}`, () => {
      assert.equal(percentile(values, share), expected);
    });
  }

  it('of nothing is an error', () => {
    assert.throws(() => percentile([], 0.5), { name: 'RangeError', message: 'nothing was measured' });
  });
});

describe('the table of the HTTP benchmark', () => {
  it('has a row for each route, and tells what was refused', () => {
    const [table] = httpTables({
      postgres: '15.4',
      seconds: 30,
      workers: 1000,
      slotsPerSecond: 200,
      routes: [{ route: 'heartbeat', requests: 2000, p50: 1.234, p95: 5, p99: 9.96 }],
      processorTime: 1.5,
      refused: { 'heartbeat: 409': 2 },
    });
    assert.deepEqual(table?.rows, [['heartbeat', '2000', '1.2', '5.0', '10.0']]);
    assert.match(
      table.note ?? '',
      /1\.50 ms of processor time on a request\. Answers other than 200: 2 × heartbeat: 409\.$/,
    );
  });
});
