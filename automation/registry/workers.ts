import { z } from 'zod';
import type { Database } from './database';
import { followJobs } from './follow-jobs';
import type {
  Beat,
  BeatAnswer,
  Drain,
  RegisteredWorker,
  Registration,
  ServedJob,
  WorkerBook,
  WorkerKey,
} from './types';

const DAY = 86_400;
/** Workers whose jobs are remembered between beats; far more than a service hears. */
const REMEMBERED = 20_000;

const rowSchema = z.object({
  environment: z.string(),
  pool: z.string(),
  worker: z.string(),
  hostname: z.string(),
  slots: z.int(),
  address: z.string(),
  registeredAt: z.number(),
  seenAt: z.number(),
  beatAt: z.number().optional(),
  running: z.array(z.number()),
  cause: z.enum(['policy', 'rollout', 'operator', 'excess']).optional(),
  reason: z.string().optional(),
  since: z.number().optional(),
  toldAt: z.number().optional(),
});

const answerSchema = z.discriminatedUnion('kind', [
  z.object({ kind: z.literal('ok'), drain: z.boolean() }),
  z.object({ kind: z.literal('replayed') }),
  z.object({ kind: z.literal('outdated'), revision: z.int(), running: z.array(z.number()) }),
]);

/** A worker's jobs as they were at a revision of its row. */
interface Jobs {
  readonly revision: number;
  readonly running: readonly number[];
}

/** A revision that no row has: the answer to it says which there is. */
const UNHEARD: Jobs = { revision: -1, running: [] };

export class WorkerTable implements WorkerBook {
  private readonly jobs = new Map<string, Jobs>();

  constructor(private readonly database: Database) {}

  async register(
    { environment, pool, worker }: WorkerKey,
    { hostname, slots, address, at }: Registration & Partial<Pick<Beat, 'at'>>,
    now: number,
  ): Promise<void> {
    await this.database.run(
      `with mended as (
         delete from worker_pools.failed_set_ups where environment = $1 and worker = $2
       )
       insert into worker_pools.workers as w
         (environment, worker, pool, hostname, slots, address, said_at, registered_at, seen_at)
       values ($1, $2, $3, $4, $5, $6, $7, $8, $8)
       on conflict (environment, worker) do update set
         pool = excluded.pool, hostname = excluded.hostname, slots = excluded.slots, address = excluded.address,
         said_at = excluded.said_at, seen_at = greatest(w.seen_at, excluded.seen_at), drain_told_at = null`,
      [environment, worker, pool, hostname, slots, address, at, now],
    );
  }

  /**
   * One round trip: what became of the jobs is worked out from what this process remembers of the worker, and counts only
   * if the row is still at that revision. Otherwise the answer carries the row's, and it is done once more.
   */
  async beat(worker: WorkerKey, beat: Beat, now: number): Promise<BeatAnswer> {
    const key = JSON.stringify([worker.environment, worker.worker]);
    let before = this.jobs.get(key) ?? UNHEARD;
    // Ends: a row at another revision means that another beat of this worker has counted meanwhile.
    for (;;) {
      const { running, served } = followJobs(before.running, beat, now);
      const answer = await this.tryBeat(worker, beat.at, now, before.revision, running, served);
      if (answer?.kind === 'outdated') {
        before = answer;
        continue;
      }
      this.jobs.delete(key);
      if (!answer) return { kind: 'unknown' };
      if (answer.kind === 'ok') this.remember(key, { revision: before.revision + 1, running });
      return answer;
    }
  }

  private async tryBeat(
    { environment, pool, worker }: WorkerKey,
    at: number,
    now: number,
    revision: number,
    running: readonly number[],
    served: readonly number[],
  ): Promise<z.infer<typeof answerSchema> | undefined> {
    const [answer] = await this.database.query(
      answerSchema,
      `with counted as (
         update worker_pools.workers set
           said_at = $4, beat_at = greatest(beat_at, $5), seen_at = greatest(seen_at, $5), running = $7, revision = revision + 1,
           drain_told_at = case when drain_cause is not null then coalesce(drain_told_at, $5) end
         where environment = $1 and worker = $2 and pool = $3 and revision = $6
           and (said_at is null or said_at < $4)
         returning drain_cause is not null as drain
       ), ended as (
         insert into worker_pools.served (environment, pool, ended_at, seconds)
         select $1, $3, $5, seconds from counted, unnest($8::double precision[]) as seconds
       ), outlived as (
         delete from worker_pools.served
         where environment = $1 and ended_at < $5 - ${DAY} and $8::double precision[] <> '{}'
       )
       select 'ok' as kind, drain, null as revision, null as running from counted
       union all
       select case when said_at >= $4 then 'replayed' else 'outdated' end, null, revision, running
       from worker_pools.workers
       where environment = $1 and worker = $2 and pool = $3 and not exists (select from counted)`,
      [environment, worker, pool, at, now, revision, running, served],
    );
    return answer;
  }

