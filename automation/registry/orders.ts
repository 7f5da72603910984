import { z } from 'zod';
import { json, type Database } from './database';
import type { OrderBook, Orders, RolloutOrder, SizeOrder } from './types';

const rowSchema = z.discriminatedUnion('kind', [
  z.object({
    kind: z.literal('pause'),
    pool: z.literal(''),
    content: z.strictObject({ by: z.string(), since: z.number(), reason: z.string() }),
  }),
  z.object({
    kind: z.literal('size'),
    pool: z.string(),
    content: z.strictObject({ size: z.int(), by: z.string(), since: z.number(), until: z.number() }),
  }),
  z.object({
    kind: z.literal('rollout'),
    pool: z.string(),
    content: z.strictObject({ workers: z.array(z.string()), by: z.string(), since: z.number() }),
  }),
]);

type Kind = z.infer<typeof rowSchema>['kind'];

export class OrderTable implements OrderBook {
  constructor(private readonly database: Database) {}

  async read(environment: string): Promise<Orders> {
    const rows = await this.database.query(
      rowSchema,
      'select kind, pool, content from worker_pools.orders where environment = $1 order by pool',
      [environment],
    );
    const pause = rows.find((row) => row.kind === 'pause')?.content;
    return {
      ...(pause ? { pause } : {}),
      sizes: Object.fromEntries(
        rows.flatMap((row) => (row.kind === 'size' ? [[row.pool, row.content] as const] : [])),
      ),
      rollouts: Object.fromEntries(
        rows.flatMap((row) => (row.kind === 'rollout' ? [[row.pool, row.content] as const] : [])),
      ),
    };
  }

  async pause(environment: string, pause: NonNullable<Orders['pause']>): Promise<void> {
    await this.set(environment, 'pause', '', pause);
  }

  async unpause(environment: string): Promise<void> {
    await this.set(environment, 'pause', '', undefined);
  }

  async setSize(environment: string, pool: string, order: SizeOrder | undefined): Promise<void> {
    await this.set(environment, 'size', pool, order);
  }

  async setRollout(environment: string, pool: string, order: RolloutOrder | undefined): Promise<void> {
    await this.set(environment, 'rollout', pool, order);
  }

  private async set(environment: string, kind: Kind, pool: string, content: unknown): Promise<void> {
    if (content === undefined) {
      await this.database.run(
        'delete from worker_pools.orders where environment = $1 and kind = $2 and pool = $3',
        [environment, kind, pool],
      );
      return;
    }
    await this.database.run(
      `insert into worker_pools.orders (environment, kind, pool, content) values ($1, $2, $3, $4)
       on conflict (environment, kind, pool) do update set content = excluded.content`,
      [environment, kind, pool, json(content)],
    );
  }
}
