import type { Membership } from '../../components/model/membership';

/** All times are seconds since 1970, all durations seconds, as everywhere in `automation/`. */

/** A worker as it names itself; `environment` is the stack's name. */
export interface WorkerKey {
  readonly environment: string;
  readonly pool: string;
  readonly worker: string;
}

export interface Registration {
  readonly hostname: string;
  readonly slots: number;
  readonly address: string;
}

/** What a heartbeat says. */
export interface Beat {
  /** The worker's own clock when it spoke; a beat that is not younger than the last one is a replay. */
  readonly at: number;
  /** Jobs that run on it now. */
  readonly busy: number;
  /** Seconds that each of them has run. */
  readonly ages: readonly number[];
}

/** Why a worker takes no further jobs. Only `policy` ends by itself when load returns. */
export type DrainCause = 'policy' | 'rollout' | 'operator' | 'excess';

export interface Drain {
  readonly cause: DrainCause;
  readonly reason: string;
  readonly since: number;
  /** When a heartbeat first carried the order to the worker; absent until then. */
  readonly toldAt?: number;
}

/** A worker that has registered. */
export interface RegisteredWorker extends WorkerKey, Registration {
  readonly registeredAt: number;
  /** When it last registered or beat, by this service's clock. */
  readonly seenAt: number;
  /** When it last said how many jobs run; absent before its first beat. */
  readonly beatAt?: number;
  readonly busy: number;
  /** Since when each of its jobs runs, oldest first; as many as `busy`. */
  readonly running: readonly number[];
  readonly drain?: Drain;
}

export type BeatAnswer =
  | { readonly kind: 'ok'; readonly drain: boolean }
  /** It has to register (again) first. */
  | { readonly kind: 'unknown' }
  | { readonly kind: 'replayed' };

/** A job that ended on a worker. */
export interface ServedJob {
  readonly pool: string;
  readonly endedAt: number;
  readonly seconds: number;
}

/** What workers said of themselves. Written by every process that serves the worker API, read by the one that leads. */
export interface WorkerBook {
  /**
   * Idempotent: a worker registers again after every failure. Keeps its drain and its first `registeredAt`; forgets that
   * it was told to drain, because the answer that said so may be the one that was lost.
   * @param registration with `at`, the worker's own clock: beats that it sent before are replays from now on, and a clock
   *   that was set back is taken as it is
   */
  register(
    worker: WorkerKey,
    registration: Registration & Partial<Pick<Beat, 'at'>>,
    now: number,
  ): Promise<void>;
  beat(worker: WorkerKey, beat: Beat, now: number): Promise<BeatAnswer>;
  /** A worker's set-up failed in this step, so it does not get ready. Kept for a day, unless the worker registers after all
   *  or is forgotten. @returns whether that is news */
  fail(worker: WorkerKey, step: string, now: number): Promise<boolean>;
  /** By worker whose set-up failed: in which step. */
  failedSteps(environment: string): Promise<Readonly<Record<string, string>>>;
  list(environment: string): Promise<RegisteredWorker[]>;
  /** Tells workers with their next heartbeat to take no further jobs. One that drains already keeps its first cause,
   *  except that `operator` and `rollout` take over from `policy`. A worker that never registered is ignored. */
  drain(
    environment: string,
    workers: readonly string[],
    drain: Pick<Drain, 'cause' | 'reason'>,
    now: number,
  ): Promise<void>;
  resume(environment: string, workers: readonly string[]): Promise<void>;
  /** For workers whose server is gone. Slots held on them expire. */
  forget(environment: string, workers: readonly string[]): Promise<void>;
  /** Jobs that ended after `since`, in order; kept for a day. A job ends with the first beat that does not tell of it. */
  served(environment: string, since: number): Promise<ServedJob[]>;
}

/** `worker`: what a worker said of itself that was more than a heartbeat. */
export const auditKinds = [
  'decision',
  'update',
  'command',
  'alarm',
  'sweep',
  'recovery',
  'leadership',
  'worker',
] as const;
export type AuditKind = (typeof auditKinds)[number];

/** One line of the audit trail: a decision with its inputs and reasons, an update, a person's command, an alarm. */
export interface AuditEntry {
  readonly id: number;
  readonly at: number;
  readonly environment: string;
  readonly pool?: string;
  /** `scaler`, the person's name as given with the command, or a worker's id. */
  readonly actor: string;
  readonly kind: AuditKind;
  /** One sentence. */
  readonly summary: string;
  /** Plain JSON; never a secret. */
  readonly detail: unknown;
}

export interface AuditTrail {
  append(entry: Omit<AuditEntry, 'id'>): Promise<void>;
  /** Youngest first. */
  latest(
    environment: string,
    filter: { pool?: string; kind?: AuditEntry['kind']; worker?: string; limit: number },
  ): Promise<AuditEntry[]>;
  /** Deletes what is older; called once a day. */
  prune(before: number): Promise<void>;
}

/** The membership that an update is about to declare, written before the engine starts and cleared after it. */
export interface Intent {
  readonly environment: string;
  readonly membership: Membership;
  readonly at: number;
  /** Who writes: tells whose lock it is after a kill. */
  readonly holder: { readonly host: string; readonly pid: number; readonly startedAt: number };
}

export interface IntentBook {
  write(intent: Intent): Promise<void>;
  open(environment: string): Promise<Intent | undefined>;
  clear(environment: string): Promise<void>;
}

