import assert from 'node:assert/strict';
import type { Sandbox } from '../../../sandbox/sandbox';
import { addWorker, type Service, startService } from '../machines/service';
import { control, createServer, hetzner, sandboxes } from './support';

describe('a played day', () => {
  const { start, closeAll } = sandboxes();
  let sandbox: Sandbox;
  let service: Service;
  const labels = (workerId: string) => ({ pool: 'ci', 'worker-id': workerId });
  beforeEach(async () => {
    sandbox = await start({
      hetzner: { durationFactor: 0 },
      machines: { bootSeconds: { min: 60, max: 60 } },
    });
    service = await startService(() => sandbox.clock.now());
  });
  afterEach(async () => {
    await closeAll();
    await service.close();
  });

  it('is judged: jobs, the most servers at once, doubles, and what is left', async () => {
    const first = await addWorker(sandbox, service, 'ci-0001', { slots: 1, labels: labels('ci-0001') });
    const hung = await addWorker(sandbox, service, 'ci-0002', { slots: 1, labels: labels('ci-0002') });
    sandbox.jobs.add(
      'ci',
      Array.from({ length: 3 }, () => ({ seconds: 100 })),
    );
    await sandbox.advance(70);
    sandbox.machines.hang(hung);
    await hetzner(sandbox, 'DELETE', `/servers/${first}`);
    await hetzner(sandbox, 'DELETE', `/servers/${hung}`);
    await sandbox.advance(10);
    await addWorker(sandbox, service, 'ci-0003', { slots: 1, labels: labels('ci-0003') });
    await sandbox.advance(170);
    await createServer(sandbox, 'ci-0003-again', undefined, { labels: labels('ci-0003') });
    await sandbox.advance(0);
    const expected = {
      unfinished: 2,
      done: 1,
      lost: 1,
      abandoned: 1,
      peaks: { ci: 2 },
      doubles: ['ci-0003'],
      servers: ['ci-0003', 'ci-0003-again'],
      unregistered: ['ci-0003-again'],
      devices: ['ci-0003'],
    };
    assert.deepEqual((await control(sandbox, 'GET', '/verdict')).body, {
      ...expected,
      devices: sandbox.tailscale.hostnames().sort(),
    });
    assert.deepEqual(sandbox.verdict({ pool: 'none', worker: 'none' }), {
      ...expected,
      peaks: {},
      doubles: [],
      devices: sandbox.tailscale.hostnames().sort(),
    });
    const { values } = (await control(sandbox, 'GET', '/fleet?label=pool')).body as {
      values: Record<string, { servers: number }>;
    };
    assert.equal(values['ci']?.servers, 4);
  });

  it('goes the same way twice with the same seed', async () => {
    const play = async (): Promise<unknown> => {
      const day = await start({
        seed: 11,
        hetzner: { durationFactor: 0 },
        machines: { dieShare: 0.5, dieAfterSeconds: { min: 60, max: 600 } },
      });
      for (let index = 1; index <= 4; index++) await addWorker(day, service, `ci-000${index}`, { slots: 2 });
      for (let step = 0; step < 20; step++) {
        day.jobs.add('ci', [{ seconds: 20 + step }, { seconds: 200 }]);
        await day.advance(30);
      }
      const { machines } = day;
      return { jobs: day.jobs.report(), states: machines.list().map(({ name, state }) => [name, state]) };
    };
    assert.deepEqual(await play(), await play());
  });

  it('has misbehaving vendors on demand, every kind of trouble by its share', async () => {
    const answer = await control(sandbox, 'POST', '/faults/chaos', { share: 0.02, vendor: 'hetzner' });
    const { faults } = answer.body as { faults: { mode: string; status?: number; probability: number }[] };
    assert.deepEqual(
      faults.map(({ mode, status }) => `${mode}${status === undefined ? '' : ` ${status}`}`),
      [
        'instead 429',
        'instead 500',
        'instead 502',
        'after 502',
        'drop',
        'hang-up',
        'ignore',
        'stall',
        'half',
        'empty',
      ],
    );
    assert.ok(faults.every(({ probability }) => probability === 0.02));
    assert.equal((await control(sandbox, 'POST', '/faults/chaos', { share: 0.5 })).status, 422);
  });

  for (const { says, available, placeable, status } of [
    { says: 'sold out, as it is', available: false, placeable: undefined, status: 412 },
    { says: 'to be had, and is not', available: true, placeable: false, status: 412 },
    { says: 'sold out, and is to be had', available: false, placeable: true, status: 201 },
  ])
    it(`has a type that the list says is ${says}`, async () => {
      await control(sandbox, 'POST', '/catalogue/availability', {
        serverType: 'cx23',
        location: 'fsn1',
        available,
        placeable,
      });
      const types = (await hetzner(sandbox, 'GET', '/server_types?name=cx23')).body as {
        server_types: { locations: { name: string; available: boolean }[] }[];
      };
      const listed = types.server_types[0]?.locations.find(({ name }) => name === 'fsn1')?.available;
      assert.equal(listed, available);
      const made = await hetzner(sandbox, 'POST', '/servers', {
        name: 'one',
        server_type: 'cx23',
        image: 'debian-12',
        location: 'fsn1',
      });
      assert.equal(made.status, status);
    });
});
