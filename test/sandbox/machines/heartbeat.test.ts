import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdirSync, readFileSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { workerDocument } from '../../../cloud-init';
import { beatBody, findHeartbeat, registrationBody } from '../../../sandbox/machines/heartbeat-program';
import type { Sandbox } from '../../../sandbox/sandbox';
import { worker as template } from '../../cloud-init/machines';
import { contentOf, inFolder, stub } from '../../cloud-init/programs';
import { cloudConfig, createServer, hetzner, sandboxes } from '../control/support';
import { addWorker, type Service, startService } from './service';

const PROGRAM = '/usr/local/lib/worker-pools/heartbeat';
const CURL = '/etc/worker-pools/curl';

describe('the heartbeat of a simulated machine', () => {
  const { start, closeAll } = sandboxes();
  let sandbox: Sandbox;
  let service: Service;
  beforeEach(async () => {
    sandbox = await start({
      hetzner: { durationFactor: 0 },
      machines: { bootSeconds: { min: 60, max: 60 }, heartbeatTimeoutSeconds: 0.2 },
    });
    service = await startService(() => sandbox.clock.now());
  });
  afterEach(async () => {
    await closeAll();
    await service.close();
  });

  const said = (): string[] => service.posts.map(({ what, at }) => `${what} ${at}`);
  const view = (id: number) => sandbox.machines.list().find(({ serverId }) => serverId === id)?.heartbeat;

  it('registers when the boot has ended and then beats every ten virtual seconds, with the token', async () => {
    const id = await addWorker(sandbox, service, 'ci-0001');
    await sandbox.advance(59.9);
    assert.deepEqual(said(), []);
    await sandbox.advance(20.1);
    assert.deepEqual(said(), ['register 60', 'heartbeat 60', 'heartbeat 70', 'heartbeat 80']);
    assert.deepEqual(
      new Set(service.posts.map(({ authorization }) => authorization)),
      new Set(['Bearer token of ci-0001 "\\']),
    );
    assert.deepEqual(view(id), { pool: 'ci', slots: 4, registered: true, draining: false, busy: 0 });
  });

  it('gives each post a later time than the one before, in one instant too', async () => {
    await addWorker(sandbox, service, 'ci-0001');
    await sandbox.advance(80);
    const times = service.posts.map(({ body }) => Number(body['at']));
    assert.deepEqual(
      times,
      [...new Set(times)].sort((left, right) => left - right),
    );
  });

  it('beats again after two seconds, once, when told to drain', async () => {
    const id = await addWorker(sandbox, service, 'ci-0001');
    await sandbox.advance(65);
    service.draining.add('ci-0001');
    await sandbox.advance(20);
    assert.deepEqual(said().slice(2), ['heartbeat 70', 'heartbeat 72', 'heartbeat 82']);
    assert.equal(view(id)?.draining, true);
    service.draining.clear();
    await sandbox.advance(10);
    assert.equal(view(id)?.draining, false);
  });

  for (const { name, trouble } of [
    { name: 'nobody answers', trouble: ['silence', 'silence', 'silence', 'silence'] as const },
    { name: 'connections die', trouble: ['drop', 'drop', 'drop', 'drop'] as const },
    { name: 'the service answers with errors', trouble: [503, 404, 500, 401] },
  ])
    it(`pauses longer when ${name}, then registers again`, async () => {
      const id = await addWorker(sandbox, service, 'ci-0001');
      await sandbox.advance(65);
      service.trouble.push(...trouble);
      await sandbox.advance(300);
      assert.deepEqual(said().slice(2, 10), [
        'heartbeat 70',
        'register 90',
        'register 130',
        'register 190',
        'register 250',
        'heartbeat 250',
        'heartbeat 260',
        'heartbeat 270',
      ]);
      assert.match(sandbox.machines.log(id) ?? '', /no answer, trying on: [^\n]*\nthe service answers\n/);
    });

  it('finds a service that was away under the same address', async () => {
    await addWorker(sandbox, service, 'ci-0001');
    await sandbox.advance(60);
    service.trouble.push(404);
    await sandbox.advance(40);
    assert.deepEqual(said().slice(2), ['heartbeat 70', 'register 90', 'heartbeat 90', 'heartbeat 100']);
  });

  it('stops with the power and begins anew with it; a deleted machine is silent for good', async () => {
    const id = await addWorker(sandbox, service, 'ci-0001');
    service.draining.add('ci-0001');
    await sandbox.advance(60);
    await hetzner(sandbox, 'POST', `/servers/${id}/actions/poweroff`);
    const before = service.posts.length;
    await sandbox.advance(600);
    assert.equal(service.posts.length, before);
    service.draining.clear();
    await hetzner(sandbox, 'POST', `/servers/${id}/actions/poweron`);
    await sandbox.advance(24);
    assert.equal(service.posts[before]?.what, 'register');
    assert.equal(view(id)?.draining, false);
    await hetzner(sandbox, 'DELETE', `/servers/${id}`);
    const after = service.posts.length;
    await sandbox.advance(600);
    assert.equal(service.posts.length, after);
  });

  it('is not there when a step before it failed, nor after a reboot of such a machine', async () => {
    const document = workerDocument({ ...template, service: { url: service.url, token: 't' } });
    const { id } = await createServer(
      sandbox,
      'ci-0001',
      `#cloud-config\n${JSON.stringify(document.config)}`,
    );
    await sandbox.advance(120);
    assert.equal(sandbox.machines.list()[0]?.state, 'failed');
    await hetzner(sandbox, 'POST', `/servers/${id}/actions/reboot`);
    await sandbox.advance(120);
    assert.deepEqual([said(), view(id)], [[], undefined]);
  });

  it('is not there when the document sets none up', async () => {
    const { id } = await createServer(sandbox, 'plain', cloudConfig());
    await sandbox.advance(120);
    assert.equal(view(id), undefined);
  });

  it('reaches nothing outside this computer', async () => {
    const id = await addWorker(sandbox, { url: 'http://workers.staging.example.com' }, 'ci-0001');
    await sandbox.advance(60);
    assert.match(sandbox.machines.log(id) ?? '', /Could not resolve host: workers\.staging\.example\.com/);
  });

  it('goes on after a snapshot, with what it was told', async () => {
    const id = await addWorker(sandbox, service, 'ci-0001');
    service.draining.add('ci-0001');
    await sandbox.advance(65);
    const snapshot = sandbox.snapshot();
    await sandbox.advance(60);
    await sandbox.restore(snapshot);
    const before = service.posts.length;
    await sandbox.advance(20);
    assert.deepEqual(said().slice(before), ['heartbeat 72', 'heartbeat 82']);
    assert.equal(view(id)?.draining, true);
  });

  it('hangs on command: the machine runs, and nothing is heard of it until it is started anew', async () => {
    const id = await addWorker(sandbox, service, 'ci-0001');
    const hang = () =>
      fetch(`${sandbox.endpoints.control.url}/machines/${id}/hang`, { method: 'POST' }).then(
        ({ status }) => status,
      );
    assert.equal(await hang(), 409);
    await sandbox.advance(60);
    assert.equal(await hang(), 204);
    const before = service.posts.length;
    await sandbox.advance(600);
    assert.equal(service.posts.length, before);
    assert.equal(sandbox.machines.list()[0]?.state, 'hung');
    await hetzner(sandbox, 'POST', `/servers/${id}/actions/reset`);
    await sandbox.advance(60);
    assert.equal(service.posts[before]?.what, 'register');
  });

  it('hangs by the share that is set, some time after it was ready', async () => {
    sandbox.machines.changeSettings({
      ...sandbox.machines.settings,
      dieShare: 1,
      dieAfterSeconds: { min: 30, max: 40 },
    });
    await addWorker(sandbox, service, 'ci-0001');
    await sandbox.advance(89);
    assert.equal(sandbox.machines.list()[0]?.state, 'ready');
    await sandbox.advance(11);
    assert.equal(sandbox.machines.list()[0]?.state, 'hung');
  });

  it('keeps its connections open and has one post in flight per machine, on a fast clock', async () => {
    const names = Array.from({ length: 5 }, (_, index) => `ci-000${index}`);
    for (const name of names) await addWorker(sandbox, service, name);
    await sandbox.advance(60);
    service.posts.length = 0;
    sandbox.setClockMode({ kind: 'real', rate: 600 });
    while (service.posts.length < 100) await new Promise((resolve) => setTimeout(resolve, 10));
    assert.equal(service.mostAtOnce, 1);
    assert.ok(service.connections <= 2 * names.length, `${service.connections} connections`);
  });
});

