import { createHash } from 'node:crypto';
import { Client } from 'pg';
import { z } from 'zod';
import { clientConfig, type Endpoint } from './database';
import { explain } from './database-errors';
import type { Leadership } from './types';

/** Any number, but the same in every version: first key of the locks, the second says whose environment's. */
const LOCK_CLASS = 2004318065;
/** An answer that takes longer is no answer; a lock that nobody can ask about is not held. */
const ANSWER_TIMEOUT_MS = 5000;
const KEEP_ALIVE_MS = 5000;

/**
 * Leadership by an advisory lock on a connection of its own: PostgreSQL frees it with the connection, so a killed process
 * is followed at once. When a machine or its network hangs, both ends ask after each other by TCP keep-alive: this one
 * gives up after about 15 s (5 s, then ten probes a second apart), the server after 20 s (5 s, then three probes five
 * seconds apart), which is when another process can lead.
 *
 * That is no proof that only one acts: a process that was frozen may believe in its lock for a moment after it wakes up.
 * What keeps its hands off the fleet then is the stack's own lock, taken by every update, and that the change is worked out
 * under that lock, from what is recorded there; and the intent, which tells the next leader what the last one had begun.
 *
 * Connect directly or through a pooler in session mode: one that shares connections between statements loses the lock.
 */
export class AdvisoryLockLeadership implements Leadership {
  readonly kind = 'advisory-lock';
  private readonly held = new Set<string>();
  private connection: Promise<Client> | undefined;
  private lastTurn: Promise<unknown> = Promise.resolve();

  constructor(private readonly endpoint: Endpoint) {}

  /** Where it leads already, it asks whether the lock is still there. */
  acquire(environment: string): Promise<boolean> {
    return this.inTurn(() => this.ask(environment));
  }

  holds(environment: string): boolean {
    return this.held.has(environment);
  }

  release(environment: string): Promise<void> {
    return this.inTurn(() => this.unlock(environment));
  }

  async close(): Promise<void> {
    this.held.clear();
    await this.inTurn(async () => {
      const connection = this.connection;
      this.connection = undefined;
      await connection?.then((client) => client.end()).catch(() => undefined);
    });
  }

  /** A connection answers one question at a time. */
  private inTurn<T>(ask: () => Promise<T>): Promise<T> {
    const answer = this.lastTurn.then(ask);
    this.lastTurn = answer.catch(() => undefined);
    return answer;
  }

  private async ask(environment: string): Promise<boolean> {
    this.connection ??= this.connect();
    const connection = this.connection;
    try {
      const client = await connection;
      const leads = await locked(
        client,
        this.held.has(environment)
          ? `select exists(select from pg_locks where locktype = 'advisory' and granted and pid = pg_backend_pid()
               and database = (select oid from pg_database where datname = current_database())
               and classid = $1 and objid = $2::integer::bit(32)::bigint and objsubid = 2) as locked`
          : 'select pg_try_advisory_lock($1, $2) as locked',
        environment,
      );
      // The connection may have broken after the answer.
      if (leads && this.connection === connection) this.held.add(environment);
      else this.held.delete(environment);
      return this.holds(environment);
    } catch (error) {
      this.lose(connection);
      throw explain(error, this.endpoint.where);
    }
  }

  private async unlock(environment: string): Promise<void> {
    const connection = this.connection;
    if (!this.held.delete(environment) || !connection) return;
    try {
      await locked(await connection, 'select pg_advisory_unlock($1, $2) as locked', environment);
    } catch {
      // Without its connection the lock is gone too.
      this.lose(connection);
    }
  }

  private connect(): Promise<Client> {
    const client = new Client({
      ...clientConfig(this.endpoint.config),
      keepAliveInitialDelayMillis: KEEP_ALIVE_MS,
      query_timeout: ANSWER_TIMEOUT_MS,
    });
    const connection = client.connect().then(async () => {
      // Without effect on a socket of this machine, where the kernel tells at once.
      await client.query(
        `select set_config('tcp_keepalives_idle', '5', false), set_config('tcp_keepalives_interval', '5', false),
           set_config('tcp_keepalives_count', '3', false)`,
      );
      return client;
    });
    client.on('error', () => this.lose(connection));
    client.on('end', () => this.lose(connection));
    return connection;
  }

  /** Ends what is held through this connection; a younger one is none of its business. */
  private lose(connection: Promise<Client>): void {
    if (this.connection === connection) {
      this.connection = undefined;
      this.held.clear();
    }
    void connection.then((client) => client.end()).catch(() => undefined);
  }
}

async function locked(client: Client, text: string, environment: string): Promise<boolean> {
  const { rows } = await client.query(text, [LOCK_CLASS, keyOf(environment)]);
  return z.tuple([z.object({ locked: z.boolean() })]).parse(rows)[0].locked;
}

/** 32 bits of the name. Two environments of one database that share them by chance have one leader for both at a time. */
function keyOf(environment: string): number {
  return createHash('sha256').update(environment).digest().readInt32BE(0);
}
