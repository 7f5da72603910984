import assert from 'node:assert/strict';
import fc from 'fast-check';
import { claimAddresses, type ClaimedAddresses } from '../../../sandbox/kernel/addresses';

describe('the addresses of a sandbox', () => {
  const claimed: ClaimedAddresses[] = [];
  afterEach(async () => {
    for (const pool of claimed.splice(0)) await pool.close();
  });
  const claim = async (drawBlock?: () => string): Promise<ClaimedAddresses> => {
    const pool = await claimAddresses(drawBlock);
    claimed.push(pool);
    return pool;
  };
  const blocks = (...list: string[]) => {
    let next = 0;
    return () => list[Math.min(next++, list.length - 1)] ?? '';
  };

  it('lie in a block that no other sandbox gets', async () => {
    const first = await claim(blocks('127.254.16.0'));
    const second = await claim(blocks('127.254.16.0', '127.254.32.0'));
    assert.deepEqual([first.block, second.block], ['127.254.16.0', '127.254.32.0']);
    await assert.rejects(claim(blocks('127.254.16.0')), /no free block/);
    await first.close();
    assert.equal((await claim(blocks('127.254.16.0'))).block, '127.254.16.0');
  });

  it('are never handed out twice at a time, and go round before one comes back', async () => {
    const pool = await claim();
    fc.assert(
      fc.property(fc.array(fc.option(fc.nat(20)), { maxLength: 60 }), (steps) => {
        pool.reset();
        const held: string[] = [];
        let released: string | undefined;
        for (const step of steps) {
          if (step === null || held.length === 0) {
            const address = pool.take();
            assert.match(address, /^127\.\d+\.\d+\.\d+$/);
            assert.ok(!held.includes(address));
            assert.notEqual(address, released);
            held.push(address);
          } else {
            [released] = held.splice(step % held.length, 1);
            pool.release(released ?? '');
          }
        }
      }),
    );
  });

  it('run out with a clear error', async () => {
    const pool = await claim();
    const all = new Set<string>();
    assert.throws(() => {
      for (;;) all.add(pool.take());
    }, /all addresses of 127\.\d+\.\d+\.0\/20 are in use/);
    assert.equal(all.size, 16 * 254 - 1);
  });

  it('move to the snapshot’s block, unless another sandbox has it', async () => {
    const first = await claim();
    const address = first.take();
    const second = await claim();
    const snapshot = first.snapshot();
    await assert.rejects(second.restore(snapshot), /stop that one first/);
    await first.close();
    await second.restore(snapshot);
    assert.deepEqual(second.snapshot(), snapshot);
    assert.notEqual(second.take(), address);
  });
});
