import { z } from 'zod';
import { json, type Database } from './database';
import type { Memory } from './types';

const rowSchema = z.object({ value: z.json().default(null) });

export class MemoryTable implements Memory {
  constructor(private readonly database: Database) {}

  async get(environment: string, key: string): Promise<unknown> {
    const [row] = await this.database.query(
      rowSchema,
      'select value from worker_pools.memory where environment = $1 and key = $2',
      [environment, key],
    );
    return row?.value;
  }

  async set(environment: string, key: string, value: unknown): Promise<void> {
    await this.database.run(
      `insert into worker_pools.memory (environment, key, value) values ($1, $2, $3)
       on conflict (environment, key) do update set value = excluded.value`,
      [environment, key, json(value)],
    );
  }
}
