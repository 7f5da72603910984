import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, readdirSync, writeFileSync } from 'node:fs';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

import { z } from 'zod';

import { bareEnvironment, runProgram, script, temporaryFolder, type Outcome } from './support';

const nowhere = 'http://127.0.0.1:1';
const result = z.object({ source: z.enum(['path', 'download', 'build']), binDir: z.string() });

/** A `go` that counts its builds and writes scripts for programs. `build` comes before that of every program. */
function fakeGo(folder: string, build = ''): void {
  script(
    folder,
    'go',
    `case "$1" in
env) echo go1.99.0;;
list) ;;
build) ${build}
  while [ "$1" != -o ]; do shift; done
  echo "$2" >> "${folder}/builds"
  printf '#!/bin/sh\\necho v3.259.0\\n' > "$2"; chmod +x "$2";;
esac`,
  );
}

function builds(folder: string): number {
  const file = join(folder, 'builds');
  return existsSync(file) ? readFileSync(file, 'utf8').trim().split('\n').length : 0;
}

async function ensure(env: NodeJS.ProcessEnv): Promise<Outcome> {
  return runProgram(process.execPath, [join(__dirname, 'ensure-once.mjs'), nowhere], { env });
}

function resultOf(outcome: Outcome): z.infer<typeof result> {
  assert.equal(outcome.code, 0, outcome.stderr);
  return result.parse(JSON.parse(outcome.stdout));
}

