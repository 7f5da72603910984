import assert from 'node:assert/strict';
import { withoutStackTraces } from '../../components/stack-traces';

describe('without stack traces', () => {
  it('a trace read meanwhile is empty, as the SDK reads it', () => {
    assert.equal(
      withoutStackTraces(() => new Error('position').stack),
      '',
    );
  });

  it('an error thrown meanwhile tells where, and traces are back', () => {
    const failing = (): never => {
      throw new Error('a mistake');
    };
    assert.throws(
      () => withoutStackTraces(failing),
      (error: Error) => /a mistake\n +at failing /.test(error.stack ?? ''),
    );
    assert.match(new Error('later').stack ?? '', /later\n +at /);
  });
});
