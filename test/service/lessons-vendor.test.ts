import assert from 'node:assert/strict';
import { project } from '../engine/cloud';
import { GROWN, jobPool, World } from './world';

const CREATES = /^\/v1\/servers$/;
const DAY = 86_400;
const PLACEMENTS = [
  { serverType: 'cx33', location: 'fsn1' },
  { serverType: 'cpx32', location: 'nbg1' },
  { serverType: 'cx33', location: 'hel1' },
];

describe('what the vendor has, and has not', function () {
  this.timeout(300_000);
  let world: World;
  before(async () => {
    const pool = { ...jobPool, placements: PLACEMENTS, scaling: { targetWait: 200 } };
    const pools = { gone: pool, shut: pool, moved: pool, calm: pool, full: pool, ending: pool };
    world = await World.running(pools, { sandbox: GROWN });
  });
  afterEach(() => world.sandbox.faults.clear());
  after(() => world?.close());

  const creates = (): number => world.requests('POST', CREATES);
  /** Servers that there ever were. */
  const made = (): number =>
    Object.values(world.sandbox.hetzner.fleetReport('stack')).reduce((sum, { servers }) => sum + servers, 0);
  const report = (pool: string) => world.sandbox.jobs.poolReport(pool);
  /** Server types with their locations, of a pool's servers that are there. */
  const placed = (pool: string): string[] =>
    Object.values(project(world.sandbox).servers)
      .filter(({ labels }) => labels['pool'] === pool)
      .map(({ serverType, location }) => `${serverType} ${location}`);
  const refuse = (serverType: string, answer: { status: number; code: string; message: string }) =>
    world.sandbox.faults.add({
      vendor: 'hetzner',
      method: 'POST',
      path: '/v1/servers',
      body: `"server_type":"${serverType}"`,
      times: null,
      ...answer,
    });

  describe('lesson 9: sold-out routing with memory', () => {
    const refusals = [
      ['gone', 10, { status: 412, code: 'resource_unavailable', message: 'error during placement' }],
      ['shut', 2, { status: 403, code: 'forbidden', message: 'forbidden' }],
      ['moved', 2, { status: 422, code: 'invalid_input', message: 'unsupported location for server type' }],
    ] as const;
    for (const [pool, jobs, answer] of refusals) {
      it(`${answer.status} ${answer.code}: the next placement takes all, and the bad one is left alone`, async () => {
        world.sandbox.requests.clear();
        const before = made();
        const fault = refuse('cx33', answer);
        world.addJobs(pool, jobs, 200);
        assert.ok(await world.pass(1500, () => report(pool).done === jobs));
        assert.deepEqual([...new Set(placed(pool))], ['cpx32 nbg1']);
        assert.equal(fault.hits, 1);
        assert.equal(creates(), made() - before + 1);
      });
    }

    it('a placement that has servers again is used after its time', async () => {
      await world.pass(700);
      world.addJobs('gone', 3 * placed('gone').length, 300);
      await world.pass(60);
      assert.ok(placed('gone').includes('cx33 fsn1'), placed('gone').join());
    });

    it('the vendor’s list says that there are servers, and there are none', async () => {
      world.sandbox.requests.clear();
      world.sandbox.hetzner.catalogue.setPlaceable('cx33', false, 'fsn1');
      world.addJobs('calm', 3, 60);
      assert.ok(await world.pass(400, () => report('calm').done === 3));
      assert.ok(
        placed('calm').every((placement) => placement === 'cpx32 nbg1'),
        placed('calm').join(),
      );
      world.sandbox.hetzner.catalogue.setPlaceable('cx33', true, 'fsn1');
    });
  });

  describe('lesson 11: a quota is not a shortage', () => {
    it('no other placement is tried, the reason is told, and the next try comes in ten minutes', async () => {
      world.sandbox.requests.clear();
      const limit = { status: 403, code: 'resource_limit_exceeded', message: 'server limit exceeded' };
      const faults = ['cx33', 'cpx32'].map((type) => refuse(type, limit));
      world.addJobs('full', 3, 60);
      await world.pass(540);
      assert.deepEqual(
        faults.map(({ hits }) => hits),
        [1, 0],
      );
      assert.ok((await world.alarms()).includes('full: quota-reached'));
      assert.match(
        await world.metrics(),
        /worker_pools_launches_total\{[^}]*pool="full"[^}]*outcome="limit"[^}]*\} 1/,
      );
      world.sandbox.faults.clear();
      assert.ok(await world.pass(900, () => report('full').done === 3));
    });
  });

  describe('lesson 15: survive the provider’s calendar', () => {
    const day = (days: number): string => new Date((world.now + days * DAY) * 1000).toISOString();

    it('a type and an image whose end is announced are told with their dates', async () => {
      const { catalogue } = world.sandbox.hetzner;
      const announced = (world.now - DAY) * 1000;
      const until = day(20);
      catalogue.deprecateServerType('cx33', { announced, unavailableAfter: Date.parse(until) }, 'fsn1');
      catalogue.deprecateImage('debian-12', announced);
      await world.pass(3700);
      const { deprecations } = await world.status();
      const told = (what: string) => deprecations.find((deprecation) => deprecation.what === what);
      assert.equal(told('server type cx33 in fsn1')?.until?.slice(0, 19), until.slice(0, 19));
      assert.ok(told('image debian-12')?.until);
      assert.match(await world.metrics(), /^worker_pools_deprecated_in_use\{environment="sandbox"\} 2$/m);
    });

    it('after its end the next placement is used', async () => {
      const { catalogue } = world.sandbox.hetzner;
      const past = { announced: (world.now - 9 * DAY) * 1000, unavailableAfter: (world.now - DAY) * 1000 };
      catalogue.deprecateServerType('cx33', past, 'fsn1');
      await world.pass(3700);
      world.addJobs('ending', 2, 60);
      assert.ok(await world.pass(400, () => report('ending').done === 2));
      assert.ok(
        placed('ending').every((placement) => placement === 'cpx32 nbg1'),
        placed('ending').join(),
      );
    });
  });
});
