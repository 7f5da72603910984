import assert from 'node:assert/strict';
import { withoutLeftListeners } from '../../../automation/apply/process-listeners';

describe('what an update leaves that listens for errors of this process', () => {
  const listeners = (): unknown[] => [
    ...process.rawListeners('uncaughtException'),
    ...process.rawListeners('unhandledRejection'),
  ];
  /** As the SDK does when the engine dies. */
  const dying = async (): Promise<never> => {
    process.on('uncaughtException', () => undefined);
    process.on('unhandledRejection', () => undefined);
    throw new Error('the engine died');
  };
  const quiet = async (): Promise<number> => 7;
  let before: unknown[];
  beforeEach(() => {
    before = listeners();
  });

  it('stays until the next one begins', async () => {
    await assert.rejects(withoutLeftListeners(dying), { message: 'the engine died' });
    assert.equal(listeners().length, before.length + 2);
    assert.equal(await withoutLeftListeners(quiet), 7);
    assert.deepEqual(listeners(), before);
  });

  it('stays while one of another stack runs, whose it may be', async () => {
    let end: () => void = () => undefined;
    const other = withoutLeftListeners(() => new Promise<void>((resolve) => (end = resolve)));
    await assert.rejects(withoutLeftListeners(dying));
    await withoutLeftListeners(quiet);
    assert.equal(listeners().length, before.length + 2);
    end();
    await other;
    await withoutLeftListeners(quiet);
    assert.deepEqual(listeners(), before);
  });
});
