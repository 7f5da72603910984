import assert from 'node:assert/strict';
import { settling } from '../../../automation/http/settling';
import { NOW } from './status';

const quiet = {
  debug: () => undefined,
  info: () => undefined,
  warn: () => undefined,
  error: () => undefined,
};

describe('settling of slots', () => {
  it('is done once for all that came free while it ran, for each environment', async () => {
    const settled: string[] = [];
    const ends: (() => void)[] = [];
    const settle = settling(
      {
        settle: (environment) => {
          settled.push(environment);
          return new Promise((resolve) => ends.push(() => resolve([])));
        },
      },
      () => NOW,
      quiet,
    );
    for (let times = 0; times < 5; times += 1) settle('staging');
    settle('production');
    assert.deepEqual(settled, ['staging', 'production']);
    ends.splice(0).forEach((end) => end());
    await new Promise(setImmediate);
    assert.deepEqual(settled, ['staging', 'production', 'staging']);
    ends.splice(0).forEach((end) => end());
    await new Promise(setImmediate);
    settle('staging');
    assert.deepEqual(settled, ['staging', 'production', 'staging', 'staging']);
  });

  it('that failed is told, and the next one is done', async () => {
    const told: string[] = [];
    let calls = 0;
    const settle = settling(
      {
        settle: async () => {
          calls += 1;
          throw new Error('no connection');
        },
      },
      () => NOW,
      { ...quiet, warn: (event) => void told.push(event) },
    );
    settle('staging');
    await new Promise(setImmediate);
    settle('staging');
    await new Promise(setImmediate);
    assert.deepEqual([calls, told], [2, ['slots-not-settled', 'slots-not-settled']]);
  });
});
