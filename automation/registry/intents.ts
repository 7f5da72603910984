import { z } from 'zod';
import { membershipSchema } from '../../components/model/membership';
import { json, type Database } from './database';
import type { Intent, IntentBook } from './types';

const rowSchema = z.object({
  environment: z.string(),
  membership: membershipSchema,
  at: z.number(),
  holder: z.strictObject({ host: z.string(), pid: z.int(), startedAt: z.number() }),
});

export class IntentTable implements IntentBook {
  constructor(private readonly database: Database) {}

  async write({ environment, membership, at, holder }: Intent): Promise<void> {
    await this.database.run(
      `insert into worker_pools.intents (environment, membership, at, holder) values ($1, $2, $3, $4)
       on conflict (environment) do update set
         membership = excluded.membership, at = excluded.at, holder = excluded.holder`,
      [environment, json(membership), at, json(holder)],
    );
  }

  async open(environment: string): Promise<Intent | undefined> {
    const [intent] = await this.database.query(
      rowSchema,
      'select environment, membership, at, holder from worker_pools.intents where environment = $1',
      [environment],
    );
    return intent;
  }

  async clear(environment: string): Promise<void> {
    await this.database.run('delete from worker_pools.intents where environment = $1', [environment]);
  }
}
