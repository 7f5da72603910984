import assert from 'node:assert/strict';
import fc from 'fast-check';
import { tellStory } from '../../demo/story';
import { createRandom } from '../../sandbox/kernel/random';

describe("the demo's story", () => {
  it('has as many jobs as asked for, in order, of 20 s to 10 min', () => {
    fc.assert(
      fc.property(fc.nat(1000), fc.nat(), (count, seed) => {
        const random = createRandom(seed);
        const jobs = tellStory(count, () => random.next());
        assert.equal(jobs.length, count);
        assert.deepEqual(
          jobs,
          jobs.toSorted((a, b) => a.at - b.at),
        );
        for (const { seconds } of jobs) assert.ok(seconds >= 20 && seconds <= 600, `${seconds} s`);
      }),
    );
  });

  it('has three bursts', () => {
    const random = createRandom(7);
    const minutes = new Set(tellStory(300, () => random.next()).map(({ at }) => Math.floor(at / 60)));
    assert.deepEqual([...minutes], [1, 2, 10, 11, 19, 20, 21]);
  });

  it('is the same for the same seed', () => {
    const [one, other] = [createRandom(3), createRandom(3)];
    assert.deepEqual(
      tellStory(50, () => one.next()),
      tellStory(50, () => other.next()),
    );
  });
});
