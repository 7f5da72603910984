import { z } from 'zod';
import { json, storable, type Database } from './database';
import { mentions } from './mentions';
import { auditKinds, type AuditEntry, type AuditTrail } from './types';

const rowSchema = z.object({
  // PostgreSQL's 64-bit integers arrive as text.
  id: z.coerce.number().int(),
  at: z.number(),
  environment: z.string(),
  pool: z.string().optional(),
  actor: z.string(),
  kind: z.enum(auditKinds),
  summary: z.string(),
  detail: z.json().default(null),
});

export class AuditTable implements AuditTrail {
  constructor(private readonly database: Database) {}

  async append({
    at,
    environment,
    pool,
    actor,
    kind,
    summary,
    detail,
  }: Omit<AuditEntry, 'id'>): Promise<void> {
    const plain = json(detail ?? null);
    await this.database.run(
      `insert into worker_pools.audit (at, environment, pool, actor, kind, summary, detail, mentions)
       values ($1, $2, $3, $4, $5, $6, $7, $8)`,
      [
        at,
        environment,
        pool,
        storable(actor),
        kind,
        storable(summary),
        plain,
        mentions(`${summary} ${plain}`),
      ],
    );
  }

  async latest(
    environment: string,
    { pool, kind, worker, limit }: Parameters<AuditTrail['latest']>[1],
  ): Promise<AuditEntry[]> {
    const conditions = [
      ['environment =', environment],
      ['pool =', pool],
      ['kind =', kind],
      ['mentions @>', worker === undefined ? undefined : [worker]],
    ].filter(([, value]) => value !== undefined);
    // One text for each set of filters, so that each gets a plan with its own index.
    return this.database.query(
      rowSchema,
      `select id, at, environment, pool, actor, kind, summary, detail from worker_pools.audit
       where ${conditions.map(([test], index) => `${String(test)} $${index + 1}`).join(' and ')}
       order by at desc, id desc limit $${conditions.length + 1}`,
      [...conditions.map(([, value]) => value), limit],
    );
  }

  async prune(before: number): Promise<void> {
    await this.database.run('delete from worker_pools.audit where at < $1', [before]);
  }
}