  private remember(key: string, jobs: Jobs): void {
    this.jobs.set(key, jobs);
    if (this.jobs.size <= REMEMBERED) return;
    const [longestUnheard] = this.jobs.keys();
    if (longestUnheard !== undefined) this.jobs.delete(longestUnheard);
  }

  async fail({ environment, worker }: WorkerKey, step: string, now: number): Promise<boolean> {
    const news = await this.database.query(
      z.object({ worker: z.string() }),
      `with outlived as (
         delete from worker_pools.failed_set_ups
         where environment = $1 and worker <> $2 and at + ${DAY} < $4
       )
       insert into worker_pools.failed_set_ups as f (environment, worker, step, at) values ($1, $2, $3, $4)
       on conflict (environment, worker) do update set step = excluded.step, at = excluded.at
       where f.step <> excluded.step
       returning worker`,
      [environment, worker, step, now],
    );
    return news.length > 0;
  }

  async failedSteps(environment: string): Promise<Readonly<Record<string, string>>> {
    const rows = await this.database.query(
      z.object({ worker: z.string(), step: z.string() }),
      'select worker, step from worker_pools.failed_set_ups where environment = $1',
      [environment],
    );
    return Object.fromEntries(rows.map(({ worker, step }) => [worker, step]));
  }

  async list(environment: string): Promise<RegisteredWorker[]> {
    const rows = await this.database.query(
      rowSchema,
      `select environment, pool, worker, hostname, slots, address, registered_at as "registeredAt",
         seen_at as "seenAt", beat_at as "beatAt", running, drain_cause as cause, drain_reason as reason,
         drain_since as since, drain_told_at as "toldAt"
       from worker_pools.workers where environment = $1 order by worker`,
      [environment],
    );
    return rows.map(({ cause, reason, since, toldAt, ...worker }) => ({
      ...worker,
      busy: worker.running.length,
      ...(cause && reason !== undefined && since !== undefined
        ? { drain: { cause, reason, since, ...(toldAt === undefined ? {} : { toldAt }) } }
        : {}),
    }));
  }

  async drain(
    environment: string,
    workers: readonly string[],
    { cause, reason }: Pick<Drain, 'cause' | 'reason'>,
    now: number,
  ): Promise<void> {
    // Rows are locked in order, so that two orders for the same workers cannot wait for each other.
    await this.database.run(
      `with concerned as (
         select worker from worker_pools.workers
         where environment = $1 and worker = any($2)
           and (drain_cause is null or (drain_cause = 'policy' and $3 in ('operator', 'rollout')))
         order by worker for update
       )
       update worker_pools.workers w
       set drain_cause = $3, drain_reason = $4, drain_since = coalesce(drain_since, $5)
       from concerned where w.environment = $1 and w.worker = concerned.worker`,
      [environment, workers, cause, reason, now],
    );
  }

  async resume(environment: string, workers: readonly string[]): Promise<void> {
    await this.database.run(
      `with concerned as (
         select worker from worker_pools.workers
         where environment = $1 and worker = any($2) and drain_cause is not null
         order by worker for update
       )
       update worker_pools.workers w
       set drain_cause = null, drain_reason = null, drain_since = null, drain_told_at = null
       from concerned where w.environment = $1 and w.worker = concerned.worker`,
      [environment, workers],
    );
  }

  async forget(environment: string, workers: readonly string[]): Promise<void> {
    await this.database.run(
      `with gone as (
         delete from worker_pools.failed_set_ups where environment = $1 and worker = any($2)
       )
       select worker_pools.forget_workers($1, $2)`,
      [environment, workers],
    );
  }

  async served(environment: string, since: number): Promise<ServedJob[]> {
    return this.database.query(
      z.object({ pool: z.string(), endedAt: z.number(), seconds: z.number() }),
      `select pool, ended_at as "endedAt", seconds from worker_pools.served
       where environment = $1 and ended_at > $2 order by ended_at`,
      [environment, since],
    );
  }
}
