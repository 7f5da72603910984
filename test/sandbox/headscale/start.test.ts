import assert from 'node:assert/strict';
import { startSandbox } from '../../../sandbox/sandbox';

describe('A sandbox with a real tailnet', () => {
  for (const clock of [{ kind: 'stepped' }, { kind: 'real', rate: 60 }] as const)
    it(`does not start with a clock that is ${JSON.stringify(clock)}`, async () => {
      await assert.rejects(startSandbox({ tailnetKind: 'headscale', clock }), /real clock at rate 1/);
    });

  it('does not start with a snapshot, which would hold no machines', async () => {
    const started = startSandbox({ tailnetKind: 'headscale' }, { snapshotFile: '/nowhere/cloud.json' });
    await assert.rejects(started, /a real tailnet cannot be kept in one/);
  });
});
