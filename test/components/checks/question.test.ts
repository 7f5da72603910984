import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';

const QUESTION = join(__dirname, '../../../components/checks/question');

describe('a check’s script', () => {
  for (const { what, main, code, said } of [
    { what: 'succeeds when its function has ended', main: 'async () => undefined', code: 0, said: '' },
    {
      what: 'fails with one line of what its function says',
      main: 'async () => { throw new Error("no such machine") }',
      code: 1,
      said: 'no such machine\n',
    },
    {
      what: 'fails when its function never ends',
      main: '() => new Promise(() => undefined)',
      code: 1,
      said: '',
    },
  ])
    it(what, () => {
      const script = `require(${JSON.stringify(QUESTION)}).run(${main})`;
      const { status, stderr } = spawnSync(process.execPath, ['--require', 'tsx/cjs', '--eval', script], {
        encoding: 'utf8',
      });
      assert.deepEqual({ status, stderr }, { status: code, stderr: said });
    });
});
