import { Client, DatabaseError, Query } from 'pg';
import type { TlsConfig } from '../../../components/model/queue-config';
import { readOver } from './connection';
import { detailsOf } from './faults';
import { type Place, placeOf, queueError, quoted } from './place';
import { toReading } from './reading';
import { readTlsFiles } from './tls-files';
import { type QueueError, type QueueReading, type QueueSource } from './types';

/** SQL whose answer is one row: `waiting`, and where known `running` and `oldest_age` in seconds. */
export interface QueueQuery {
  readonly text: string;
  readonly values: readonly unknown[];
  /** What it means that no row comes, and what to do. */
  readonly noRow: string;
}

/** Seconds after which the server gives up on a query. */
const STATEMENT_TIMEOUT = 5;
const COLUMNS = ['waiting', 'running', 'oldest_age'];

/** The user's own query. */
export function postgresQueue(
  config: { url: string; tls?: TlsConfig | undefined; query: string },
  directory: string,
): QueueSource {
  return queryQueue(config, directory, 'the queue’s query', {
    text: config.query,
    values: [],
    noRow: 'the query returned no row, and must return exactly one.',
  });
}

/** One query in a transaction that can only read and that the server ends in time. */
export function queryQueue(
  config: { url: string; tls?: TlsConfig | undefined },
  directory: string,
  queue: string,
  query: QueueQuery,
): QueueSource {
  const place = postgresPlace(config.url, queue);

  return readOver<Client>({
    place,
    async connect(signal, lost) {
      const ssl = config.tls && (await readTlsFiles(config.tls, place, directory));
      const client = new Client({
        connectionString: ssl ? withoutSslParameters(config.url) : config.url,
        application_name: 'worker-pools',
        keepAlive: true,
        ...(ssl ? { ssl } : {}),
      });
      client.on('error', lost);
      client.on('end', () => lost());
      signal.addEventListener('abort', () => destroy(client), { once: true });
      await client.connect();
      return client;
    },
    async read(client) {
      // One snapshot; and limits of the transaction, because a pooler in between refuses those of a session.
      await client.query('begin transaction isolation level repeatable read read only');
      await client.query(`set local statement_timeout = '${STATEMENT_TIMEOUT}s'`);
      const row = await onlyRow(client, place, query);
      await client.query('commit');
      return rowToReading(place, row);
    },
    end: (client) => client.end(),
    destroy,
    explain: (error) => explain(place, error),
  });
}

function postgresPlace(url: string, queue: string): Place {
  const { pathname, username } = new URL(url);
  const database = decodeURIComponent(pathname.slice(1));
  const role = decodeURIComponent(username);
  const where = [database && `database "${database}"`, role && `role "${role}"`, queue].filter(Boolean);
  return placeOf(url, { name: 'PostgreSQL', port: 5432 }, where.join(', '));
}

/** The configuration's `tls` is what counts; the URL's own parameters would win in the client. */
function withoutSslParameters(url: string): string {
  const plain = new URL(url);
  for (const name of ['ssl', 'sslmode', 'sslrootcert', 'sslcert', 'sslkey']) plain.searchParams.delete(name);
  return plain.href;
}

/** The extended protocol, in which the server refuses a second statement: none can end the transaction and go on. */
async function onlyRow(client: Client, place: Place, { text, values, noRow }: QueueQuery): Promise<unknown> {
  const rows: unknown[] = [];
  await new Promise<void>((resolve, reject) => {
    const config = { text, values: [...values], queryMode: 'extended' };
    const query = client.query(new Query(config));
    query.on('row', (row: unknown) => {
      rows.push(row);
      // Told at the second, and not after all: a query may return the whole table.
      if (rows.length === 2) {
        reject(
          queueError(
            place,
            'wrong',
            'the query returned more than one row, and must return exactly one. Count in SQL: select count(*) as waiting …',
          ),
        );
      }
    });
    query.on('error', reject);
    query.on('end', () => resolve());
  });
  if (rows.length === 0) throw queueError(place, 'wrong', noRow);
  return rows[0];
}

function rowToReading(place: Place, row: unknown): QueueReading {
  const columns = { ...(row as Record<string, unknown>) };
  const unknown = Object.keys(columns).filter((name) => !COLUMNS.includes(name));
  if (unknown.length > 0 || !('waiting' in columns)) {
    throw queueError(
      place,
      'wrong',
      `the query’s columns are ${quoted(place, Object.keys(columns).join(', ') || 'none')}. Name them waiting, and where known running and oldest_age.`,
    );
  }
  return toReading(
    place,
    // Without a waiting job there is no oldest one, and SQL says null.
    { waiting: columns.waiting, running: columns.running, oldestAge: columns.oldest_age ?? undefined },
    { waiting: 'column waiting', running: 'column running', oldestAge: 'column oldest_age' },
  );
}

function destroy(client: Client): void {
  // The client's `end` waits for the query in flight, which may never end.
  client.connection.stream.destroy();
}

/** Codes: PostgreSQL's documentation, appendix A. */
function explain(place: Place, error: unknown): QueueError | undefined {
  if (!(error instanceof DatabaseError)) return explainClient(place, error);
  const code = error.code ?? '';
  const said = quoted(place, error.message);
  if (code === '25006') {
    return queueError(
      place,
      'refused',
      `the query writes, and is run in a transaction that may only read (${said}). Use a query that only selects.`,
    );
  }
  if (code === '42501') {
    return queueError(
      place,
      'refused',
      `${said}. Grant the role what it needs to read: usage on the schema, select on the tables.`,
    );
  }
  if (error.message.includes('client certificate')) {
    return queueError(
      place,
      'refused',
      `${said}. Give tls.certFile and tls.keyFile, signed by a CA that it knows.`,
    );
  }
  if (code.startsWith('28')) {
    return queueError(
      place,
      'refused',
      `${said}. Give the role and its password in the URL: postgres://role:password@host/database`,
    );
  }
  if (code === '3D000') {
    return queueError(place, 'refused', `${said}. Correct the database in the URL.`);
  }
  if (code === '57014') {
    return queueError(
      place,
      'unreachable',
      `the query was stopped (${said}); it may take ${STATEMENT_TIMEOUT} s. Make it cheaper, for example by an index.`,
    );
  }
  // 08, 53, 57P: the server is going down, starting up, or full.
  if (/^(08|53|57P)/.test(code)) {
    return queueError(place, 'unreachable', `${said}. The next reading tries again.`);
  }
  return queueError(place, 'wrong', `the query failed: ${said} (${code}). Correct it, or the schema’s name.`);
}

/** What the client says itself, before the server has a word. */
function explainClient(place: Place, error: unknown): QueueError | undefined {
  const { message } = detailsOf(error);
  if (/password must be a (non-empty )?string/i.test(message)) {
    return queueError(
      place,
      'refused',
      'it asks for a password, and the URL has none. Give role and password: postgres://role:password@host/database',
    );
  }
  if (/does not support SSL/.test(message)) {
    return queueError(
      place,
      'refused',
      'it does not speak TLS. Switch TLS on there, or drop the queue’s tls.',
    );
  }
  return undefined;
}
