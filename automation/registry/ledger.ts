import { z } from 'zod';
import { json, type Database } from './database';
import type { Ledger, LedgerEntry } from './types';

const rowSchema = z.object({
  environment: z.string(),
  // PostgreSQL's 64-bit integers arrive as text.
  serverId: z.coerce.number().int(),
  worker: z.string(),
  pool: z.string(),
  created: z.number(),
  hourly: z.number(),
  monthly: z.number(),
  deleted: z.number().optional(),
});

export class LedgerTable implements Ledger {
  constructor(private readonly database: Database) {}

  /** A server that is listed again after all was not gone: its hours count on. */
  async observe(
    environment: string,
    servers: readonly Omit<LedgerEntry, 'environment' | 'deleted'>[],
    now: number,
  ): Promise<void> {
    await this.database.run(
      `with listed as (
         select * from jsonb_to_recordset($2::jsonb) as listed (
           "serverId" bigint, worker text, pool text,
           created double precision, hourly double precision, monthly double precision
         )
       ), gone as (
         update worker_pools.ledger set deleted = $3
         where environment = $1 and deleted is null and server_id not in (select "serverId" from listed)
       )
       insert into worker_pools.ledger as known
         (environment, server_id, worker, pool, created, hourly, monthly)
       select $1, "serverId", worker, pool, created, hourly, monthly from listed
       on conflict (environment, server_id) do update set deleted = null where known.deleted is not null`,
      [environment, json(servers), now],
    );
  }

  async since(environment: string, from: number): Promise<LedgerEntry[]> {
    return this.database.query(
      rowSchema,
      `select environment, server_id as "serverId", worker, pool, created, hourly, monthly, deleted
       from worker_pools.ledger where environment = $1 and (deleted is null or deleted > $2)
       order by created, server_id`,
      [environment, from],
    );
  }
}
