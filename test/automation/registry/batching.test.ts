import assert from 'node:assert/strict';
import { batching } from '../../../automation/registry/batching';

describe('questions that wait for the same lock', () => {
  let sent: number[][];
  let answer: (() => void)[];
  const ask = () =>
    batching<number, string>(async (items) => {
      sent.push([...items]);
      await new Promise<void>((resolve) => answer.push(resolve));
      return items.map((item) => {
        if (item < 0) throw new Error(`${item} is below nothing`);
        return `answer to ${item}`;
      });
    });
  const answerAll = async (): Promise<void> => {
    for (const resolve of answer.splice(0)) resolve();
    await new Promise(setImmediate);
  };
  beforeEach(() => {
    sent = [];
    answer = [];
  });

  it('go together when they come while another is under way, each to its own answer', async () => {
    const question = ask();
    const answers = [1, 2, 3].map((item) => question(item));
    assert.deepEqual(sent, [[1]]);
    await answerAll();
    assert.deepEqual(sent, [[1], [2, 3]]);
    await answerAll();
    assert.deepEqual(await Promise.all(answers), ['answer to 1', 'answer to 2', 'answer to 3']);
  });

  it('go at once when none is under way', async () => {
    const question = ask();
    const first = question(1);
    await answerAll();
    await first;
    const second = question(2);
    assert.deepEqual(sent, [[1], [2]]);
    await answerAll();
    assert.equal(await second, 'answer to 2');
  });

  it('fail with those they went with, and not with those before or after', async () => {
    const question = ask();
    const asked = Promise.allSettled([1, 2, -3].map((item) => question(item)));
    await answerAll();
    await answerAll();
    assert.deepEqual(
      (await asked).map(({ status }) => status),
      ['fulfilled', 'rejected', 'rejected'],
    );
    const next = question(4);
    await answerAll();
    assert.equal(await next, 'answer to 4');
  });

  it('fail when the answers are not as many', async () => {
    const question = batching<number, string>(async () => []);
    await assert.rejects(question(1), { message: '0 answers came for 1 questions' });
  });

  it('go a hundred at a time at most', async () => {
    const question = ask();
    const answers = Array.from({ length: 202 }, (_, item) => question(item));
    for (let times = 0; times < 4; times += 1) await answerAll();
    assert.deepEqual(
      sent.map(({ length }) => length),
      [1, 100, 100, 1],
    );
    await Promise.all(answers);
  });
});
