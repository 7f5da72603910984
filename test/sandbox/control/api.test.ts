import assert from 'node:assert/strict';
import { mkdtemp, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { z } from 'zod';
import { call, control, createServer, hetzner, sandboxes } from './support';

describe('the control API', () => {
  const { start, closeAll } = sandboxes();
  afterEach(closeAll);

  it('keeps who asked what, when and with which result, but no token and no body', async () => {
    const sandbox = await start();
    const { url, token } = sandbox.endpoints.hetzner;
    await call(`${url}/locations?page=1`, { token, agent: 'test/1.0' });
    await call(`${url}/servers/9`, { token: 'x'.repeat(64), agent: 'test/1.0' });
    const answer = await control(sandbox, 'GET', '/requests?client=test/1');
    const now = new Date(sandbox.clock.now()).toISOString();
    const { requests } = answer.body as { requests: Record<string, unknown>[] };
    assert.deepEqual(
      requests.map(({ wallTime: _, ...entry }) => entry),
      [
        {
          time: now,
          vendor: 'hetzner',
          client: 'test/1.0',
          method: 'GET',
          path: '/v1/locations?page=1',
          status: 200,
          project: 'default',
          fault: null,
        },
        {
          time: now,
          vendor: 'hetzner',
          client: 'test/1.0',
          method: 'GET',
          path: '/v1/servers/9',
          status: 401,
          project: null,
          fault: null,
        },
      ],
    );
    assert.equal(JSON.stringify(answer.body).includes(token), false);
  });

  it('filters the log by vendor, method, path, status and virtual time, and clears it', async () => {
    const sandbox = await start();
    await hetzner(sandbox, 'GET', '/locations');
    await sandbox.advance(60);
    await hetzner(sandbox, 'GET', '/servers/1');
    const count = async (query: string): Promise<unknown> =>
      ((await control(sandbox, 'GET', `/requests?${query}`)).body as { total: number }).total;
    const since = encodeURIComponent(new Date(sandbox.clock.now()).toISOString());
    assert.deepEqual(
      [
        await count('vendor=hetzner'),
        await count('vendor=cloudflare'),
        await count('status=404'),
        await count('path=/v1/servers/*'),
        await count(`since=${since}`),
        await count('method=get'),
      ],
      [2, 0, 1, 1, 1, 2],
    );
    await control(sandbox, 'DELETE', '/requests');
    assert.equal(await count(''), 0);
  });

  it('steps the clock and switches its mode', async () => {
    const sandbox = await start();
    const before = sandbox.clock.now();
    await control(sandbox, 'POST', '/clock/advance', { seconds: 90 });
    assert.equal(sandbox.clock.now(), before + 90_000);
    const real = await control(sandbox, 'PUT', '/clock', { mode: 'real', rate: 60 });
    assert.equal((real.body as { rate: number }).rate, 60);
    assert.deepEqual(sandbox.clock.mode, { kind: 'real', rate: 60 });
    assert.equal((await control(sandbox, 'POST', '/clock/advance', { seconds: -1 })).status, 422);
  });

  it('sells a type out and restocks it', async () => {
    const sandbox = await start();
    const sell = (available: boolean) =>
      control(sandbox, 'POST', '/catalogue/availability', {
        serverType: 'cx23',
        location: 'fsn1',
        available,
      });
    assert.equal((await sell(false)).status, 204);
    await assert.rejects(createServer(sandbox, 'one', undefined), /412.*resource_unavailable/);
    await sell(true);
    await createServer(sandbox, 'one', undefined);
    const unknown = await control(sandbox, 'POST', '/catalogue/availability', {
      serverType: 'cx2',
      available: true,
    });
    assert.equal(unknown.status, 422);
  });

  it('reports what servers have cost', async () => {
    const sandbox = await start();
    await createServer(sandbox, 'one', undefined);
    await sandbox.advance(3700);
    const report = (await control(sandbox, 'GET', '/costs')).body;
    const servers = z.object({
      projects: z.array(z.object({ servers: z.array(z.looseObject({ hoursStarted: z.number() })) })),
    });
    assert.equal(servers.parse(report).projects[0]?.servers[0]?.hoursStarted, 2);
  });

  it('resets to the state after start with the same tokens', async () => {
    const sandbox = await start();
    await createServer(sandbox, 'one', undefined);
    sandbox.faults.add({ status: 500, path: '/v1/servers' });
    await control(sandbox, 'PATCH', '/machines/settings', { slowShare: 1 });
    assert.equal((await control(sandbox, 'POST', '/reset')).status, 204);
    assert.deepEqual(sandbox.requests.list(), []);
    assert.deepEqual(sandbox.machines.list(), []);
    assert.equal(sandbox.machines.settings.slowShare, 0);
    const answer = await hetzner(sandbox, 'GET', '/servers');
    assert.deepEqual([answer.status, (answer.body as { servers: unknown[] }).servers], [200, []]);
  });

  it('answers errors as JSON', async () => {
    const sandbox = await start();
    assert.equal((await control(sandbox, 'GET', '/nothing')).status, 404);
    assert.equal((await call(`${sandbox.endpoints.tailscale.url}/elsewhere`)).status, 404);
    const broken = await fetch(`${sandbox.endpoints.control.url}/faults`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: '{',
    });
    assert.equal(broken.status, 400);
  });

  it('shows and changes the machines’ settings', async () => {
    const sandbox = await start();
    const changed = await control(sandbox, 'PATCH', '/machines/settings', { neverReadyShare: 1 });
    assert.equal((changed.body as { neverReadyShare: number }).neverReadyShare, 1);
    assert.equal(sandbox.machines.settings.neverReadyShare, 1);
    assert.equal((await control(sandbox, 'PATCH', '/machines/settings', { neverReadyShare: 2 })).status, 422);
  });
});

