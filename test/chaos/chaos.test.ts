import assert from 'node:assert/strict';
import { chaosFaults } from '../../sandbox/control/chaos';
import type { FaultInput } from '../../sandbox/control/faults';
import { createRandom } from '../../sandbox/kernel/random';
import { Day, type DayReport } from './day';
import { type ChaosPlace, MOST, openPlace } from './place';
import { jobsOfDay, killsOfDay } from './script';

/** `CHAOS_HOURS=24 CHAOS_KILLS=50 CHAOS_SEED=7 npx mocha test/chaos/chaos.test.ts` plays a whole day, and another one. */
const HOURS = Number(process.env['CHAOS_HOURS'] ?? 5);
const KILLS = Number(process.env['CHAOS_KILLS'] ?? 10);
const SEED = Number(process.env['CHAOS_SEED'] ?? 1);
const REGISTRY = process.env['CHAOS_REGISTRY'] === 'postgres' ? 'postgres' : 'embedded';

const HOUR = 3600;
/** Real milliseconds after which a proxy in front of a vendor gives up. */
const PROXY_PATIENCE = 3000;

describe('a day of a stack', function () {
  // Several times what a day takes. One that comes to no end says where it stands before the run ends it for its silence.
  this.timeout((5 + HOURS) * 60_000);
  let place: ChaosPlace | undefined;
  let day: Day | undefined;
  afterEach(async function () {
    if (this.currentTest?.state === 'failed') {
      console.error(day?.journal.slice(-40).join('\n'));
      console.error(`CHAOS_SEED=${SEED} CHAOS_HOURS=${HOURS} CHAOS_KILLS=${KILLS} plays this day again`);
    }
    await day?.close();
    await place?.close();
  });

  async function play(kills: number, faultyShare: number): Promise<DayReport> {
    const random = createRandom(SEED);
    const bursts = jobsOfDay(random, Object.keys(MOST), HOURS);
    place = await openPlace(REGISTRY, SEED);
    const up = await place.environment.up();
    assert.equal(up.code, 0, up.text);
    const faults = faultyShare > 0 ? chaosFaults(faultyShare).map(answered) : [];
    for (const fault of faults) place.environment.sandbox.faults.add(fault);
    day = new Day(place, bursts, killsOfDay(random, kills, bursts), [
      { at: 4.7 * HOUR, run: () => place!.rollOut('ci') },
      {
        at: 6 * HOUR,
        run: (of) => of.command('/pools/big/scale', { by: 'anna', size: 2, forSeconds: 1800 }),
      },
    ]);
    const report = await day.play();
    console.error(JSON.stringify({ seed: SEED, registry: REGISTRY, ...report }));
    return report;
  }

  it(`loses and leaves nothing though the service is killed ${KILLS} times`, async () => {
    const { kills, nameTaken } = await play(KILLS, 0);
    assert.equal(kills, KILLS);
    assert.ok(nameTaken <= kills, `${nameTaken} names were asked for that were taken`);
  });

  it('loses and leaves nothing though the vendors fail at random', async () => {
    const { faults } = await play(0, 0.004);
    assert.ok(faults > 0);
  });
});

/** A call that nobody ever answers ends all the same: with the patience of what stands between. */
function answered(fault: FaultInput): FaultInput {
  if (fault.mode === 'ignore') return { ...fault, mode: 'drop', delayMs: PROXY_PATIENCE };
  return fault.mode === 'stall' ? { ...fault, mode: 'hang-up', delayMs: PROXY_PATIENCE } : fault;
}
