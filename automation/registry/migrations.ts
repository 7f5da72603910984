import { z } from 'zod';
import type { Database } from './database';
import { RegistryError } from './database-errors';
import { tables } from './migrations/0001-tables.sql';
import { slots } from './migrations/0002-slots.sql';
import { failedSetUps } from './migrations/0003-failed-set-ups.sql';

/** In order. One that was released is never edited: what is to change is a new one at the end. */
export const MIGRATIONS: readonly { readonly name: string; readonly sql: string }[] = [
  { name: 'tables', sql: tables },
  { name: 'slots', sql: slots },
  { name: 'failed-set-ups', sql: failedSetUps },
];

/** Any number, but the same in every version. */
const MIGRATION_LOCK = 2004318066;

/**
 * Brings the schema `worker_pools` up to this program's version; all of it or nothing. Processes that start at once do it
 * one after the other. What exists is not asked for again, so that a user without CREATE on the database can run the
 * service once the schema is there.
 * @throws RegistryError when the database is newer than this program
 */
export async function migrate(database: Database): Promise<void> {
  await database.transaction(async (session) => {
    // Another process may be at a long migration; waiting for it is no fault.
    await session.run('set local statement_timeout = 0');
    await session.run('select pg_advisory_xact_lock($1)', [MIGRATION_LOCK]);
    const [found] = await session.query(
      z.object({ schema: z.boolean(), table: z.boolean() }),
      `select to_regnamespace('worker_pools') is not null as schema,
              to_regclass('worker_pools.migrations') is not null as table`,
    );
    if (!found?.schema) await session.run('create schema worker_pools');
    if (!found?.table) {
      await session.run(`create table worker_pools.migrations (
        number integer primary key, name text not null, applied_at timestamptz not null default now())`);
    }
    const applied = await session.query(
      z.object({ number: z.int() }),
      'select number from worker_pools.migrations order by number',
    );
    const version = applied.at(-1)?.number ?? 0;
    if (version > MIGRATIONS.length) {
      throw new RegistryError(
        `${database.where} has schema ${version} and this program knows only up to ${MIGRATIONS.length}: run the newer version that wrote it, or restore a backup from before`,
      );
    }
    for (const [index, { name, sql }] of MIGRATIONS.entries()) {
      if (index < version) continue;
      await session.run(sql);
      await session.run('insert into worker_pools.migrations (number, name) values ($1, $2)', [
        index + 1,
        name,
      ]);
    }
  });
}