/** What people ordered; read by the leader at each tick. */
export interface Orders {
  /** No changes while present. */
  readonly pause?: { readonly by: string; readonly since: number; readonly reason: string };
  /** By pool: hold at least/at most/exactly until `until`. */
  readonly sizes: Readonly<Record<string, SizeOrder>>;
  /** By pool: replace these workers (all drifted ones where empty), whatever their template. */
  readonly rollouts: Readonly<Record<string, RolloutOrder>>;
}
export interface SizeOrder {
  readonly size: number;
  readonly by: string;
  readonly since: number;
  readonly until: number;
}
export interface RolloutOrder {
  /** Members to be replaced, also those whose template is current. */
  readonly workers: readonly string[];
  readonly by: string;
  readonly since: number;
}

export interface OrderBook {
  read(environment: string): Promise<Orders>;
  pause(environment: string, pause: NonNullable<Orders['pause']>): Promise<void>;
  unpause(environment: string): Promise<void>;
  /** `undefined` takes the order back. */
  setSize(environment: string, pool: string, order: SizeOrder | undefined): Promise<void>;
  setRollout(environment: string, pool: string, order: RolloutOrder | undefined): Promise<void>;
}

/** Plain JSON that outlives a restart: the policy's state by pool, the fleet's memory, what `status` last said. */
export interface Memory {
  get(environment: string, key: string): Promise<unknown>;
  set(environment: string, key: string, value: unknown): Promise<void>;
}

/** One paid-for server: what the month has cost is computed from these. */
export interface LedgerEntry {
  readonly environment: string;
  readonly serverId: number;
  readonly worker: string;
  readonly pool: string;
  readonly created: number;
  /** EUR gross a started hour, and the most that a month costs; as the vendor's list said when it was first seen. */
  readonly hourly: number;
  readonly monthly: number;
  /** When it was first seen to be gone. */
  readonly deleted?: number;
}

export interface Ledger {
  /** Adds servers not known yet, and notes as deleted at `now` those of the environment that are not listed any more.
   *  Only for complete lists. */
  observe(
    environment: string,
    servers: readonly Omit<LedgerEntry, 'environment' | 'deleted'>[],
    now: number,
  ): Promise<void>;
  /** Everything that was alive at some time since. */
  since(environment: string, from: number): Promise<LedgerEntry[]>;
}

export type SlotState = 'waiting' | 'granted' | 'released' | 'expired';

/** A caller's claim on one place of a worker (queue kind `slots`). */
export interface Slot {
  readonly id: string;
  readonly environment: string;
  readonly pool: string;
  readonly state: SlotState;
  readonly requestedAt: number;
  /** A waiting one gives up, a granted one is freed, at this time unless renewed. */
  readonly expiresAt: number;
  readonly worker?: string;
  readonly address?: string;
  readonly grantedAt?: number;
}

export interface SlotRequest {
  readonly id: string;
  readonly environment: string;
  readonly pool: string;
  /** Seconds that the caller waits at most. */
  readonly patience: number;
  /** Seconds that a granted slot is kept without being renewed. */
  readonly ttl: number;
}

/**
 * Slots on workers. A worker has as many as it registered with; never are more granted, whatever asks at once.
 * First come, first served. Draining workers, and workers not seen for `silence` seconds, get none.
 */
export interface SlotBook {
  /** Grants at once where a slot is free, else waits in line. The same id again answers what became of it, for an hour
   *  after its end. The fullest worker that has room gets it, so that others fall idle. */
  request(request: SlotRequest, now: number): Promise<Slot>;
  get(environment: string, id: string): Promise<Slot | undefined>;
  /** Keeps a granted slot for its `ttl` from now on; one that waits stays as it is.
   *  @returns undefined when there is none, or it is not held any more */
  renew(environment: string, id: string, now: number): Promise<Slot | undefined>;
  /** Gives a held slot back, or up waiting for it. @returns what became of it; undefined when there is none */
  release(environment: string, id: string, now: number): Promise<Slot | undefined>;
  /** Gives free slots to those that wait, and ends what has expired. Called at each tick, and after a slot or worker
   *  came free. @returns the ids whose state it changed */
  settle(environment: string, now: number): Promise<string[]>;
  /** By pool: how many wait, since when the oldest; since when each granted slot is held, by worker; and how long those
   *  waited that were granted after `since` (none where it is absent), for an hour after their end. */
  load(
    environment: string,
    since?: number,
  ): Promise<
    Record<string, { waiting: number; oldest?: number; held: Record<string, number[]>; waits: number[] }>
  >;
}

/** One process leads an environment at a time. */
export interface Leadership {
  /** How it is kept apart: told in `status` and the log. */
  readonly kind: 'advisory-lock' | 'file-lock';
  /** Tries once. @returns whether this process leads now */
  acquire(environment: string): Promise<boolean>;
  /** Whether it still does, as far as can be told without asking. False at once after the connection was lost. */
  holds(environment: string): boolean;
  release(environment: string): Promise<void>;
}

export interface Registry {
  readonly workers: WorkerBook;
  readonly audit: AuditTrail;
  readonly intents: IntentBook;
  readonly orders: OrderBook;
  readonly memory: Memory;
  readonly ledger: Ledger;
  readonly slots: SlotBook;
  readonly leadership: Leadership;
  /** One cheap round trip, for `/readyz`. @throws Error when the database does not answer */
  ping(): Promise<void>;
  close(): Promise<void>;
}
