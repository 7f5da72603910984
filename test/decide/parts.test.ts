import assert from 'node:assert/strict';
import { breakerAllowance, neverReady, usualBoot } from '../../automation/decide/boots';
import { assignCells } from '../../automation/decide/cells';
import { freshness } from '../../automation/decide/freshness';
import { apiAllowance, budgetAllowance } from '../../automation/decide/limits';
import { PARAMETERS } from '../../automation/decide/parameters';
import {
  choosePlacements,
  followOffers,
  nextProbe,
  rememberSoldOut,
} from '../../automation/decide/placement';
import { allInTime, leastWorkers } from '../../automation/decide/projection';
import { expectedBursts, recordMinute, type Burst } from '../../automation/decide/recurrence';
import { scheduledMinimum } from '../../automation/decide/schedule';
import { ServiceTimes } from '../../automation/decide/service-times';
import { standbyShortage, standbySlots } from '../../automation/decide/standby';
import { followQueue } from '../../automation/decide/waiting';
import { experienced, NOW, observed, pool, worker } from './worlds';

describe('service times', () => {
  const times = new ServiceTimes([30, 10, 20, 400, 500, 600]);

  it('expects of a running job what longer ones had left', () => {
    // Five times the 180 s that are assumed weigh in.
    assert.equal(times.mean, (10 + 20 + 30 + 400 + 500 + 600 + 5 * 180) / 11);
    assert.equal(times.remaining(15), (20 + 30 + 400 + 500 + 600) / 5 - 15);
    assert.equal(times.remaining(30), 470);
  });

  it('expects half its age of a job that has run longer than nearly all, and a little where nothing is known', () => {
    assert.equal(times.remaining(450), 225);
    assert.equal(new ServiceTimes([]).mean, 180);
    assert.equal(new ServiceTimes([]).remaining(0), 60);
  });
});

describe('the projection', () => {
  const claims = [0, 0, 0].map((arrival) => ({ arrival, deadline: 100 }));

  for (const { freeAt, service, fresh, inTime } of [
    { freeAt: [0], service: 50, fresh: 0, inTime: true },
    { freeAt: [0], service: 51, fresh: 0, inTime: false },
    { freeAt: [0], service: 51, fresh: 1, inTime: true },
    { freeAt: [], service: 1, fresh: 0, inTime: false },
    { freeAt: [Infinity], service: 1, fresh: 0, inTime: false },
  ])
    it(`three jobs of ${service} s on slots free at [${freeAt.join()}] and ${fresh} new: ${inTime ? 'in time' : 'late'}`, () => {
      assert.equal(allInTime(claims, freeAt, service, fresh, 90), inTime);
    });

  it('finds the least number that is enough, and the most where none is', () => {
    assert.equal(
      leastWorkers(50, (workers) => workers >= 17),
      17,
    );
    assert.equal(
      leastWorkers(50, () => true),
      0,
    );
    assert.equal(
      leastWorkers(50, () => false),
      50,
    );
  });
});

describe('a queue that tells only its depth', () => {
  it('is followed first in, first out', () => {
    const grown = followQueue({ observedAt: 20, depth: 3 }, [5], 10);
    assert.deepEqual(grown, { arrivals: [5, 15, 15], waits: [] });
    assert.deepEqual(followQueue({ observedAt: 30, depth: 1 }, grown.arrivals, 20), {
      arrivals: [15],
      waits: [25, 15],
    });
  });

  it('takes the age of the oldest where that is told', () => {
    assert.deepEqual(followQueue({ observedAt: 20, depth: 2, oldest: 1 }, [], 10).arrivals, [1, 15]);
  });
});

