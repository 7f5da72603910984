import assert from 'node:assert/strict';
import { setImmediate } from 'node:timers/promises';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { ComponentResource } from '@pulumi/pulumi';
import { EngineStack } from '../../../automation/apply/engine-stack';
import { createCensor } from '../../../automation/censor';
import { Environment } from '../../engine/harness';
import { servicePlace } from './service-place';

describe('what stays in memory of an update that has ended', function () {
  this.timeout(60_000);
  let environment: Environment;
  let stack: EngineStack;
  before(async () => {
    environment = await Environment.start();
    environment.configure({});
    const place = await servicePlace(environment);
    stack = await EngineStack.open({ ...place, censor: createCensor(), lockerStarted: () => undefined });
  });
  after(() => environment?.close());

  it('is none of its resources', async () => {
    const made: WeakRef<ComponentResource>[] = [];
    const program = async (): Promise<void> => {
      made.push(new WeakRef(new ComponentResource('test:index:Part', 'part')));
    };
    for (let times = 0; times < 3; times += 1) await stack.up(program, () => undefined);
    await collectGarbage();
    // Node's resolver of names is made in the first and lives as long as the process; the SDK keeps the last until the next.
    const [, second] = made;
    assert.ok(second);
    assert.equal(
      second.deref() === undefined,
      true,
      'a resource of the update before the last is still held',
    );
  });
});

/** A few times, since what finalizers let go of is only there to be collected afterwards. */
async function collectGarbage(): Promise<void> {
  setFlagsFromString('--expose-gc');
  const gc = runInNewContext('gc') as () => void;
  for (let times = 0; times < 5; times += 1) {
    await setImmediate();
    gc();
  }
}
