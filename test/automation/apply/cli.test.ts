import assert from 'node:assert/strict';
import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { startOf } from '../../../automation/apply/lock';

const CLI = join(__dirname, '..', '..', '..', 'automation', 'apply', 'cli.ts');

describe('The command line of the engine', function () {
  this.timeout(30_000);
  let folder: string;
  before(() => {
    folder = mkdtempSync(join(tmpdir(), 'worker-pools-cli-'));
    const stand = '#!/bin/sh\n[ "$1" = version ] && echo v3.259.0 && exit\necho $$ "$@" > "$FOLDER/ran"\n';
    writeFileSync(join(folder, 'pulumi'), stand, { mode: 0o755 });
  });
  after(() => rmSync(folder, { recursive: true, force: true }));

  /** A process that runs `pulumi up` with what it does when that is started. */
  const program = (started: string): string[] => [
    ...['--require', 'tsx/cjs', '--eval'],
    `const { Cli } = require(${JSON.stringify(CLI)});
     Cli.find(process.env, (pid) => { ${started} })
       .then((cli) => cli.run(['up'], ${JSON.stringify(folder)}, {}));`,
  ];
  const env = (): NodeJS.ProcessEnv => ({
    ...process.env,
    FOLDER: folder,
    PATH: `${folder}:${process.env['PATH']}`,
  });

  it('is the very process that was noted', () => {
    const noted = execFileSync(process.execPath, program('console.log(pid)'), { env: env() })
      .toString()
      .trim();
    assert.equal(readFileSync(join(folder, 'ran'), 'utf8'), `${noted} up --non-interactive\n`);
    rmSync(join(folder, 'ran'));
  });

  it('does nothing for a process that was killed before it could note whose it is', async () => {
    const child = spawn(
      process.execPath,
      program("console.log(pid); process.kill(process.pid, 'SIGKILL');"),
      {
        env: env(),
        stdio: ['ignore', 'pipe', 'inherit'],
      },
    );
    let noted = '';
    child.stdout.on('data', (text: Buffer) => (noted += text.toString()));
    await once(child, 'close');
    while (startOf(Number(noted)) !== undefined) await sleep(10);
    assert.ok(!existsSync(join(folder, 'ran')));
  });
});
