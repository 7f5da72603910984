import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createCensor } from '../../../automation/censor';
import { previewStack } from '../../../automation/review/preview';

describe('A preview', () => {
  let folder: string;
  beforeEach(() => (folder = mkdtempSync(join(tmpdir(), 'worker-pools-checkout-'))));
  afterEach(() => rmSync(folder, { recursive: true }));

  const faults = async (stack: string): Promise<string[]> =>
    (
      await previewStack({
        stack,
        directory: folder,
        policyPack: false,
        refresh: false,
        environment: {},
        censor: createCensor(),
        progress: () => undefined,
      })
    ).faults;

  it('outside of a checkout says that it is none', async () => {
    assert.deepEqual(await faults('staging'), [`Pulumi.yaml: is not in ${folder}; run this in the checkout`]);
  });

  it('of a stack without a file names those that have one', async () => {
    for (const file of ['Pulumi.yaml', 'Pulumi.staging.yaml']) writeFileSync(join(folder, file), '');
    assert.deepEqual(await faults('stagin'), [
      `--stack: ${folder} has no stack "stagin": no file Pulumi.stagin.yaml. Did you mean "staging"? There are: staging.`,
    ]);
  });
});
