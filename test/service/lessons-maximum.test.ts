import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { Client } from 'pg';
import { endPlugins, findEngine, type Running, start } from '../engine/engine';
import { ROOT } from '../engine/harness';
import { jobPool, World } from './world';

const POSTGRES = 'postgres://postgres@127.0.0.1:5432';
const CREATES = /^\/v1\/servers$/;

describe('lesson 2: max holds everywhere', function () {
  this.timeout(300_000);
  const database = `wp_${randomBytes(6).toString('hex')}`;
  const services: (Running & { data: string })[] = [];
  let world: World;
  before(async () => {
    await administer(`create database ${database}`);
    const pool = { ...jobPool, size: { min: 0, max: 5 }, scaling: { targetWait: 30 } };
    world = await World.start(
      { ci: pool },
      {
        sandbox: {
          clock: { kind: 'real', rate: 1 },
          hetzner: { durationFactor: 0.1 },
          machines: { bootSeconds: { min: 5, max: 6 } },
        },
      },
    );
    const up = await world.environment.up();
    assert.equal(up.code, 0, up.text);
  });
  after(async () => {
    await Promise.all(services.map((service) => service.kill()));
    endPlugins(world.environment.folder);
    await world?.close();
    await administer(`drop database if exists ${database} with (force)`);
  });

  it('lesson 6: two services, one killed while it makes servers: never more than five, and no orphan', async () => {
    world.addJobs('ci', 500, 600);
    await serve();
    await serve();
    const creates = (): number => world.requests('POST', CREATES);
    await until(() => creates() >= 1, 'a first server');
    await until(() => services.some(leads), 'a leader');
    const leader = services.findIndex(leads);
    await services[leader]!.kill();
    endPlugins(services[leader]!.data);
    const other = services[1 - leader]!;
    await until(() => leads(other), 'another leader');
    await until(() => world.sandbox.jobs.poolReport('ci').running === 5, 'five workers at work');
    const { alive, peak, servers } = world.fleet('ci');
    assert.deepEqual({ alive, peak, servers }, { alive: 5, peak: 5, servers: 5 });
    assert.ok(creates() <= 6, `${creates()} requests for five servers`);
    assert.deepEqual(world.sandbox.verdict().doubles, []);
    assert.equal(world.environment.record().membership['ci']!.members.length, 5);
  });

  const leads = (service: Running): boolean => service.text().includes('"event":"leading"');

  /** The service as an operator starts it; each has workers' and admin's ports of its own. */
  async function serve(): Promise<void> {
    const number = services.length;
    const { project, environment, workers } = world.settings;
    const data = join(world.environment.folder, `data-${randomBytes(4).toString('hex')}`);
    mkdirSync(join(data, 'pulumi'), { recursive: true });
    const plugins = (await findEngine()).linkPlugins(join(data, 'pulumi'));
    const listen = `127.0.0.1:${number === 0 ? workers.port : 0}`;
    const flags = ['--stack', 'sandbox', '--listen', listen, '--admin', '127.0.0.1:0', '--data', data];
    const running = start(['node', join(ROOT, 'automation', 'worker-pools.js'), 'serve', ...flags], {
      cwd: project,
      env: { ...environment, ...plugins, WORKER_POOLS_DATABASE_URL: `${POSTGRES}/${database}` },
    });
    services.push({ ...running, data });
  }

  async function until(isSo: () => boolean, what: string): Promise<void> {
    const deadline = Date.now() + 120_000;
    while (!isSo()) {
      if (Date.now() > deadline) {
        throw new Error(
          `not within two minutes: ${what}\n${services.map((service) => service.text()).join('\n\n')}`,
        );
      }
      await sleep(50);
    }
  }
});

async function administer(statement: string): Promise<void> {
  const client = new Client({ connectionString: `${POSTGRES}/postgres` });
  await client.connect();
  await client.query(statement);
  await client.end();
}
