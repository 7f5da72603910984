import { parseStackMemory, INITIAL_STACK_MEMORY } from '../../automation/decide/memory';
import { decideStack } from '../../automation/decide/stack';
import type {
  ScaledPool,
  StackMemory,
  StackObservation,
  StackPlan,
} from '../../automation/decide/stack-types';
import type { LaunchFailure } from '../../automation/decide/types';
import type { WorkerView } from '../../automation/observe/types';
import type { Drain, Orders } from '../../automation/registry/types';
import { CI } from './stack-worlds';
import { NOW } from './worlds';

const TICK = 10;
/** Workers act, and are told things, in steps of this many seconds. */
const STEP = 2;
const BEAT_INTERVAL = 10;
const SILENT_AFTER = 60;

export interface Job {
  readonly arrival: number;
  readonly service: number;
}

/** Something that happens at a tick. */
export type Event =
  | { readonly kind: 'edit' | 'restart-forgetful' | 'restart' | 'pause' | 'unpause' | 'no-order' }
  | { readonly kind: 'order'; readonly size: number }
  | { readonly kind: 'drain' | 'undrain' | 'mute' | 'unmute' | 'crash'; readonly worker: number }
  | { readonly kind: 'refuse'; readonly by: LaunchFailure['kind'] }
  | { readonly kind: 'serve' | 'queue-down' | 'queue-up' | 'bad-template' | 'good-template' };

interface Worker {
  readonly id: string;
  readonly created: number;
  readonly readyAt: number;
  readonly template: number;
  running: { since: number; until: number }[];
  registeredAt?: number;
  beat?: { at: number; running: readonly number[] };
  drain?: Drain;
  /** It was told of its drain, and obeys. */
  obeys: boolean;
  muted: boolean;
  gone: boolean;
}

/** What one tick saw and decided, for laws to judge. */
export interface Tick {
  readonly observation: StackObservation;
  readonly plan: StackPlan;
  readonly memory: StackMemory;
  /** Jobs that really run, by worker. */
  readonly truth: ReadonlyMap<string, number>;
}

