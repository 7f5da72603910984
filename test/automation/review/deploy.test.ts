import assert from 'node:assert/strict';
import { CommandError, ConcurrentUpdateError } from '@pulumi/pulumi/automation';
import fc from 'fast-check';
import { holderOf, whileBusy } from '../../../automation/review/deploy';

const busy = new ConcurrentUpdateError({
  code: -2,
  stdout: '',
  stderr: 'the stack is currently locked by 1 lock(s)',
} as unknown as ConstructorParameters<typeof ConcurrentUpdateError>[0]);

/** Tries against a stack that is held for some milliseconds; tells the pauses. */
async function tries(held: number, patience: number, random = () => 0.5) {
  let now = 0;
  const pauses: number[] = [];
  const outcome = await whileBusy(
    { patience, progress: () => undefined },
    async () => {
      if (now < held) throw busy;
      return 'done';
    },
    {
      now: () => now,
      pause: async (ms) => {
        pauses.push(ms);
        now += ms;
      },
      random,
    },
  ).catch((error: unknown) => error);
  return { outcome, pauses, now };
}

describe('A deployment', () => {
  it('does not wait for a free stack', async () => {
    assert.deepEqual(await tries(0, 60_000), { outcome: 'done', pauses: [], now: 0 });
  });

  it('waits for a held lock, longer each time', async () => {
    const { outcome, pauses } = await tries(30_000, 600_000);
    assert.equal(outcome, 'done');
    assert.deepEqual(pauses, [1_500, 3_000, 6_000, 12_000, 15_000]);
  });

  it('gives up exactly when its patience ends, and says who was in the way', async () => {
    const { outcome, now } = await tries(Infinity, 60_000);
    assert.equal(outcome, busy);
    assert.equal(now, 60_000);
  });

  it('says who holds the stack, where the backend tells', () => {
    assert.equal(holderOf(busy), 'another update');
    const locked = new Error('…/locks/a.json: created by anna@desk (pid 4711) at 2026-11-21T15:04:05Z\n');
    assert.equal(holderOf(locked), 'the update of anna@desk (pid 4711) at 2026-11-21T15:04:05Z');
  });

  it('does not try a failed update again', async () => {
    const failure = new CommandError({ code: -2 } as unknown as ConstructorParameters<
      typeof CommandError
    >[0]);
    let attempts = 0;
    const run = whileBusy({ patience: 60_000, progress: () => undefined }, async () => {
      attempts++;
      throw failure;
    });
    await assert.rejects(run, (error) => error === failure);
    assert.equal(attempts, 1);
  });

  it('never sleeps past its patience, whatever chance says', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.nat(100_000),
        fc.nat(100_000),
        fc.double({ min: 0, max: 0.999, noNaN: true }),
        async (held, patience, chance) => {
          const { outcome, now } = await tries(held, patience, () => chance);
          assert.ok(now <= Math.max(patience, 0) || outcome === 'done');
          assert.equal(outcome === 'done', held <= patience);
        },
      ),
    );
  });
});
