import { randomBytes } from 'node:crypto';
import { Client } from 'pg';
import { z } from 'zod';

/** Where the benchmark may make a database of its own. */
export const SERVER =
  process.env['WORKER_POOLS_BENCH_DATABASE'] ?? 'postgres://postgres@127.0.0.1:5432/postgres';

/** Uses a database that is there for this time only. @throws Error where no server answers */
export async function withDatabase<T>(use: (url: string, version: string) => Promise<T>): Promise<T> {
  const name = `wp_bench_${randomBytes(6).toString('hex')}`;
  const client = new Client({ connectionString: SERVER });
  try {
    await client.connect();
  } catch (error) {
    const { hostname, port } = new URL(SERVER);
    throw new Error(`no PostgreSQL at ${hostname}:${port || 5432}: name one in WORKER_POOLS_BENCH_DATABASE`, {
      cause: error,
    });
  }
  try {
    await client.query(`create database ${name}`);
    const { rows } = await client.query('show server_version');
    const [{ server_version: version }] = z.tuple([z.object({ server_version: z.string() })]).parse(rows);
    const url = new URL(SERVER);
    url.pathname = `/${name}`;
    return await use(url.href, version);
  } finally {
    await client.query(`drop database if exists ${name} with (force)`);
    await client.end();
  }
}