describe('the schedule', () => {
  const office = {
    days: ['mon', 'fri'],
    from: '08:00',
    to: '18:30',
    timezone: 'Europe/Berlin',
    min: 3,
  } as const;
  const night = { days: ['fri'], from: '22:00', to: '02:00', timezone: 'UTC', min: 7 } as const;
  for (const [time, minimum] of [
    ['2026-01-02T06:59:00Z', 0],
    ['2026-01-02T07:00:00Z', 3],
    ['2026-01-02T17:29:00Z', 3],
    ['2026-01-02T17:30:00Z', 0],
    ['2026-01-02T22:00:00Z', 7],
    ['2026-01-03T01:59:00Z', 7],
    ['2026-01-03T02:00:00Z', 0],
    // Berlin is two hours ahead in summer.
    ['2026-07-03T06:00:00Z', 3],
  ] as const)
    it(`asks for ${minimum} at ${time}`, () => {
      assert.equal(scheduledMinimum([office, night], Date.parse(time) / 1000), minimum);
    });

  it('takes 24:00 as the end of the day', () => {
    const day = [{ days: ['sat'], from: '00:00', to: '24:00', timezone: 'UTC', min: 2 } as const];
    assert.equal(scheduledMinimum(day, Date.parse('2026-01-03T23:59:00Z') / 1000), 2);
    assert.equal(scheduledMinimum(day, Date.parse('2026-01-04T00:00:00Z') / 1000), 0);
  });
});

describe('sold-out placements', () => {
  const [first, second] = pool.placements;
  assert.ok(first && second);
  const soldOut = (...placements: (typeof first)[]) => ({
    failures: placements.map((placement) => ({ placement, kind: 'sold-out' as const })),
  });
  const order = (memory: ReturnType<typeof rememberSoldOut>, now: number) =>
    choosePlacements(pool.placements, { soldOut: memory }, now).order;

  it('are left alone for ten minutes, then tried again', () => {
    const memory = rememberSoldOut([], soldOut(first, first), NOW);
    assert.deepEqual(order(memory, NOW + 599), [second]);
    assert.deepEqual(order(memory, NOW + 600), [first, second]);
  });

  it('are left alone twice as long each further time, up to half an hour', () => {
    let memory = rememberSoldOut([], soldOut(first), NOW);
    let now = NOW;
    const penalties = [1, 2, 3].map(() => {
      now = memory[0]?.until ?? NaN;
      memory = rememberSoldOut(memory, soldOut(first), now);
      return (memory[0]?.until ?? NaN) - now;
    });
    assert.deepEqual(penalties, [1200, 1800, 1800]);
  });

  it('are asked after a minute where there is no other, then after twice as long each time, up to ten minutes', () => {
    let memory: ReturnType<typeof rememberSoldOut> = [];
    let now = NOW;
    const waits = [1, 2, 3, 4, 5, 6].map(() => {
      memory = rememberSoldOut(memory, soldOut(second, first), now);
      const soldOutProbeAt = nextProbe(memory, soldOut(second, first), now, 0.5)!;
      const most = (at: number) =>
        choosePlacements(pool.placements, { soldOut: memory, soldOutProbeAt }, at).most;
      assert.deepEqual([most(soldOutProbeAt - 1), most(soldOutProbeAt)], [0, 1]);
      const wait = soldOutProbeAt - now;
      now = soldOutProbeAt;
      return wait;
    });
    assert.deepEqual(waits, [60, 120, 240, 480, 600, 600]);
  });

  for (const [luck, wait] of [
    [0, 45],
    [0.5, 60],
    [0.9, 72],
  ] as const)
    it(`are asked after ${wait} s by who draws ${luck}`, () => {
      const news = soldOut(first, second);
      assert.equal(nextProbe(rememberSoldOut([], news, NOW), news, NOW, luck), NOW + wait);
    });

  it('are none any more where a launch succeeds', () => {
    const memory = rememberSoldOut([], soldOut(first, second), NOW);
    const after = rememberSoldOut(memory, { launched: [first] }, NOW + 60);
    assert.deepEqual(order(after, NOW + 60), [first]);
  });

  it('are none any more where the vendor’s list has them again', () => {
    const listed = (available: boolean) => [{ ...first, available }, second];
    const memory = rememberSoldOut([], soldOut(first, second), NOW);
    assert.deepEqual(followOffers(followOffers(memory, listed(true)), listed(true)), [
      { ...memory[0], offered: true },
      memory[1],
    ]);
    assert.deepEqual(followOffers(followOffers(memory, listed(false)), listed(true)), [memory[1]]);
  });

  it('are not what another failure means', () => {
    const limit = { failures: [{ placement: first, kind: 'limit' as const }] };
    assert.deepEqual(rememberSoldOut([], limit, NOW), []);
    assert.equal(nextProbe([], limit, NOW, 0.5), undefined);
  });
});

