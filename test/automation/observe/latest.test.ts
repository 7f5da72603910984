import assert from 'node:assert/strict';
import { Latest } from '../../../automation/observe/latest';

describe('the latest answer of somebody who may fail', () => {
  it('is the last good one, with the failure since beside it', async () => {
    const latest = new Latest<number>();
    await latest.ask(async () => 1, 10);
    await latest.ask(() => Promise.reject(new Error('down')), 20);
    await latest.ask(() => Promise.reject(new Error('still down')), 30);
    assert.equal(latest.value, 1);
    assert.equal((latest.error as Error).message, 'still down');
    assert.equal(latest.failingSince, 20);
    await latest.ask(async () => 2, 40);
    assert.deepEqual([latest.value, latest.error, latest.failingSince], [2, undefined, undefined]);
  });

  it('is there for the next round when it comes late, and is asked for once', async () => {
    const latest = new Latest<number>();
    let answer: (value: number) => void = () => undefined;
    let asked = 0;
    const slow = (): Promise<number> => {
      asked += 1;
      return new Promise((resolve) => (answer = resolve));
    };
    // The first does not come in time; the second question is not put, since the first still stands.
    const rounds = Promise.all([latest.ask(slow, 10, 1), latest.ask(slow, 20, 1)]);
    await rounds;
    assert.equal(latest.value, undefined);
    assert.equal(asked, 1);
    answer(7);
    await latest.ask(slow, 30, 1);
    assert.equal(latest.value, 7);
  });
});