describe('a snapshot', () => {
  const { start, closeAll } = sandboxes();
  let folder: string;
  beforeEach(async () => (folder = await mkdtemp(join(tmpdir(), 'sandbox-'))));
  afterEach(async () => {
    await closeAll();
    await rm(folder, { recursive: true });
  });

  it('survives a restart: same tokens, servers, addresses, clock and plans', async () => {
    const snapshotFile = join(folder, 'cloud.json');
    const first = await start({}, { snapshotFile });
    const { id, ip } = await createServer(first, 'one', undefined);
    await first.advance(5);
    const now = first.clock.now();
    await first.close();
    assert.equal((await stat(snapshotFile)).mode & 0o777, 0o600);

    const second = await start({}, { snapshotFile });
    assert.equal(second.clock.now(), now);
    assert.equal(second.endpoints.hetzner.token, first.endpoints.hetzner.token);
    const shown = await hetzner(second, 'GET', `/servers/${id}`);
    assert.match(JSON.stringify(shown.body), new RegExp(`"ip":"${ip}"`));
    await second.advance(200);
    assert.deepEqual(
      second.machines.list().map(({ state }) => state),
      ['ready'],
    );
  });

  it('changes nothing when it is taken and put back', async () => {
    const sandbox = await start();
    await createServer(sandbox, 'one', undefined);
    await sandbox.advance(30);
    const taken = (await control(sandbox, 'GET', '/snapshot')).body;
    assert.equal((await control(sandbox, 'PUT', '/snapshot', taken)).status, 204);
    assert.deepEqual((await control(sandbox, 'GET', '/snapshot')).body, taken);
  });

  it('is refused when another seed made it, or when it is something else', async () => {
    const sandbox = await start();
    const other = await start({ seed: 2 });
    const refused = await control(sandbox, 'PUT', '/snapshot', other.snapshot());
    assert.equal(refused.status, 422);
    assert.match(JSON.stringify(refused.body), /--seed 2/);
    assert.equal((await control(sandbox, 'PUT', '/snapshot', { version: 2 })).status, 422);
  });
});
