import assert from 'node:assert/strict';
import { jobPool, World } from './world';

describe('an edit of the stack’s file while the service runs', function () {
  this.timeout(180_000);
  let world: World;
  before(async () => {
    world = await World.running({ ci: jobPool });
  });
  after(() => world?.close());

  it('reaches the listeners too, with the next round', async () => {
    world.edit({
      ci: { size: { min: 0, max: 2 } },
      late: { ...jobPool, size: { fixed: 0 }, queue: undefined },
    });
    await world.round();
    const { stacks } = (await world.ask('/v1/stacks')) as { stacks: { pools: string[] }[] };
    assert.deepEqual(stacks[0]?.pools, ['ci', 'late']);
    const [path, body] = ['/v1/stacks/sandbox/pools/ci/scale', { by: 'somebody', size: 3, forSeconds: 600 }];
    const { error } = (await world.ask(path, body)) as { error: { reason: string } };
    assert.equal(error.reason, 'out-of-bounds');
  });
});
