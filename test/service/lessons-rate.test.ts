import assert from 'node:assert/strict';
import type { LoggedRequest } from '../../sandbox/control/request-log';
import { jobPool, World } from './world';

const LIMITS = { servers: 200, primaryIps: 200 };

describe('lesson 10: the rate budget', function () {
  this.timeout(300_000);
  const eager = { ...jobPool, scaling: { targetWait: 60 } };
  let world: World;
  afterEach(() => world?.close());

  const hetzner = (): LoggedRequest[] => world.sandbox.requests.list({ vendor: 'hetzner' });

  it('an idle hour takes at most sixty requests', async () => {
    const steady = { ...jobPool, size: { min: 3, max: 3 } };
    world = await World.running({ ci: steady }, { sandbox: { hetzner: { durationFactor: 0 } } });
    await world.pass(600);
    world.sandbox.requests.clear();
    await world.pass(3600);
    const asked = hetzner().length;
    assert.ok(asked <= 60, `${asked} requests in an idle hour`);
  });

  it('three cycles beside a neighbour who takes 2000 an hour, and not one 429', async () => {
    world = await World.running(
      { ci: eager },
      { sandbox: { hetzner: { durationFactor: 0, limits: LIMITS } } },
    );
    let asked = 0;
    const neighbour = async (): Promise<void> => {
      for (; asked < ((world.now - began) * 2000) / 3600; asked++) await world.hetzner('GET', '/locations');
    };
    const began = world.now;
    for (let cycle = 1; cycle <= 3; cycle++) {
      world.addJobs('ci', 4, 300);
      const isOver = await world.pass(2 * 3600, async () => {
        await neighbour();
        return world.sandbox.jobs.poolReport('ci').done === 4 * cycle && world.fleet('ci').alive === 0;
      });
      assert.ok(isOver);
    }
    assert.deepEqual(world.sandbox.requests.list({ status: 429 }), []);
  });

  // The provider reads type, image, key and placement group, creates, asks twice after the actions and reads the server:
  // seven requests where the pool does not spread, eight where it does.
  it('more workers take at most eight requests each, and ten', async () => {
    const size = { min: 0, max: 20 };
    const sandbox = { hetzner: { limits: LIMITS } };
    world = await World.running({ ci: { ...jobPool, size } }, { sandbox });
    world.edit({}, {}, { 'hcloud:pollInterval': '8s' });
    world.addJobs('ci', 1, 3000);
    await world.inTime(1, () => world.round());
    assert.ok(await world.pass(200, () => world.sandbox.jobs.poolReport('ci').running === 1));
    world.addJobs('ci', 20, 600);
    await world.sandbox.advance(10);
    const before = world.fleet('ci').servers;
    world.sandbox.requests.clear();
    await world.inTime(1, () => world.round());
    const added = world.fleet('ci').servers - before;
    assert.ok(added >= 5, `${added} workers`);
    const asked = hetzner().length;
    assert.ok(asked <= 8 * added + 10, `${asked} requests for ${added} workers`);
  });
});
