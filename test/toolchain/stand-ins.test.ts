import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';

import { repository, runProgram } from './support';

const go = spawnSync('go', ['version'], { stdio: 'ignore' }).status === 0;

describe('toolchain: the stand-in plugins', () => {
  // Without Go they are never built, so there is nothing to test.
  if (!go) return;

  it('pass their own tests', async function () {
    this.timeout(10 * 60_000);
    const { code, stdout, stderr } = await runProgram('go', ['test', './...'], {
      cwd: join(repository, 'toolchain/stand-ins'),
      env: { ...process.env, GOFLAGS: '-mod=readonly -buildvcs=false', GOWORK: 'off' },
    });
    assert.equal(code, 0, stdout + stderr);
  });
});
