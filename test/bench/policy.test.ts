import assert from 'node:assert/strict';
import { paretoPlot } from '../../bench/policy/pareto';
import { makeCase, meets, play, pool, type Played, USUAL } from '../../bench/policy/runs';
import { costTable, type Measured, targetsTable } from '../../bench/policy/tables';
import { ablations, KEDA_TARGETS, kedaVariants } from '../../bench/policy/variants';
import { policies } from '../../simulation/peers';

const NO_ELASTICITY = {
  ...{ underProvisioned: 0, overProvisioned: 0, overProvisionedPaid: 0, timeUnder: 0, timeOver: 0 },
};

describe('the policy benchmark', () => {
  it('pools seeds by their sums, not by their ratios', () => {
    const pooled = pool([played(30, 10, [0, 400]), played(10, 10, [10, 20])]);
    assert.equal(pooled.ratio, 2);
    assert.equal(pooled.lateShare, 0.25);
    assert.equal(pooled.p99, 400);
    assert.equal(meets(pooled), false);
  });

  it('compares with the cheapest peer that is in time, and not with a cheaper one that is late', () => {
    const table = costTable([
      measured({
        'lease-slo': played(15, 10),
        slow: played(5, 10, [900]),
        quick: played(30, 10),
        dear: played(60, 10),
      }),
    ]);
    const [row] = table.rows;
    assert.equal(row![table.head.indexOf('best peer')], 'quick 3.00 ×');
    assert.equal(row![table.head.indexOf('saving')], '50.0 % (50–50)');
    assert.equal(row![table.head.indexOf('with hour-end release')], 'none');
  });

  it('tells a target that is missed from one that is met', () => {
    const late = Array.from({ length: 10 }, (_, index) => (index === 0 ? 700 : 0));
    const verdicts = (waits: number[], hours: number): (string | undefined)[] =>
      targetsTable(
        ['cron', 'steady'].map((workload) =>
          measured({ 'lease-slo': played(hours, 10, waits), peer: played(30, 10) }, workload),
        ),
      ).rows.map((row) => row[2]);
    assert.deepEqual(verdicts([0], 13).slice(0, 5), ['met', 'met', 'met', 'met', 'met']);
    assert.deepEqual(verdicts(late, 25).slice(0, 5), ['missed', 'missed', 'missed', 'missed', 'missed']);
  });

  it('plays every policy on the same trace, none below the bound while it is in time', async () => {
    const one = await makeCase('sparse', 1001, 1, USUAL);
    for (const policy of Object.values(policies)) {
      const run = play(one, policy);
      assert.equal(run.waits.length, one.trace.jobs.length);
      if (run.late === 0)
        assert.ok(run.hours >= one.bound, `${policy.name}: ${run.hours} h of ${one.bound} h`);
    }
  }).timeout(60_000);

  it('sells the preferred placement out only where faults are asked for, and has a second one then', async () => {
    const [calm, troubled] = [
      await makeCase('sparse', 1, 2, USUAL),
      await makeCase('sparse', 1, 2, { ...USUAL, faults: true }),
    ];
    assert.deepEqual([calm.scenario.outages.length, calm.scenario.neverReadyShare], [0, 0]);
    assert.deepEqual([troubled.scenario.outages.length, troubled.scenario.placements.length], [2, 2]);
    assert.deepEqual(troubled.trace, calm.trace);
  }).timeout(60_000);

  it('names each variant once', () => {
    const names = [...ablations(), ...kedaVariants(true)].map(({ name }) => name);
    assert.equal(new Set(names).size, names.length);
    assert.equal(kedaVariants(false).length, KEDA_TARGETS.length);
  });

  it('plots every point within the frame, cheaper ones lower', () => {
    const svg = paretoPlot('a & b', [
      {
        name: 'line',
        points: [
          { x: 10, y: 4 },
          { x: 100, y: 2 },
        ],
      },
      { name: 'point', points: [{ x: 50, y: 3 }] },
    ]);
    const points = [...svg.matchAll(/<polyline points="([^"]+)"/g)].flatMap(([, list]) =>
      list!.split(' ').map((pair) => pair.split(',').map(Number) as [number, number]),
    );
    assert.equal(points.length, 3);
    for (const [x, y] of points) assert.ok(x >= 60 && x <= 590 && y >= 40 && y <= 390, `${x},${y}`);
    const [dear, cheap] = points;
    assert.ok(cheap![1] > dear![1] && cheap![0] > dear![0]);
    assert.match(svg, /a &amp; b/);
  });
});

function played(hours: number, bound: number, waits: number[] = [0]): Played {
  const late = waits.filter((wait) => wait > 300).length;
  return { hours, bound, late, waits, busyDeletes: 0, elasticity: NO_ELASTICITY };
}

function measured(runs: Record<string, Played>, workload = 'cron'): Measured {
  return {
    workload,
    control: false,
    policies: new Map(Object.entries(runs).map(([name, run]) => [name, pool([run])])),
    keda: new Map(),
    kedaAtHourEnd: new Map(),
  };
}
