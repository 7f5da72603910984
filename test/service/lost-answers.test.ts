import assert from 'node:assert/strict';
import { World, jobPool } from './world';

describe('the scaling service, where Hetzner’s answers get lost', function () {
  this.timeout(180_000);
  let world: World;
  beforeEach(async () => {
    world = await World.running({ ci: jobPool });
  });
  afterEach(() => world?.close());

  const fail = (method: string, mode: 'drop' | 'hang-up', path: string): void => {
    world.sandbox.faults.add({ vendor: 'hetzner', method, path, mode });
  };
  /** Until the only worker’s hour ends, and its deletion with it. */
  const hourEnds = async (until: () => boolean): Promise<boolean> => {
    world.addJobs('ci', 1, 60);
    await world.pass(300, () => world.sandbox.verdict().done === 1);
    fail('DELETE', 'drop', '/v1/servers/*');
    await world.rest(Math.min(...world.ages('ci').map((age) => 3600 - 90 - age)));
    return world.pass(100, until);
  };
  const gone = (): boolean => world.fleet('ci').alive === 0;
  const failed = (): boolean =>
    world.events.some(({ event, outcome }) => event === 'update-finished' && outcome === 'failed');

  it('deletes with the next round what could not be deleted', async () => {
    assert.ok(await hourEnds(gone));
    assert.ok(failed());
    await world.pass(60);
    assert.deepEqual(world.sandbox.verdict().devices, []);
    assert.deepEqual(world.environment.record().membership['ci']!.members, []);
  });

  it('deletes it also when another process takes over in between', async () => {
    assert.ok(await hourEnds(failed));
    await world.stopService();
    assert.deepEqual(world.servers(), ['sandbox-ci-0001']);
    await world.startService();
    assert.ok(await world.pass(600, gone));
  });

  it('takes in a server that was made although the answer says otherwise', async () => {
    fail('POST', 'hang-up', '/v1/servers');
    world.addJobs('ci', 1, 60);
    assert.ok(await world.pass(400, () => world.sandbox.verdict().done === 1));
    assert.ok(failed());
    assert.equal(world.fleet('ci').servers, 1);
    assert.deepEqual(
      world.environment.record().membership['ci']!.members.map(({ id }) => id),
      ['ci-0001'],
    );
  });
});