describe('the simulated heartbeat’s bodies', function () {
  this.timeout(60_000);
  const NOON = 1_795_262_400_000;

  for (const { name, machine, addresses } of [
    { name: 'on the tailnet', machine: template, addresses: { tailnet: '100.64.0.7', own: '192.0.2.1' } },
    {
      name: 'off the tailnet',
      machine: { ...template, tailscale: undefined, pool: "it's" },
      addresses: { tailnet: undefined, own: '192.0.2.1' },
    },
  ])
    it(`are to the letter those of the real program run by sh, ${name}`, () =>
      inFolder((folder) => {
        const { tailscale, ...rest } = machine;
        const document = workerDocument({
          ...rest,
          ...(tailscale && { tailscale }),
          service: { url: 'http://127.0.0.1:9/', token: 'to"ken\\1' },
        });
        const files = Object.fromEntries([PROGRAM, CURL].map((path) => [path, contentOf(document, path)]));
        const program = findHeartbeat([PROGRAM], files);
        assert.ok(program);
        assert.equal(program.headers['authorization'], 'Bearer to"ken\\1');

        const run = join(folder, 'run');
        mkdirSync(join(run, 'jobs'), { recursive: true });
        const since = [NOON - 340_000, NOON - 12_000];
        for (const [index, at] of since.entries()) {
          writeFileSync(join(run, 'jobs', `${index}`), '');
          utimesSync(join(run, 'jobs', `${index}`), at / 1000, at / 1000);
        }
        stub(folder, 'tailscale', 'echo 100.64.0.7');
        stub(folder, 'hostname', 'echo 192.0.2.1 10.20.0.2');
        stub(folder, 'date', '[ "$1" = +%s ] && echo 1795262400 || echo 1795262400.120');
        stub(
          folder,
          'curl',
          `for a; do case $a in {*|http*) printf '%s\\n' "$a" >>${folder}/sent ;; esac; done`,
        );
        stub(folder, 'sleep', 'kill $PPID');
        writeFileSync(join(folder, 'program'), files[PROGRAM]!.replaceAll('/run/worker-pools', run), {
          mode: 0o700,
        });
        assert.throws(() =>
          execFileSync(join(folder, 'program'), { env: { PATH: `${folder}:/usr/bin:/bin` } }),
        );
        assert.deepEqual(readFileSync(join(folder, 'sent'), 'utf8').trim().split('\n'), [
          registrationBody(program, NOON + 120, addresses),
          `${program.url}register`,
          beatBody(program, NOON + 120, since),
          `${program.url}heartbeat`,
        ]);
      }));
});
