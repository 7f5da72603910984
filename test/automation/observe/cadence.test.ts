import assert from 'node:assert/strict';
import { CADENCE, catalogueMaxAge, nextListAt, type Activity } from '../../../automation/observe/cadence';
import { openCatalogue } from '../../../automation/observe/catalogue';
import { openCloud } from '../../../automation/observe/cloud';
import { ObserverStand } from './stand';

const IDLE: Activity = { booting: 0, leaving: 0, suspects: 0 };
const TICK = 10;

describe('how often Hetzner is asked', () => {
  const stand = new ObserverStand();

  it('the first list comes at once', () => assert.equal(nextListAt(undefined, IDLE), -Infinity));

  const rows: [string, Partial<Activity>, number][] = [
    ['nothing goes on', {}, 75],
    ['workers boot', { booting: 3 }, 25],
    ['workers leave', { leaving: 1 }, 25],
    ['something looked wrong', { suspects: 1 }, 25],
  ];
  for (const [what, activity, interval] of rows) {
    it(`${interval} s after the last list where ${what}`, () => {
      assert.equal(nextListAt(1000, { ...IDLE, ...activity }), 1000 + interval);
    });
  }

  it('the catalogue is fresh only where a launch can choose', () => {
    assert.deepEqual([0, 1, 2].map(catalogueMaxAge), [
      CADENCE.idleCatalogue,
      CADENCE.idleCatalogue,
      CADENCE.freshCatalogue,
    ]);
  });

  /** One virtual hour of ticks with this many workers; answers what it asked of Hetzner. */
  async function hour(workers: number, activity: Activity, choices: number): Promise<number> {
    for (let serial = 1; serial <= workers; serial += 1) await stand.server(`ci-${1000 + serial}`);
    const cloud = openCloud(stand.hetzner, 'production', stand.access);
    const catalogue = openCatalogue(stand.hetzner, stand.access);
    let listedAt: number | undefined;
    for (let second = 0; second < 3600; second += TICK) {
      if (stand.now() >= nextListAt(listedAt, activity)) {
        assert.equal((await cloud.listWorkers()).items.length, workers);
        listedAt = stand.now();
      }
      await catalogue.read(catalogueMaxAge(choices));
      await stand.sandbox.advance(TICK);
    }
    const asked = stand.calls().length;
    assert.deepEqual(stand.meter.requests, { GET: asked });
    return asked;
  }

  it('an idle hour with 50 workers takes at most 60 requests', async () => {
    const asked = await hour(50, IDLE, 0);
    assert.ok(asked <= 60, `${asked} requests`);
  }).timeout(30_000);

  it('an idle hour with 100 workers takes at most 120 requests', async () => {
    const asked = await hour(100, IDLE, 0);
    assert.ok(asked <= 120, `${asked} requests`);
  }).timeout(30_000);

  it('an hour that never stops moving takes at most a tenth of the limit', async () => {
    const asked = await hour(10, { ...IDLE, booting: 5 }, 2);
    assert.ok(asked <= 360, `${asked} requests`);
  }).timeout(30_000);
});
