import { randomBytes } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import { type Job, Logger, makeWorkerUtils, run } from 'graphile-worker';
import { Client } from 'pg';
import PgBoss from 'pg-boss';
import type { QueueBench } from '../contract';
import { requireServer } from '../proxy';

const PORT = 5432;

/** A database of the test's own. */
export async function makeDatabase(): Promise<{
  name: string;
  url: (port?: number, role?: string) => string;
  client: Client;
  drop(): Promise<void>;
}> {
  await requireServer('PostgreSQL', PORT);
  const name = `wp_${randomBytes(6).toString('hex')}`;
  const admin = new Client({ host: '127.0.0.1', port: PORT, user: 'postgres', database: 'postgres' });
  await admin.connect();
  await admin.query(`create database ${name}`);
  const url = (port = PORT, role = 'postgres') => `postgres://${role}@127.0.0.1:${port}/${name}`;
  const client = new Client({ connectionString: url() });
  await client.connect();
  return {
    name,
    url,
    client,
    async drop() {
      await client.end();
      await connectionsEnded(admin, name);
      await admin.query(`drop database ${name} with (force)`);
      await admin.end();
    },
  };
}

/**
 * A library may have ended while its connections are still being closed: cut off, they would be errors that nobody
 * catches. Some stay, those of a killed source for example, so this waits for a while and no longer.
 */
async function connectionsEnded(admin: Client, database: string): Promise<void> {
  const open = 'select from pg_stat_activity where datname = $1';
  for (let times = 0; times < 40 && (await admin.query(open, [database])).rowCount !== 0; times += 1) {
    await delay(50);
  }
}

export async function postgresBench(): Promise<QueueBench> {
  const database = await makeDatabase();
  await database.client.query(
    'create table jobs (id serial, taken boolean not null default false, added timestamptz not null default now())',
  );
  return {
    port: PORT,
    knows: { running: true, oldestAge: true },
    config: (port) => ({
      kind: 'postgres',
      url: database.url(port),
      query: `select count(*) filter (where not taken) as waiting, count(*) filter (where taken) as running,
        extract(epoch from now() - min(added) filter (where not taken)) as oldest_age from jobs; -- a remark`,
    }),
    async add(jobs) {
      await database.client.query('insert into jobs select from generate_series(1, $1)', [jobs]);
    },
    async take() {
      await database.client.query('update jobs set taken = true where id = (select min(id) from jobs)');
    },
    close: () => database.drop(),
  };
}

export async function pgBossBench(): Promise<QueueBench> {
  const database = await makeDatabase();
  const boss = new PgBoss({ connectionString: database.url(), supervise: false, schedule: false });
  await boss.start();
  await boss.createQueue('mails', { name: 'mails', retryDelay: 600, retryLimit: 3 });
  await boss.createQueue('others');
  // None of these waits: not due, waiting for its retry, another queue's, done.
  await boss.send('mails', {}, { startAfter: 600 });
  await boss.send('others', {});
  const failed = await boss.send('mails', {}, { retryDelay: 600, retryLimit: 3 });
  await boss.fetch('mails');
  await boss.fail('mails', failed ?? '');
  const done = await boss.send('mails', {});
  await boss.fetch('mails');
  await boss.complete('mails', done ?? '');
  return {
    port: PORT,
    knows: { running: true, oldestAge: true },
    config: (port) => ({ kind: 'pg-boss', url: database.url(port), queue: 'mails', schema: 'pgboss' }),
    async add(jobs) {
      await boss.insert(Array.from({ length: jobs }, () => ({ name: 'mails' })));
    },
    async take() {
      await boss.fetch('mails');
    },
    async close() {
      await boss.stop({ graceful: false, wait: true });
      await database.drop();
    },
  };
}

export async function graphileWorkerBench(): Promise<QueueBench> {
  const database = await makeDatabase();
  const options = { connectionString: database.url(), logger: new Logger(() => () => {}) };
  const utils = await makeWorkerUtils(options);
  await utils.migrate();
  // None of these waits: not due, another task's, out of attempts.
  await utils.addJob('mail', {}, { runAt: new Date(Date.now() + 600_000) });
  await utils.addJob('other', {});
  const dead: Job = await utils.addJob('mail', {});
  await utils.permanentlyFailJobs([dead.id]);
  let finish = () => {};
  let stop = async () => {};
  return {
    port: PORT,
    knows: { running: true, oldestAge: true },
    config: (port) => ({
      kind: 'graphile-worker',
      url: database.url(port),
      tasks: ['mail'],
      schema: 'graphile_worker',
    }),
    async add(jobs) {
      for (let job = 0; job < jobs; job += 1) await utils.addJob('mail', {});
    },
    async take() {
      const busy = new Promise<void>((resolve) => (finish = resolve));
      await new Promise<void>((taken, failed) => {
        const mail = () => {
          taken();
          return busy;
        };
        run({ ...options, concurrency: 1, noHandleSignals: true, taskList: { mail } }).then((runner) => {
          stop = () => runner.stop();
        }, failed);
      });
    },
    async close() {
      const stopping = stop();
      finish();
      await stopping;
      await utils.release();
      await database.drop();
    },
  };
}
