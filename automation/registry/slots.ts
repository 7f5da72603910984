import { z } from 'zod';
import { batching } from './batching';
import type { Database } from './database';
import type { Slot, SlotBook, SlotRequest } from './types';

const rowSchema = z.object({
  id: z.string(),
  environment: z.string(),
  pool: z.string(),
  state: z.enum(['waiting', 'granted', 'released', 'expired']),
  requestedAt: z.number(),
  expiresAt: z.number(),
  worker: z.string().optional(),
  address: z.string().optional(),
  grantedAt: z.number().optional(),
});

const COLUMNS = `id, environment, pool, state, requested_at as "requestedAt", expires_at as "expiresAt",
  worker, address, granted_at as "grantedAt"`;

const loadSchema = z.discriminatedUnion('part', [
  z.object({ part: z.literal('waiting'), pool: z.string(), waiting: z.int(), oldest: z.number() }),
  z.object({ part: z.literal('held'), pool: z.string(), worker: z.string(), times: z.array(z.number()) }),
  z.object({ part: z.literal('waits'), pool: z.string(), times: z.array(z.number()) }),
]);

type Asked = SlotRequest & { readonly now: number };

/** What is asked most of one environment: all that comes while an earlier question is under way goes together. */
interface Desk {
  readonly request: (asked: Asked) => Promise<Slot>;
  readonly get: (id: string) => Promise<Slot | undefined>;
  readonly release: (given: { readonly id: string; readonly now: number }) => Promise<Slot | undefined>;
}

type Load = Awaited<ReturnType<SlotBook['load']>>;

/** What must not be done twice at once is done by functions in the database, see `migrations/0002-slots.sql.ts`. */
export class SlotTable implements SlotBook {
  private readonly desks = new Map<string, Desk>();

  constructor(
    private readonly database: Database,
    /** Seconds without a word after which a worker gets no slots. */
    private readonly silence: number,
  ) {}

  async request(request: SlotRequest, now: number): Promise<Slot> {
    return this.deskOf(request.environment).request({ ...request, now });
  }

  private deskOf(environment: string): Desk {
    let desk = this.desks.get(environment);
    if (!desk) {
      desk = {
        request: batching((asked) => this.requestAll(environment, asked)),
        get: batching((ids) => this.getAll(environment, ids)),
        release: batching((given) => this.releaseAll(environment, given)),
      };
      this.desks.set(environment, desk);
    }
    return desk;
  }

  /** In the order in which they came: the function is called once for each, and sees what the calls before it did. */
  private async requestAll(environment: string, asked: readonly Asked[]): Promise<Slot[]> {
    return this.database.query(
      rowSchema,
      `select ${COLUMNS}
       from unnest($2::text[], $3::text[], $4::double precision[], $5::double precision[], $6::double precision[])
         with ordinality as asked (asked_id, asked_pool, patience, asked_ttl, asked_at, turn)
       cross join lateral worker_pools.request_slot(
         $1, asked_id, asked_pool, patience, asked_ttl, asked_at, asked_at - $7)
       order by turn`,
      [
        environment,
        asked.map(({ id }) => id),
        asked.map(({ pool }) => pool),
        asked.map(({ patience }) => patience),
        asked.map(({ ttl }) => ttl),
        asked.map(({ now }) => now),
        this.silence,
      ],
    );
  }

  async get(environment: string, id: string): Promise<Slot | undefined> {
    return this.deskOf(environment).get(id);
  }

  private async getAll(environment: string, ids: readonly string[]): Promise<(Slot | undefined)[]> {
    const slots = await this.database.query(
      rowSchema,
      `select ${COLUMNS} from worker_pools.slots where environment = $1 and id = any($2)`,
      [environment, ids],
    );
    const found = new Map(slots.map((slot) => [slot.id, slot]));
    return ids.map((id) => found.get(id));
  }

  async renew(environment: string, id: string, now: number): Promise<Slot | undefined> {
    const [renewed] = await this.database.query(
      rowSchema,
      `update worker_pools.slots set expires_at = $3 + ttl
       where environment = $1 and id = $2 and state = 'granted' and expires_at > $3
       returning ${COLUMNS}`,
      [environment, id, now],
    );
    if (renewed) return renewed;
    const slot = await this.get(environment, id);
    return slot?.state === 'waiting' ? slot : undefined;
  }

  async release(environment: string, id: string, now: number): Promise<Slot | undefined> {
    return (await this.deskOf(environment).release({ id, now })) ?? this.get(environment, id);
  }

  /**
   * Rows are locked in order, so that two processes cannot wait for each other, and found by arrays: for a join the planner,
   * which does not know how few there are, reads all slots of the last hour.
   */
  private async releaseAll(
    environment: string,
    given: readonly { readonly id: string; readonly now: number }[],
  ): Promise<(Slot | undefined)[]> {
    const slots = await this.database.query(
      rowSchema,
      `update worker_pools.slots set state = 'released', ended_at = $3
       where environment = $1 and id = any(array(
         select id from worker_pools.slots
         where environment = $1 and id = any($2) and state in ('waiting', 'granted')
         order by id for update
       ))
       returning ${COLUMNS}`,
      [environment, given.map(({ id }) => id), Math.max(...given.map(({ now }) => now))],
    );
    const released = new Map(slots.map((slot) => [slot.id, slot]));
    return given.map(({ id }) => released.get(id));
  }

  async settle(environment: string, now: number): Promise<string[]> {
    const changed = await this.database.query(
      z.object({ id: z.string() }),
      'select id from worker_pools.settle_slots($1, $2, $3) as id',
      [environment, now, now - this.silence],
    );
    return changed.map(({ id }) => id);
  }

  async load(environment: string, since = Infinity): Promise<Load> {
    const rows = await this.database.query(
      loadSchema,
      `select 'waiting' as part, pool, null as worker, count(*)::integer as waiting,
         min(requested_at) as oldest, null::double precision[] as times
       from worker_pools.slots where environment = $1 and state = 'waiting' group by pool
       union all
       select 'held', pool, worker, null, null, array_agg(granted_at order by granted_at)
       from worker_pools.slots where environment = $1 and state = 'granted' group by pool, worker
       union all
       select 'waits', pool, null, null, null, array_agg(granted_at - requested_at order by granted_at, place)
       from worker_pools.slots where environment = $1 and granted_at > $2 group by pool`,
      [environment, since],
    );
    const load: Load = {};
    for (const row of rows) {
      const pool = (load[row.pool] ??= { waiting: 0, held: {}, waits: [] });
      if (row.part === 'waiting') Object.assign(pool, { waiting: row.waiting, oldest: row.oldest });
      else if (row.part === 'held') pool.held[row.worker] = row.times;
      else pool.waits = row.times;
    }
    return load;
  }
}
