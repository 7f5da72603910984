import assert from 'node:assert/strict';
import { stripVTControlCharacters } from 'node:util';
import fc from 'fast-check';
import type { Scene, WorkerState } from '../../demo/scene';
import { renderScene, summarize, time, type Trace, traced } from '../../demo/view';

const scene: Scene = {
  now: 1_800_000_000,
  elapsed: 23 * 60,
  jobs: {
    waiting: 17,
    running: 20,
    done: 100,
    all: 300,
    oldestAge: 250,
    waits: { p50: 1, p95: 2, max: 3 },
    lost: 0,
  },
  target: 600,
  workers: ['busy', 'busy', 'idle', 'booting', 'draining', 'silent'],
  changing: 2,
  hourly: 0.0943,
  spent: 0.4213,
  updating: true,
  events: [{ at: 1, text: '3 launches' }],
  alarms: [],
};

const plain = (shown: Scene, columns = 99): string[] =>
  renderScene(shown, traced([], shown), columns).map(stripVTControlCharacters);

describe('the live view', () => {
  it('shows the queue, each worker, the jobs, the cost, and what the service did last', () => {
    const text = plain(scene).join('\n');
    assert.match(text, /^ {2}0:23 +the engine is at work$/m);
    assert.match(text, /^ {2}queue +█{24} {3}17 waiting, oldest 4 min of 10 min$/m);
    assert.match(text, /^ {2}workers +● ● ○ ◌ ◐ ✗ · · +2 busy, 1 idle, 1 booting, 1 draining,…$/m);
    assert.match(text, /^ {2}jobs +█{8}░{16} {3}100 of 300 done, 20 running$/m);
    assert.match(text, /^ {2}cost +EUR 0\.0943 an hour +EUR 0\.42 so far, by started hours$/m);
    assert.match(text, /^ {2}· 3 launches$/m);
  });

  it('says so when nobody waits and no worker is there', () => {
    const text = plain({ ...scene, jobs: { ...scene.jobs, waiting: 0 }, workers: [], changing: 0 }).join(
      '\n',
    );
    assert.match(text, /queue +░{24} {3}nobody waits$/m);
    assert.match(text, /workers +no worker$/m);
  });

  it('shows the first alarm', () => {
    assert.equal(plain({ ...scene, alarms: ['it burns', 'it rains'] }).at(-1), '  ! it burns');
  });

  it('keeps its height, and its width where there are 80 columns, whatever happens', () => {
    const states: WorkerState[] = ['busy', 'idle', 'booting', 'draining', 'silent'];
    const height = plain(scene).length;
    fc.assert(
      fc.property(
        fc.record({
          elapsed: fc.integer({ min: 0, max: 30_000 }),
          changing: fc.nat(12),
          workers: fc.array(fc.constantFrom(...states), { maxLength: 12 }),
          waiting: fc.nat(9999),
          texts: fc.array(fc.string({ maxLength: 300 }), { maxLength: 6 }),
        }),
        fc.integer({ min: 80, max: 200 }),
        ({ elapsed, changing, workers, waiting, texts }, columns) => {
          const shown = {
            ...scene,
            elapsed,
            changing,
            workers,
            jobs: { ...scene.jobs, waiting },
            events: texts.map((text) => ({ at: 1, text })),
            alarms: texts,
          };
          const lines = plain(shown, columns);
          assert.equal(lines.length, height);
          for (const line of lines)
            assert.ok(line.length <= Math.min(columns, 100), `${line.length}: ${line}`);
        },
      ),
    );
  });

  it('traces the most of every two minutes, and fills what it did not see', () => {
    const at = (elapsed: number, waiting: number): Scene => ({
      ...scene,
      elapsed,
      jobs: { ...scene.jobs, waiting },
      workers: ['busy'],
      changing: 0,
    });
    const trace = [at(0, 4), at(80, 9), at(119, 2), at(400, 1)].reduce<Trace>(traced, []);
    assert.deepEqual(
      trace.map(({ waiting }) => waiting),
      [9, 9, 9, 1],
    );
  });

  it('fits into one line where nothing can be drawn anew', () => {
    assert.equal(
      summarize(scene),
      '0:23  17 waiting, 20 running, 100 of 300 done; 2 busy, 1 idle, 1 booting, 1 draining, 1 silent, 2 coming or going; EUR 0.42',
    );
  });

  for (const [seconds, text] of [
    [0, '0:00'],
    [59, '0:00'],
    [3600, '1:00'],
    [3 * 3600 + 125, '3:02'],
  ] as const) {
    it(`writes ${seconds} s as ${text}`, () => assert.equal(time(seconds), text));
  }
});
