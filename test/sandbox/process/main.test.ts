import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { call } from '../control/support';

const root = resolve(__dirname, '../../..');

interface Endpoints {
  hetzner: { url: string; token: string };
  tailscale: { url: string; oauthClientId: string; oauthClientSecret: string };
  cloudflare: { url: string; token: string; zone: string };
  control: { url: string };
}

/** One run of the program; `output` and `errors` grow as it prints. */
class Run {
  output = '';
  errors = '';
  readonly child: ChildProcess;
  readonly exit: Promise<[number | null, NodeJS.Signals | null]>;

  constructor(command: string, args: string[]) {
    this.child = spawn(command, args, { cwd: root, stdio: ['ignore', 'pipe', 'pipe'] });
    this.child.stdout?.on('data', (data: Buffer) => (this.output += data.toString()));
    this.child.stderr?.on('data', (data: Buffer) => (this.errors += data.toString()));
    this.exit = once(this.child, 'exit') as Promise<[number | null, NodeJS.Signals | null]>;
  }

  /** Waits for the line of JSON. */
  async endpoints(): Promise<Endpoints> {
    for (;;) {
      const line = /^\{.*\}$/m.exec(this.output)?.[0];
      if (line !== undefined) return JSON.parse(line) as Endpoints;
      assert.equal(this.child.exitCode, null, this.errors);
      await delay(20);
    }
  }
}

/** Resolves when nothing answers any more. */
async function gone(url: string): Promise<void> {
  for (;;) {
    try {
      await fetch(url);
    } catch {
      return;
    }
    await delay(50);
  }
}

describe('the sandbox program', function () {
  this.timeout(60_000);
  const runs: Run[] = [];
  const direct = (...args: string[]): Run =>
    start(process.execPath, ['--import', 'tsx', 'sandbox/main.ts', ...args]);
  function start(command: string, args: string[]): Run {
    const run = new Run(command, args);
    runs.push(run);
    return run;
  }
  let folder: string;
  beforeEach(async () => (folder = await mkdtemp(join(tmpdir(), 'sandbox-'))));
  afterEach(async () => {
    for (const { child } of runs.splice(0)) if (child.exitCode === null) child.kill('SIGKILL');
    await rm(folder, { recursive: true });
  });

  it('prints exactly one line on standard output, whose addresses and credentials work', async () => {
    const run = direct('--port', '0');
    const { hetzner, tailscale, cloudflare, control } = await run.endpoints();
    assert.equal(run.output.split('\n').length, 2);
    const base = control.url.replace(/\/control$/, '');
    assert.deepEqual([hetzner.url, tailscale.url, cloudflare.url], [`${base}/v1`, base, `${base}/client/v4`]);
    assert.match(base, /^http:\/\/127\.0\.0\.1:\d+$/);
    assert.equal((await call(`${hetzner.url}/servers`, { token: hetzner.token })).status, 200);
    const zones = await call(`${cloudflare.url}/zones?name=${cloudflare.zone}`, { token: cloudflare.token });
    assert.equal((zones.body as { result: unknown[] }).result.length, 1);
    run.child.kill('SIGINT');
    assert.deepEqual(await run.exit, [0, null]);
  });

  it('ends with exit code 0 on one SIGTERM', async () => {
    const run = direct('--port', '0');
    await run.endpoints();
    run.child.kill('SIGTERM');
    assert.deepEqual(await run.exit, [0, null]);
  });

  it('ends with everything that it started when npm gets one SIGTERM', async () => {
    const run = start('npm', ['run', 'sandbox', '--', '--port', '0']);
    const { control } = await run.endpoints();
    run.child.kill('SIGTERM');
    await run.exit;
    await gone(`${control.url}/clock`);
  });

  it('says in one line that its port is in use, and exits 1', async () => {
    const taken = createServer().listen(0, '127.0.0.1');
    await once(taken, 'listening');
    const { port } = taken.address() as AddressInfo;
    const run = direct('--port', String(port));
    assert.deepEqual(await run.exit, [1, null]);
    taken.close();
    assert.equal(run.output, '');
    assert.match(run.errors, new RegExp(`^sandbox: port ${port} of 127\\.0\\.0\\.1 is in use[^\n]*\n$`));
  });

  it('reads settings from a file, and the clock and seed from options', async () => {
    const file = join(folder, 'settings.yaml');
    await writeFile(file, 'hetzner:\n  projects: [staging]\nmachines: { neverReadyShare: 0.5 }\n');
    const run = direct('--port', '0', '--settings', file, '--clock', '60', '--seed', '7');
    const { control } = await run.endpoints();
    const settings = await call(`${control.url}/machines/settings`);
    assert.equal((settings.body as { neverReadyShare: number }).neverReadyShare, 0.5);
    const clock = await call(`${control.url}/clock`);
    assert.equal((clock.body as { rate: number }).rate, 60);
  });

  it('refuses settings that are wrong, with the path of each', async () => {
    const file = join(folder, 'settings.yaml');
    await writeFile(file, 'hetzner: { limits: { servers: many } }\nmachine: {}\n');
    const run = direct('--settings', file);
    assert.deepEqual(await run.exit, [1, null]);
    assert.match(run.errors, /hetzner\.limits\.servers/);
    assert.match(run.errors, /machine/);
  });

  it('says at the start when its snapshot cannot be written', async () => {
    const run = direct('--snapshot', join(folder, 'none', 'cloud.json'));
    assert.deepEqual(await run.exit, [1, null]);
    assert.match(run.errors, /^sandbox: the snapshot cannot be written: .*none/);
  });

  for (const args of [['--settings', '/nowhere.yaml'], ['--port', 'many'], ['--clock', 'slow'], ['--bogus']])
    it(`refuses ${args.join(' ')} with exit code 1`, async () => {
      const run = direct(...args);
      assert.deepEqual(await run.exit, [1, null]);
      assert.equal(run.output, '');
    });

  it('keeps its cloud over a restart with --snapshot, and saves when something changes', async () => {
    const file = join(folder, 'cloud.json');
    const first = direct('--port', '0', '--snapshot', file);
    const { hetzner } = await first.endpoints();
    const body = { name: 'group', type: 'spread' };
    await call(`${hetzner.url}/placement_groups`, { method: 'POST', token: hetzner.token, body });
    while (!(await saved(file)).includes('"group"')) await delay(50);
    first.child.kill('SIGTERM');
    await first.exit;
    const second = direct('--port', '0', '--snapshot', file);
    const again = await second.endpoints();
    assert.equal(again.hetzner.token, hetzner.token);
    const groups = await call(`${again.hetzner.url}/placement_groups`, { token: hetzner.token });
    assert.match(JSON.stringify(groups.body), /"group"/);
  });

  it('does not overwrite a snapshot that it cannot read', async () => {
    const file = join(folder, 'cloud.json');
    await writeFile(file, 'not a snapshot');
    const run = direct('--snapshot', file);
    assert.deepEqual(await run.exit, [1, null]);
    assert.match(run.errors, /cloud\.json cannot be read as a snapshot/);
    assert.equal(await saved(file), 'not a snapshot');
  });
});

async function saved(file: string): Promise<string> {
  return readFile(file, 'utf8').catch(() => '');
}
