import { Pool, type ClientConfig, type PoolClient } from 'pg';
import { z } from 'zod';
import { explain, RegistryError } from './database-errors';

/** How to reach a database, and how people know it: `database fleet at db.example.com:5432`, without a password. */
export interface Endpoint {
  readonly config: ClientConfig;
  readonly where: string;
  /** Connections that are open at most. */
  readonly connections: number;
}

/** Statements with parameters; rows come back checked. Fails with a RegistryError. */
export interface Session {
  query<Row>(row: z.ZodType<Row>, text: string, values?: readonly unknown[]): Promise<Row[]>;
  run(text: string, values?: readonly unknown[]): Promise<void>;
}

/** Seconds are too long for what is asked here; whatever takes them is stuck. */
const STATEMENT_TIMEOUT_MS = 10_000;
/** Longer than the server's, which leaves the connection usable: this one is for a server that is gone. */
const ANSWER_TIMEOUT_MS = 15_000;
const CONNECT_TIMEOUT_MS = 10_000;
const KEEP_ALIVE_MS = 10_000;

/** One PostgreSQL database, whoever serves it. */
export class Database implements Session {
  readonly where: string;
  private readonly pool: Pool;
  private readonly names = new Map<string, string>();

  constructor({ config, where, connections }: Endpoint) {
    this.where = where;
    this.pool = new Pool({
      statement_timeout: STATEMENT_TIMEOUT_MS,
      query_timeout: ANSWER_TIMEOUT_MS,
      ...clientConfig(config),
      connectionTimeoutMillis: CONNECT_TIMEOUT_MS,
      max: connections,
      idleTimeoutMillis: 0,
    });
    // An idle connection that breaks is replaced with the next statement, which tells if there is no other.
    this.pool.on('error', () => undefined);
  }

  async query<Row>(row: z.ZodType<Row>, text: string, values: readonly unknown[] = []): Promise<Row[]> {
    return parseRows(row, await this.send(text, values), this.where);
  }

  async run(text: string, values: readonly unknown[] = []): Promise<void> {
    await this.send(text, values);
  }

  /** All that `work` runs in its session happens, or nothing of it. Several statements in one text are allowed there. */
  async transaction<T>(work: (session: Session) => Promise<T>): Promise<T> {
    let client: PoolClient | undefined;
    let broken = true;
    try {
      client = await this.pool.connect();
      const result = await inTransaction(client, this.where, work);
      broken = false;
      return result;
    } catch (error) {
      throw explain(error, this.where);
    } finally {
      // After a failure nobody knows what state the connection is in.
      client?.release(broken);
    }
  }

  async close(): Promise<void> {
    await this.pool.end();
  }

  /** Prepared once per connection, so that the server parses and plans it once. */
  private async send(text: string, values: readonly unknown[]): Promise<Record<string, unknown>[]> {
    try {
      const statement = { name: this.nameOf(text), text, values: [...values] };
      return (await this.pool.query<Record<string, unknown>>(statement)).rows;
    } catch (error) {
      throw explain(error, this.where);
    }
  }

  private nameOf(text: string): string {
    let name = this.names.get(text);
    if (name === undefined) this.names.set(text, (name = `worker_pools_${this.names.size}`));
    return name;
  }
}

/** What every connection has in common. */
export function clientConfig(config: ClientConfig): ClientConfig {
  return {
    application_name: 'worker-pools',
    connectionTimeoutMillis: CONNECT_TIMEOUT_MS,
    keepAlive: true,
    keepAliveInitialDelayMillis: KEEP_ALIVE_MS,
    ...config,
  };
}

/**
 * Any value as the text of a JSON column. What PostgreSQL's JSON cannot hold, though JavaScript's strings can (NUL and
 * halves of surrogate pairs, e.g. out of a program's cut output), becomes U+FFFD.
 */
export function json(value: unknown): string {
  return JSON.stringify(value, (_key, inner: unknown) =>
    typeof inner === 'string' ? storable(inner) : inner,
  );
}

export function storable(text: string): string {
  return text.replaceAll('\0', '\u{FFFD}').replace(/\p{Surrogate}/gu, '\u{FFFD}');
}

async function inTransaction<T>(
  client: PoolClient,
  where: string,
  work: (session: Session) => Promise<T>,
): Promise<T> {
  const send = async (text: string, values?: readonly unknown[]): Promise<Record<string, unknown>[]> =>
    (await client.query<Record<string, unknown>>(text, values && [...values])).rows;
  await send('begin');
  try {
    const result = await work({
      query: async (row, text, values) => parseRows(row, await send(text, values), where),
      run: async (text, values) => void (await send(text, values)),
    });
    await send('commit');
    return result;
  } catch (error) {
    await send('rollback').catch(() => undefined);
    throw error;
  }
}

/** SQL's null is an absent key here. */
function parseRows<Row>(
  schema: z.ZodType<Row>,
  rows: readonly Record<string, unknown>[],
  where: string,
): Row[] {
  const present = rows.map((row) =>
    Object.fromEntries(Object.entries(row).filter(([, value]) => value !== null)),
  );
  const parsed = z.array(schema).safeParse(present);
  if (parsed.success) return parsed.data;
  throw new RegistryError(
    `${where} holds what this program does not write: ${z.prettifyError(parsed.error)}; somebody changed it, or another version wrote it`,
  );
}
