import assert from 'node:assert/strict';
import fc from 'fast-check';
import { followJobs } from '../../../automation/registry/follow-jobs';

describe('the jobs between two beats', () => {
  const now = 1000;
  const rows: [
    what: string,
    before: number[],
    busy: number,
    ages: number[],
    running: number[],
    served: number[],
  ][] = [
    ['nothing runs', [], 0, [], [], []],
    ['a job began', [], 1, [4], [996], []],
    ['a job goes on, its age rounded', [900], 1, [99], [900], []],
    ['a job goes on, at the edge of the tolerance', [900], 1, [95], [900], []],
    ['a job ended and another began', [900], 1, [94], [906], [100]],
    ['ages come in any order', [700, 800], 2, [200, 300], [700, 800], []],
    ['the younger of two ended', [700, 800], 1, [300], [700], [200]],
    ['the older of two ended', [700, 800], 1, [200], [800], [300]],
    ['all ended', [700, 800], 0, [], [], [300, 200]],
    ['two began together beside one that goes on', [700], 3, [1, 1, 300], [700, 999, 999], []],
    ['one of two that began together ended', [990, 990], 1, [10], [990], [10]],
    ['each old job takes one new one', [990, 992], 2, [10, 6], [990, 992], []],
    ['more run, without ages', [900], 3, [], [900, 1000, 1000], []],
    ['fewer run, without ages: the oldest ended', [700, 800, 900], 1, [], [900], [300, 200]],
    ['as many run, without ages', [700, 800], 2, [], [700, 800], []],
    ['ages for some only count for nothing', [700, 800], 3, [5], [700, 800, 1000], []],
    ['more ages than jobs count for nothing', [700], 1, [5, 300], [700], []],
    ['a job that began in the future by another clock ended', [1003], 0, [], [], [0]],
  ];
  for (const [what, before, busy, ages, running, served] of rows) {
    it(what, () => assert.deepEqual(followJobs(before, { busy, ages }, now), { running, served }));
  }

  const time = fc.integer({ min: 0, max: 1000 });
  const starts = fc.array(time, { maxLength: 8 }).map((times) => times.sort((a, b) => a - b));
  const beats = fc.oneof(
    fc.array(time, { maxLength: 8 }).map((ages) => ({ busy: ages.length, ages })),
    fc.record({ busy: fc.nat(8), ages: fc.array(time, { maxLength: 3 }) }),
  );

  it('as many run as the beat says, oldest first', () => {
    fc.assert(
      fc.property(starts, beats, (before, beat) => {
        const { running } = followJobs(before, beat, now);
        assert.equal(running.length, beat.busy);
        assert.deepEqual(
          running,
          [...running].sort((a, b) => a - b),
        );
      }),
    );
  });

  it('every job from before either runs on or has ended', () => {
    fc.assert(
      fc.property(starts, beats, (before, beat) => {
        const { running, served } = followJobs(before, beat, now);
        const rest = [...running];
        const ended = before.filter((start) => {
          const index = rest.indexOf(start);
          if (index >= 0) rest.splice(index, 1);
          return index < 0;
        });
        // A job that ended may have the very start of one that runs: then its length tells.
        assert.ok(served.length >= ended.length);
        for (const seconds of served) assert.ok(before.includes(now - seconds));
        assert.ok(before.length - served.length <= running.length);
      }),
    );
  });

  it('jobs that go on, their ages rounded and some seconds late, are the same jobs', () => {
    const late = fc.double({ min: -4, max: 4, noNaN: true });
    fc.assert(
      fc.property(starts, late, (before, delay) => {
        const ages = before.map((start) => Math.max(0, Math.floor(now - start + delay)));
        assert.deepEqual(followJobs(before, { busy: before.length, ages }, now), {
          running: before,
          served: [],
        });
      }),
    );
  });

  it('the same beat twice ends and begins nothing', () => {
    fc.assert(
      fc.property(starts, beats, (before, beat) => {
        const once = followJobs(before, beat, now);
        assert.deepEqual(followJobs(once.running, beat, now), { running: once.running, served: [] });
      }),
    );
  });
});
