import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

import { bareEnvironment, repository, runProgram, script, temporaryFolder, type Outcome } from './support';

const setup = join(repository, 'toolchain/setup.mjs');
/** As long as setup.mjs takes two interrupts for the same one, with room. */
const settled = 1_500;

describe('toolchain: setting up and running a command', function () {
  // Every test starts processes.
  this.timeout(60_000);
  let folder: ReturnType<typeof temporaryFolder>;
  let env: NodeJS.ProcessEnv;

  beforeEach(() => {
    folder = temporaryFolder();
    const installed = join(folder.path, 'installed');
    script(installed, 'pulumi', 'echo v3.259.0');
    env = bareEnvironment(join(folder.path, 'cache'), installed);
  });
  afterEach(() => folder.remove());

  const run = (...args: string[]): Promise<Outcome> =>
    runProgram(process.execPath, [setup, ...args], { env });

  it("gives the command node_modules/.bin and the engine, and returns the command's exit code", async () => {
    const outcome = await run('--', 'sh', '-c', 'command -v tsx; command -v pulumi; exit 3');
    assert.deepEqual(outcome, {
      code: 3,
      stdout: `${join(repository, 'node_modules/.bin/tsx')}\n${join(folder.path, 'installed/pulumi')}\n`,
      stderr: '',
    });
  });

  for (const args of [[], ['--'], ['--test', '--', 'true'], ['true']]) {
    it(`shows its usage for: ${args.join(' ') || 'nothing'}`, async () => {
      const outcome = await run(...args);
      assert.equal(outcome.code, 1);
      assert.match(outcome.stderr, /Usage: node toolchain\/setup\.mjs/);
    });
  }

  for (const { name, interrupt } of [
    { name: 'Ctrl-C, which reaches the whole group', interrupt: [-1] },
    { name: 'Ctrl-C that npm passes on once more', interrupt: [-1, 1] },
    { name: 'an interrupt for setup alone', interrupt: [1] },
  ]) {
    it(`lets the command see one interrupt for ${name}`, async function () {
      this.timeout(30_000);
      const child = spawn(process.execPath, [setup, '--', 'node', join(__dirname, 'setup-child.mjs')], {
        env,
        detached: true,
        stdio: ['ignore', 'pipe', 'inherit'],
      });
      let stdout = '';
      child.stdout.on('data', (text: Buffer) => (stdout += text.toString()));
      while (!stdout.includes('ready')) await sleep(20);
      for (const sign of interrupt) process.kill(sign * child.pid!, 'SIGINT');
      await sleep(settled);
      child.kill('SIGTERM');
      const code = await new Promise((resolve) => child.once('close', resolve));
      assert.equal(stdout, 'ready\ninterrupts: 1\n');
      assert.equal(code, 7);
    });
  }
});

describe('toolchain: npm dependencies', function () {
  // Every test starts processes.
  this.timeout(60_000);
  let folder: ReturnType<typeof temporaryFolder>;
  let project: string;
  let env: NodeJS.ProcessEnv;

  const lock = (version: string): string =>
    JSON.stringify({
      packages: {
        '': {},
        'node_modules/a': { version },
        'node_modules/b': { version: '1.0.0', optional: true },
      },
    });

  beforeEach(() => {
    folder = temporaryFolder();
    project = join(folder.path, 'project');
    const tools = join(folder.path, 'tools');
    mkdirSync(project);
    writeFileSync(join(project, 'package-lock.json'), lock('1.0.0'));
    script(
      tools,
      'npm',
      `sleep 0.3; echo "$*" >> "${project}/runs"; rm -rf node_modules; mkdir node_modules`,
    );
    env = bareEnvironment(join(folder.path, 'cache'), tools);
  });
  afterEach(() => folder.remove());

  const install = async (): Promise<Outcome> => {
    const outcome = await runProgram(process.execPath, [join(__dirname, 'install-once.mjs'), project], {
      env,
    });
    assert.equal(outcome.code, 0, outcome.stderr);
    return outcome;
  };
  const runs = (): number =>
    existsSync(join(project, 'runs'))
      ? readFileSync(join(project, 'runs'), 'utf8').trim().split('\n').length
      : 0;

  it('are installed once, and again when the lock file changes', async () => {
    await install();
    await install();
    assert.equal(runs(), 1);
    writeFileSync(join(project, 'package-lock.json'), lock('2.0.0'));
    await install();
    assert.equal(runs(), 2);
  });

  it('are installed by one of two processes', async () => {
    await Promise.all([install(), install()]);
    assert.equal(runs(), 1);
  });

  for (const { name, installed, expected } of [
    {
      name: 'left alone when npm recorded the same packages',
      installed: { 'node_modules/a': { version: '1.0.0' } },
      expected: 0,
    },
    {
      name: 'installed over another version',
      installed: { 'node_modules/a': { version: '0.9.0' } },
      expected: 1,
    },
    { name: 'installed when one is missing', installed: {}, expected: 1 },
    {
      name: 'installed when there is one too many',
      installed: { 'node_modules/a': { version: '1.0.0' }, 'node_modules/c': { version: '1.0.0' } },
      expected: 1,
    },
  ]) {
    it(`are ${name}`, async () => {
      mkdirSync(join(project, 'node_modules'));
      writeFileSync(
        join(project, 'node_modules/.package-lock.json'),
        JSON.stringify({ packages: installed }),
      );
      await install();
      assert.equal(runs(), expected);
    });
  }

  it('that cannot be installed end in a clear message', async () => {
    script(join(folder.path, 'tools'), 'npm', 'echo "npm error network" >&2; exit 1');
    const outcome = await runProgram(process.execPath, [join(__dirname, 'install-once.mjs'), project], {
      env,
    });
    assert.equal(outcome.code, 1);
    assert.match(outcome.stderr, /npm ci failed in .*project:\nnpm error network/);
  });
});
