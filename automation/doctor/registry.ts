import { join } from 'node:path';
import { z } from 'zod';
import { RegistryError, remoteEndpoint } from '../registry';
import { Database } from '../registry/database';
import { holderOf } from '../registry/directory-lock';
import { IntentTable } from '../registry/intents';
import { MIGRATIONS } from '../registry/migrations';
import type { Intent } from '../registry/types';
import { failed, note, ok, told, type Finding } from './finding';
import type { Question } from './question';

export interface ReadRegistry {
  readonly findings: readonly Finding[];
  /** The stack's open intent, where the registry could be read. */
  readonly intent?: Intent;
}

/** The database, without changing anything in it. */
export async function readRegistry({ stack, data, environment }: Question): Promise<ReadRegistry> {
  const url = environment['WORKER_POOLS_DATABASE_URL'];
  if (url === undefined) return { findings: [embedded(join(data, 'registry'))] };
  try {
    const database = new Database(remoteEndpoint({ url }));
    return await readDatabase(database, stack.split('/').at(-1)!).finally(() => database.close());
  } catch (error) {
    if (!(error instanceof RegistryError)) throw error;
    const [, seen = error.message, next] = /^(.*?): ((?:(?!: ).)*)$/s.exec(error.message) ?? [];
    return { findings: [next === undefined ? told('registry', seen) : failed('registry', seen, next)] };
  }
}

function embedded(directory: string): Finding {
  const holder = holderOf(directory);
  return holder === undefined
    ? note('registry', `embedded, in ${directory}; no process has it open`)
    : ok('registry', `embedded, in ${directory}; process ${holder.pid} has it open`);
}

async function readDatabase(database: Database, environment: string): Promise<ReadRegistry> {
  const [server] = await database.query(
    z.object({ version: z.string(), migrated: z.boolean() }),
    `select current_setting('server_version') as version,
            to_regclass('worker_pools.migrations') is not null as migrated`,
  );
  const what = `${database.where}, PostgreSQL ${server!.version}`;
  if (!server!.migrated) {
    return {
      findings: [note('registry', `${what}; empty: the service makes its tables at its first start`)],
    };
  }
  const [row] = await database.query(
    z.object({ schema: z.number() }),
    'select coalesce(max(number), 0)::int as schema from worker_pools.migrations',
  );
  const { schema } = row!;
  const newest = MIGRATIONS.length;
  if (schema > newest) {
    const seen = `${what}; its schema ${schema} is newer than this program’s (${newest})`;
    return { findings: [failed('registry', seen, 'run the version that wrote it')] };
  }
  const intent = await new IntentTable(database).open(environment);
  const state =
    schema < newest
      ? `schema ${schema}; the service brings it to ${newest} at its next start`
      : `schema ${schema}`;
  return { findings: [ok('registry', `${what}; ${state}`)], ...(intent && { intent }) };
}