describe('bounds on launches', () => {
  for (const [remaining, allowed] of [
    [3600, 2520],
    [1081, 1],
    [1080, 0],
    [0, 0],
  ] as const)
    it(`leave 30 % of 3600 requests to deletions and safety: ${allowed} of ${remaining}`, () => {
      assert.equal(apiAllowance({ limit: 3600, remaining }), allowed);
    });

  it('hold the budget, with unknown types at the dearest price', () => {
    const [first, second] = pool.placements;
    assert.ok(first && second);
    const allowed = (budget: number | undefined, workers: Parameters<typeof budgetAllowance>[1]) =>
      budgetAllowance(budget, workers, pool.placements, first);
    assert.equal(allowed(undefined, []), Infinity);
    assert.equal(allowed(0.1, []), 10);
    assert.equal(allowed(0.1, [worker('a', 10)]), 9);
    assert.equal(allowed(0.1, [worker('a', 10, { serverType: 'gone' })]), 8);
    assert.equal(allowed(0.01, [worker('a', 10, { serverType: 'gone' })]), 0);
  });
});

describe('boots', () => {
  const usual = { ...experienced, boots: [100] };

  it('are planned with the 80 % quantile of the recent ones, and a guess before there are any', () => {
    const boots = [60, 70, 80, 90, 200];
    assert.equal(usualBoot({ ...experienced, boots }, PARAMETERS), 90);
    assert.equal(usualBoot({ ...experienced, boots: [] }, PARAMETERS), 150);
  });

  for (const [boot, patience] of [
    [30, 240],
    [100, 300],
    [400, 600],
  ] as const)
    it(`have failed after ${patience} s where ${boot} s is usual`, () => {
      const late = worker('late', patience + 1, { state: 'booting' });
      const waiting = [worker('coming', patience, { state: 'booting' }), worker('ready', 5000), late];
      const state = { ...experienced, boots: [boot] };
      assert.deepEqual(neverReady(waiting, { now: NOW }, state, PARAMETERS), [late]);
    });

  it('may take 600 s where none has been seen: nobody knows what the set-up takes', () => {
    const late = worker('late', 601, { state: 'booting' });
    const waiting = [worker('coming', 600, { state: 'booting' }), late];
    assert.deepEqual(neverReady(waiting, { now: NOW }, { ...experienced, boots: [] }, PARAMETERS), [late]);
  });

  for (const { made, booting, failed } of [
    { made: 900, booting: 0, failed: false },
    { made: 900, booting: 300, failed: false },
    { made: 900, booting: 301, failed: true },
    { made: 10, booting: 301, failed: true },
  ])
    it(`${failed ? 'have' : 'have not'} failed ${booting} s after a machine that took ${made} s to be made`, () => {
      const since = { state: 'booting', bootingSince: NOW - booting } as const;
      const late = worker('late', made + booting, since);
      assert.deepEqual(neverReady([late], { now: NOW }, usual, PARAMETERS), failed ? [late] : []);
    });

  for (const state of ['booting', 'ready', 'draining'] as const)
    it(`have failed at once where one says so, unless it is no boot any more: ${state}`, () => {
      const said = worker('said', 20, { state, failedStep: '13-packages' });
      const waiting = [worker('coming', 20, { state: 'booting' }), said];
      for (const listeningSince of [-Infinity, NOW - 1])
        assert.deepEqual(
          neverReady(waiting, { now: NOW, listeningSince }, usual, PARAMETERS),
          state === 'booting' ? [said] : [],
        );
    });

  it('stop launches after three failures in a row, but for one probe every ten minutes', () => {
    const broken = { ...experienced, failedBoots: 3 };
    assert.equal(breakerAllowance({ ...experienced, failedBoots: 2 }, [], NOW), Infinity);
    assert.equal(breakerAllowance(broken, [], NOW), 1);
    assert.equal(breakerAllowance(broken, [worker('probe', 30, { state: 'booting' })], NOW), 0);
    assert.equal(breakerAllowance({ ...broken, probedAt: NOW - 599 }, [], NOW), 0);
    assert.equal(breakerAllowance({ ...broken, probedAt: NOW - 600 }, [], NOW), 1);
  });
});

