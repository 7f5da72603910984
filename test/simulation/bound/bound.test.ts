import assert from 'node:assert/strict';
import fc from 'fast-check';
import { offlineBound, type Service } from '../../../simulation/bound';
import { generateTrace } from '../../../simulation/traces';
import type { Job, Trace } from '../../../simulation/types';
import { exhaustiveHours } from './exhaustive';

const HOUR = 3600;
const STEP = 600;
const service: Service = { targetWait: 300, slots: 1, boot: 60 };

describe('the offline bound', () => {
  const known: { it: string; jobs: Job[]; horizon?: number; service?: Partial<Service>; hours: number }[] = [
    { it: 'is an hour for one short job', jobs: [{ arrival: 0, service: 10 }], hours: 1 },
    {
      it: 'is an hour for jobs that one server can do one after the other',
      jobs: [
        { arrival: 0, service: 250 },
        { arrival: 0, service: 250 },
      ],
      hours: 1,
    },
    {
      it: 'is two hours for two jobs that must overlap and fill an hour each',
      jobs: [
        { arrival: 0, service: HOUR },
        { arrival: 0, service: HOUR },
      ],
      service: { targetWait: 0, boot: 0 },
      hours: 2,
    },
    {
      it: 'is one hour for those two on two slots',
      jobs: [
        { arrival: 0, service: HOUR },
        { arrival: 0, service: HOUR },
      ],
      service: { targetWait: 0, boot: 0, slots: 2 },
      hours: 1,
    },
    {
      it: 'counts the boot: an hour of work does not fit into a fresh hour',
      jobs: [{ arrival: HOUR, service: HOUR }],
      service: { targetWait: 0 },
      hours: 2,
    },
    {
      it: 'counts the hours until the last job has ended',
      jobs: [{ arrival: 0, service: 5 * HOUR }],
      horizon: 3 * HOUR,
      service: { boot: 0, targetWait: 0 },
      hours: 5,
    },
    {
      it: 'counts no hour that begins after a run is given up',
      jobs: [{ arrival: 0, service: 20 * HOUR }],
      horizon: 3 * HOUR,
      service: { boot: 0, targetWait: 0 },
      hours: 9,
    },
  ];
  for (const { it: name, jobs, horizon = 24 * HOUR, service: change, hours } of known) {
    it(name, async () => {
      assert.equal((await offlineBound({ jobs, horizon }, { ...service, ...change })).hours, hours);
    });
  }

  it('is never above the best schedule that exhaustive search finds', async () => {
    let met = 0;
    await fc.assert(
      fc.asyncProperty(smallTraces(), smallServices(), async (trace, needs) => {
        const best = exhaustiveHours(trace, needs, STEP);
        const { hours } = await offlineBound(trace, needs);
        assert.ok(hours <= best, `the bound is ${hours} h, a schedule takes ${best} h`);
        if (hours === best) met += 1;
      }),
      { numRuns: 60, seed: 1 },
    );
    assert.ok(
      met >= 20,
      `it meets the optimum in ${met} of 60 cases: a bound that is always low tells nothing`,
    );
  }).timeout(60_000);

  it('falls as the target wait grows and as servers get slots', async () => {
    const trace = generateTrace('ci', 3);
    const hours: number[] = [];
    for (const change of [{ targetWait: 90 }, { targetWait: 300 }, { targetWait: 900 }, { slots: 4 }]) {
      hours.push((await offlineBound(trace, { ...service, ...change })).fractional);
    }
    const [strict, usual, patient, roomy] = hours as [number, number, number, number];
    assert.ok(strict >= usual && usual >= patient && usual > roomy, hours.join(' '));
  }).timeout(60_000);

  it('is at least the work to be done', async () => {
    const trace = generateTrace('sparse', 2, 2);
    const work = trace.jobs.reduce((sum, job) => sum + job.service, 0);
    assert.ok((await offlineBound(trace, service)).fractional >= work / HOUR - 1e-6);
  });

  it('takes longer intervals for a trace too large for short ones, and stays a bound', async () => {
    const jobs = Array.from({ length: 30_000 }, (_, index) => ({
      arrival: index * 20,
      service: 1 + ((index * 7919) % 300),
    }));
    const { hours, width } = await offlineBound({ jobs, horizon: 600_000 }, service);
    const work = jobs.reduce((sum, job) => sum + job.service, 0) / HOUR;
    assert.ok(width > 60);
    assert.ok(
      hours >= Math.floor(work) && hours <= Math.ceil(1.2 * work),
      `${hours} h for ${work} h of work`,
    );
  }).timeout(60_000);
});

function smallTraces(): fc.Arbitrary<Trace> {
  const job = fc.record({
    arrival: fc.integer({ min: 0, max: 12 }).map((steps) => steps * STEP),
    service: fc.integer({ min: 1, max: 9 }).map((steps) => steps * STEP),
  });
  return fc.record({
    jobs: fc
      .array(job, { minLength: 1, maxLength: 4 })
      .map((jobs) => jobs.sort((a, b) => a.arrival - b.arrival)),
    horizon: fc.constantFrom(2 * HOUR, 5 * HOUR, 24 * HOUR),
  });
}

function smallServices(): fc.Arbitrary<Service> {
  return fc.record({
    targetWait: fc.constantFrom(0, STEP, 2 * STEP),
    slots: fc.constantFrom(1, 2),
    boot: fc.constantFrom(0, STEP),
  });
}
