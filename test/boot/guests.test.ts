import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Endpoints } from '../../sandbox/sandbox';
import { ROOT } from '../engine/harness';

const MINUTE = 60_000;

describe('the guests of a sandbox', function () {
  // Where nothing is cached yet, this is where the image is made.
  this.timeout(15 * MINUTE);
  let sandbox: ChildProcess;
  let endpoints: Endpoints;
  let folder: string;

  beforeEach(async () => {
    const command = ['--require', 'tsx/cjs', 'sandbox/main.ts', '--machines', 'qemu'];
    // One that is killed leaves its guests' disks behind.
    folder = mkdtempSync(join(tmpdir(), 'guests-'));
    const env = { ...process.env, TMPDIR: folder };
    sandbox = spawn('node', command, { cwd: ROOT, env, stdio: ['ignore', 'pipe', 'inherit'] });
    const [line] = (await once(createInterface({ input: sandbox.stdout! }), 'line')) as [string];
    endpoints = JSON.parse(line) as Endpoints;
  });
  afterEach(() => {
    sandbox.kill('SIGKILL');
    rmSync(folder, { recursive: true, force: true });
  });

  for (const signal of ['SIGTERM', 'SIGKILL'] as const)
    it(`end with it: ${signal}`, async () => {
      const id = await createServer('one');
      const pid = await processOf(id);
      assert.ok(runs(pid));
      sandbox.kill(signal);
      await once(sandbox, 'exit');
      for (let tries = 0; runs(pid) && tries < 50; tries += 1) await sleep(100);
      assert.equal(runs(pid), false);
    });

  it('lose their power with their server’s, and end with the server', async () => {
    const id = await createServer('one');
    const first = await processOf(id);
    await hetzner('POST', `/servers/${id}/actions/reset`);
    const second = await processOf(id, first);
    assert.equal(runs(first), false);
    await hetzner('DELETE', `/servers/${id}`);
    // The machine goes with the vendor's action, a moment after its power.
    const log = `${endpoints.control.url}/machines/${id}/log`;
    while ((await fetch(log)).status !== 404) await sleep(200);
    assert.equal(runs(second), false);
  });

  async function createServer(name: string): Promise<number> {
    const body = { name, server_type: 'cx23', location: 'fsn1', image: 'debian-12' };
    const { server } = (await hetzner('POST', '/servers', body)) as { server: { id: number } };
    return server.id;
  }

  /** The process that runs a guest, as its console names it; another one than `before`. */
  async function processOf(id: number, before?: number): Promise<number> {
    for (;;) {
      const response = await fetch(`${endpoints.control.url}/machines/${id}/log`);
      const log = response.ok ? await response.text() : '';
      const pid = Number([...log.matchAll(/is process (\d+) of/g)].at(-1)?.[1] ?? 0);
      if (pid !== 0 && pid !== before) return pid;
      await sleep(200);
    }
  }

  async function hetzner(method: string, path: string, body: object = {}): Promise<unknown> {
    const { url, token } = endpoints.hetzner;
    const response = await fetch(`${url}${path}`, {
      method,
      headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
      ...(method !== 'DELETE' && { body: JSON.stringify(body) }),
    });
    assert.ok(response.ok, `${method} ${path}: ${response.status}`);
    return response.json();
  }
});

const runs = (pid: number): boolean => existsSync(`/proc/${pid}/exe`);
