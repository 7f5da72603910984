import assert from 'node:assert/strict';
import { stripVTControlCharacters } from 'node:util';
import type { Outcome } from '../../demo/play';
import { summaryTable } from '../../demo/summary';

const outcome: Outcome = {
  jobs: { waiting: 0, running: 0, done: 300, waits: { p50: 30, p95: 400, max: 59.6 * 10 }, lost: 0 },
  fleet: { servers: 10, alive: 0, peak: 9, hoursStarted: 11, gross: 0.178 },
  target: 600,
  calls: 412,
  seconds: 83 * 60,
};
const rows = (table: string): string[][] =>
  stripVTControlCharacters(table)
    .split('\n')
    .filter((line) => line.startsWith('│'))
    .map((line) =>
      line
        .split('│')
        .slice(1, -1)
        .map((cell) => cell.trim()),
    );

describe("the demo's summary", () => {
  it('tells jobs, waits against the target, servers, cost, calls, and that nothing is left', () => {
    assert.deepEqual(rows(summaryTable(outcome, [])), [
      ['jobs done', '300', 'in 1:23 h'],
      ['jobs lost', '0', 'to workers that were deleted under them'],
      ['longest wait', '9 min 56 s', 'target: 10 min 0 s'],
      ['p95 wait', '6 min 40 s', ''],
      ['servers used', '10', 'at most 9 at once, 11 started hours'],
      ['spent for them', 'EUR 0.18', ''],
      ['Hetzner API calls', '412', '3600 an hour are allowed'],
      ['left behind', 'nothing', ''],
    ]);
  });

  it('says nothing about what is left where everything is kept', () => {
    assert.equal(rows(summaryTable(outcome)).at(-1)![0], 'Hetzner API calls');
  });
});