describe('toolchain: getting the engine', function () {
  // Every test starts processes.
  this.timeout(60_000);
  let folder: ReturnType<typeof temporaryFolder>;
  let cache: string;
  let tools: string;

  beforeEach(() => {
    folder = temporaryFolder();
    cache = join(folder.path, 'cache');
    tools = join(folder.path, 'tools');
  });
  afterEach(() => folder.remove());

  for (const { name, tool, says } of [
    { name: 'Go is missing', tool: undefined, says: /Go is missing/ },
    {
      name: 'Go is too old',
      tool: 'echo "go: go.mod requires go >= 1.25.11" >&2; exit 1',
      says: /too old:\n.*1\.25\.11/,
    },
  ]) {
    it(`names both ways out and fails when ${name}`, async () => {
      if (tool !== undefined) script(tools, 'go', tool);
      const outcome = await ensure(bareEnvironment(cache, tools));
      assert.equal(outcome.code, 1);
      assert.match(outcome.stderr, says);
      assert.match(outcome.stderr, /install the Pulumi CLI, 3\.200\.0 or newer/);
      assert.match(outcome.stderr, /install Go, 1\.25\.11 or newer/);
      assert.doesNotMatch(outcome.stderr, /at .*\.mjs:/, 'no stack for a fault of the set-up');
      assert.equal(outcome.stdout, '');
    });
  }

  it('builds every program once, and takes them from the cache afterwards', async () => {
    fakeGo(tools);
    const env = bareEnvironment(cache, tools);
    const first = resultOf(await ensure(env));
    assert.equal(first.source, 'build');
    assert.deepEqual(readdirSync(first.binDir).sort(), [
      'language-host-nodejs',
      'pulumi',
      'pulumi-language-nodejs',
      'pulumi-resource-cloudflare',
      'pulumi-resource-command',
      'pulumi-resource-hcloud',
      'pulumi-resource-tailscale',
    ]);
    const built = builds(tools);
    assert.equal(built, 7);
    const second = await ensure(env);
    assert.deepEqual(resultOf(second), first);
    assert.equal(second.stderr, '');
    assert.equal(builds(tools), built);
  });

  it('builds anew for another Go', async () => {
    fakeGo(tools);
    const env = bareEnvironment(cache, tools);
    const first = resultOf(await ensure(env));
    const go = join(tools, 'go');
    writeFileSync(go, readFileSync(go, 'utf8').replace('go1.99.0', 'go1.99.1'));
    assert.notEqual(resultOf(await ensure(env)).binDir, first.binDir);
    assert.equal(builds(tools), 14);
  });

  it('keeps what was built before a failure, and nothing of what failed', async () => {
    fakeGo(
      tools,
      'case "$*" in *hcloud*) echo "half" > "${8:-/dev/null}"; echo "no space left" >&2; exit 1;; esac',
    );
    const failed = await ensure(bareEnvironment(cache, tools));
    assert.equal(failed.code, 1);
    assert.match(failed.stderr, /Building the Hetzner Cloud plugin failed[^]*no space left/);
    assert.deepEqual(readdirSync(join(cache, 'unfinished')), []);
    assert.equal(readdirSync(join(cache, 'parts')).length, 4);
    assert.equal(existsSync(join(cache, 'lock')), false);

    fakeGo(tools);
    assert.equal(resultOf(await ensure(bareEnvironment(cache, tools))).source, 'build');
    assert.equal(builds(tools), 7);
  });

  it('does not try again when the checksum of a module is wrong', async () => {
    script(
      tools,
      'go',
      '[ "$1" = env ] && echo go1.99.0 && exit; echo "verifying m: checksum mismatch" >&2; exit 1',
    );
    const outcome = await ensure(bareEnvironment(cache, tools));
    assert.equal(outcome.code, 1);
    assert.match(outcome.stderr, /checksum mismatch/);
    assert.doesNotMatch(outcome.stderr, /trying again/);
  });

  it('lets a second process wait for the first instead of building too', async () => {
    fakeGo(tools, 'sleep 0.3');
    const env = bareEnvironment(cache, tools);
    const [one, two] = await Promise.all([ensure(env), ensure(env)]);
    assert.deepEqual(resultOf(one), resultOf(two));
    assert.equal(builds(tools), 7);
    assert.match(one.stderr + two.stderr, /Waiting for process \d+/);
  });

  it('takes over the lock of a process that is gone', async () => {
    fakeGo(tools);
    const gone = spawn('true');
    await new Promise((resolve) => gone.once('close', resolve));
    mkdirSync(cache, { recursive: true });
    writeFileSync(join(cache, 'lock'), JSON.stringify({ pid: gone.pid, host: hostname() }));
    assert.equal(resultOf(await ensure(bareEnvironment(cache, tools))).source, 'build');
    assert.equal(existsSync(join(cache, 'lock')), false);
  });

  it('leaves nothing half done when it is interrupted', async () => {
    fakeGo(tools, `echo "$$" > "${folder.path}/building"; exec sleep 60`);
    const child = spawn(process.execPath, [join(__dirname, 'ensure-once.mjs'), nowhere], {
      env: bareEnvironment(cache, tools),
      stdio: 'ignore',
    });
    while (!existsSync(join(folder.path, 'building'))) await sleep(20);
    child.kill('SIGINT');
    const code = await new Promise((resolve) => child.once('close', resolve));
    assert.equal(code, 130);
    assert.deepEqual(readdirSync(join(cache, 'unfinished')), []);
    assert.equal(existsSync(join(cache, 'lock')), false);
    assert.equal(existsSync(join(cache, 'parts')), false);
    const compiler = Number(readFileSync(join(folder.path, 'building'), 'utf8'));
    assert.throws(() => process.kill(compiler, 0), 'the compiler is still running');
  });

  for (const { version, source } of [
    { version: 'v3.199.0', source: 'build' },
    { version: 'v3.200.0', source: 'path' },
    { version: 'v3.259.0', source: 'path' },
    { version: 'v4.0.0-alpha.1', source: 'path' },
    { version: 'no version', source: 'build' },
  ]) {
    it(`with ${version} on PATH the engine comes from: ${source}`, async () => {
      fakeGo(tools);
      const installed = join(folder.path, 'installed');
      script(installed, 'pulumi', `echo ${version}`);
      const got = resultOf(await ensure(bareEnvironment(cache, tools, installed)));
      assert.equal(got.source, source);
      if (source === 'path') assert.equal(got.binDir, installed);
    });
  }

  it('knows its own engine when that is on PATH', async () => {
    fakeGo(tools);
    const first = resultOf(await ensure(bareEnvironment(cache, tools)));
    assert.deepEqual(resultOf(await ensure(bareEnvironment(cache, first.binDir, tools))), first);
  });
});