describe('recurring bursts', () => {
  const every = (period: number, count: number): Burst[] =>
    Array.from({ length: count }, (_, index) => ({
      at: index * period,
      jobs: 50 + index,
      until: index * period + 60,
    }));

  it('are expected after three in step with the hour, with the least of their sizes', () => {
    assert.deepEqual(expectedBursts(every(3600, 2), 7000, 7300), []);
    assert.deepEqual(expectedBursts(every(3600, 3), 10_700, 10_900), [{ at: 10_800, jobs: 50 }]);
  });

  it('are no longer expected when one stays out', () => {
    assert.deepEqual(expectedBursts(every(3600, 3), 14_300, 14_500), []);
  });

  it('need five in step with a shorter period', () => {
    assert.deepEqual(expectedBursts(every(300, 4), 1150, 1250), []);
    assert.deepEqual(expectedBursts(every(300, 5), 1450, 1550), [{ at: 1500, jobs: 50 }]);
  });

  it('are minutes with far more arrivals than usual, joined where they follow each other', () => {
    assert.deepEqual(recordMinute([], 0, 5, 0), []);
    assert.deepEqual(recordMinute([], 0, 20, 6), []);
    const one = recordMinute([], 60, 30, 2);
    assert.deepEqual(recordMinute(one, 120, 12, 2), [{ at: 60, jobs: 42, until: 180 }]);
  });
});

describe('standby', () => {
  const busy = { ...experienced, minutes: [...Array<number>(60).fill(6), 0] };

  it('is what is configured where a boot is shorter than the target wait', () => {
    assert.equal(standbySlots({ ...pool, standby: 2, slots: 4 }, busy, 90), 8);
    assert.equal(standbySlots(pool, busy, 90), 0);
  });

  it('is what arrives during a boot where no launch could come in time', () => {
    // 6 a minute over the (90 + 10 - 40) s by which a boot is too long: Poisson 6, whose 95 % quantile is 10.
    assert.equal(standbySlots({ ...pool, targetWait: 40 }, busy, 90), 10);
  });

  it('lacks what waiting jobs will take', () => {
    assert.equal(standbyShortage(2, observed([5], [worker('a', 100)]), 1), 2);
    assert.equal(standbyShortage(0, observed([5]), 1), 0);
  });
});

describe('cells', () => {
  it('are filled in order, the environment’s own stack first', () => {
    const launch = { serverType: 'cx33', location: 'fsn1' };
    const taken = [worker('a', 1), worker('b', 1, { cell: 'cell-2' })];
    assert.deepEqual(
      assignCells([launch, launch, launch], taken, 2).map(({ cell }) => cell),
      [undefined, 'cell-2', 'cell-3'],
    );
    assert.deepEqual(assignCells([launch], taken, undefined), [launch]);
  });
});

describe('the age of the queue’s reading', () => {
  for (const [age, meaning] of [
    [0, 'fresh'],
    [20, 'fresh'],
    [21, 'old'],
    [120, 'old'],
    [121, 'unknown'],
  ] as const)
    it(`${age} s is ${meaning}`, () => assert.equal(freshness(NOW, NOW - age, 10), meaning));
});