/** One pool of simulated workers that the stack's decisions drive: no clock, no chance, no I/O. */
export class Fleet {
  now = NOW;
  readonly pool: ScaledPool;
  #workers: Worker[] = [];
  #serial = 1;
  #template = 1;
  #bad = new Set<number>();
  #waiting: Job[] = [];
  #coming: Job[];
  #memory: StackMemory = INITIAL_STACK_MEMORY;
  #orders: Orders = { sizes: {}, rollouts: {} };
  #refusal: LaunchFailure['kind'] | undefined;
  #queueReadAt: number | undefined;
  #queueDown = false;
  #seen: StackObservation['pools'][string]['queue'];
  #listeningSince = NOW - 3600;
  #news = {
    served: [] as number[],
    booted: [] as number[],
    failures: [] as LaunchFailure[],
    launched: [] as (typeof CI.placements)[number][],
  };
  done = 0;

  constructor(jobs: readonly Job[], pool: Partial<ScaledPool> = {}) {
    this.pool = { ...CI, maxSize: 6, targetWait: 300, ...pool };
    this.#coming = jobs
      .map(({ arrival, service }) => ({ arrival: NOW + arrival, service }))
      .toSorted((a, b) => a.arrival - b.arrival);
  }

  get size(): number {
    return this.#workers.length;
  }

  get left(): number {
    return (
      this.#coming.length + this.#waiting.length + this.#workers.flatMap(({ running }) => running).length
    );
  }

  happen(event: Event): void {
    const worker =
      'worker' in event ? this.#workers[event.worker % Math.max(1, this.#workers.length)] : undefined;
    switch (event.kind) {
      case 'edit':
        this.#template += 1;
        break;
      case 'bad-template':
        this.#template += 1;
        this.#bad.add(this.#template);
        break;
      case 'good-template':
        if (this.#bad.has(this.#template)) this.#template += 1;
        break;
      case 'restart':
      case 'restart-forgetful':
        this.#memory =
          event.kind === 'restart'
            ? (parseStackMemory(JSON.parse(JSON.stringify(this.#memory))) ?? INITIAL_STACK_MEMORY)
            : INITIAL_STACK_MEMORY;
        this.#listeningSince = this.now;
        this.#seen = undefined;
        this.#news = { served: [], booted: [], failures: [], launched: [] };
        break;
      case 'pause':
        this.#orders = { ...this.#orders, pause: { by: 'ann', since: this.now, reason: 'a look' } };
        break;
      case 'unpause': {
        const { sizes, rollouts } = this.#orders;
        this.#orders = { sizes, rollouts };
        break;
      }
      case 'order':
        this.#orders = {
          ...this.#orders,
          sizes: { ci: { size: event.size, by: 'ann', since: this.now, until: this.now + 1800 } },
        };
        break;
      case 'no-order':
        this.#orders = { ...this.#orders, sizes: {} };
        break;
      case 'drain':
        if (worker) this.#drain(worker, { cause: 'operator', reason: 'drained by hand' });
        break;
      case 'undrain':
        if (worker?.drain?.cause === 'operator') this.#resume(worker);
        break;
      case 'mute':
        if (worker) worker.muted = true;
        break;
      case 'unmute':
        for (const one of this.#workers) one.muted = false;
        break;
      case 'crash':
        if (worker) {
          worker.gone = true;
          // The queue gives an abandoned job to somebody else.
          for (const { since, until } of worker.running)
            this.#waiting.push({ arrival: since, service: until - since });
          worker.running = [];
        }
        break;
      case 'refuse':
        this.#refusal = event.by;
        break;
      case 'serve':
        this.#refusal = undefined;
        break;
      case 'queue-down':
        this.#queueDown = true;
        break;
      case 'queue-up':
        this.#queueDown = false;
        break;
    }
  }

  /** A decision, its execution, and what happens until the next. */
  tick(): Tick {
    const observation = this.observe();
    const truth = new Map(this.#workers.map(({ id, running }) => [id, running.length]));
    const decision = decideStack(observation, { pools: { ci: this.pool } }, this.#memory);
    this.#memory = decision.memory;
    this.#news = { served: [], booted: [], failures: [], launched: [] };
    this.#apply(decision.plan);
    for (let second = 0; second < TICK; second += STEP) this.#advance();
    return { observation, plan: decision.plan, memory: decision.memory, truth };
  }

  observe(): StackObservation {
    if (!this.#queueDown) {
      this.#queueReadAt = this.now;
      const oldest = this.#waiting[0]?.arrival;
      this.#seen = {
        observedAt: this.#queueReadAt,
        waiting: this.#waiting.length,
        ...(oldest === undefined ? {} : { oldest }),
      };
    }
    return {
      now: this.now,
      pools: {
        ci: {
          workers: this.#workers.map((worker) => this.#view(worker)),
          ...(this.#seen ? { queue: this.#seen } : {}),
          ...this.#news,
        },
      },
      orders: this.#orders,
      listeningSince: this.#listeningSince,
    };
  }

  #apply({ launches, removals, drains, resumes }: StackPlan): void {
    const byId = new Map(this.#workers.map((worker) => [worker.id, worker]));
    const removed = new Set(removals.map(({ id }) => id));
    this.#workers = this.#workers.filter(({ id }) => !removed.has(id));
    for (const { id, cause, reason } of drains) {
      const worker = byId.get(id);
      if (worker) this.#drain(worker, { cause, reason });
    }
    for (const id of resumes) {
      const worker = byId.get(id);
      if (worker) this.#resume(worker);
    }
    for (const { serverType, location } of launches) {
      const placement = { serverType, location };
      if (this.#refusal !== undefined) {
        this.#news.failures.push({ placement, kind: this.#refusal });
        continue;
      }
      const id = `ci-${this.#serial.toString(36).padStart(4, '0')}`;
      const boots = this.#bad.has(this.#template) ? Infinity : 60 + ((this.#serial * 37) % 90);
      this.#serial += 1;
      this.#news.launched.push({ ...placement, price: 0.01 });
      this.#workers.push({
        id,
        created: this.now,
        readyAt: this.now + boots,
        template: this.#template,
        running: [],
        obeys: false,
        muted: false,
        gone: false,
      });
    }
  }

  #drain(worker: Worker, { cause, reason }: Pick<Drain, 'cause' | 'reason'>): void {
    if (worker.registeredAt === undefined) return;
    if (worker.drain && (worker.drain.cause !== 'policy' || cause === 'excess')) return;
    worker.drain = { ...worker.drain, cause, reason, since: worker.drain?.since ?? this.now };
  }

  #resume(worker: Worker): void {
    delete worker.drain;
  }

  #advance(): void {
    this.now += STEP;
    while (this.#coming[0] !== undefined && this.#coming[0].arrival <= this.now)
      this.#waiting.push(...this.#coming.splice(0, 1));
    this.#workers.forEach((worker, index) => {
      if (worker.gone) return;
      for (const { since, until } of worker.running)
        if (until <= this.now) {
          this.#news.served.push(until - since);
          this.done += 1;
        }
      worker.running = worker.running.filter(({ until }) => until > this.now);
      if (this.now < worker.readyAt) return;
      if (!worker.muted && (this.now - NOW + index * STEP) % BEAT_INTERVAL < STEP) this.#beat(worker);
      if (worker.registeredAt === undefined || worker.obeys) return;
      while (worker.running.length < this.pool.slots && this.#waiting.length > 0)
        for (const { service } of this.#waiting.splice(0, 1))
          worker.running.push({ since: this.now, until: this.now + service });
    });
  }

  #beat(worker: Worker): void {
    if (worker.registeredAt === undefined) {
      worker.registeredAt = this.now;
      this.#news.booted.push(this.now - worker.created);
    }
    worker.beat = { at: this.now, running: worker.running.map(({ since }) => since) };
    worker.obeys = worker.drain !== undefined;
    if (worker.drain && worker.drain.toldAt === undefined)
      worker.drain = { ...worker.drain, toldAt: this.now };
  }

  #view(worker: Worker): WorkerView {
    const { id, created, beat, registeredAt, drain, gone } = worker;
    const spoke = Math.max(beat?.at ?? 0, this.#listeningSince);
    return {
      id,
      pool: 'ci',
      member: {
        id,
        configHash: String(worker.template),
        configHashVersion: 1,
        serverType: 'cx33',
        location: 'fsn1',
        launchedAt: new Date(created * 1000).toISOString(),
      },
      created,
      drifted: worker.template !== this.#template,
      hourly: 0.01,
      status: gone
        ? 'lost'
        : registeredAt === undefined
          ? 'booting'
          : this.now - spoke > SILENT_AFTER
            ? 'silent'
            : drain
              ? 'draining'
              : 'ready',
      ...(registeredAt === undefined || beat === undefined
        ? {}
        : {
            registered: {
              environment: 'test',
              pool: 'ci',
              worker: id,
              hostname: id,
              slots: this.pool.slots,
              address: '10.0.0.1',
              registeredAt,
              seenAt: beat.at,
              beatAt: beat.at,
              busy: beat.running.length,
              running: beat.running,
              ...(drain ? { drain } : {}),
            },
          }),
    };
  }
}
