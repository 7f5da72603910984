import type {
  AuditEntry,
  Drain,
  Orders,
  RegisteredWorker,
  Registry,
  Slot,
  SlotRequest,
} from '../../../automation/registry/types';

type Mutable<T> = { -readonly [K in keyof T]: T[K] };

export interface MemoryRegistry extends Registry {
  /** Makes every call fail from now on, or work again. */
  fail(problem: string | undefined): void;
}

function replaced<T>(
  orders: Readonly<Record<string, T>>,
  pool: string,
  order: T | undefined,
): Record<string, T> {
  const others = Object.entries(orders).filter(([name]) => name !== pool);
  return Object.fromEntries(order === undefined ? others : [...others, [pool, order]]);
}

/** The least registry that keeps the contract's promises to the HTTP side, without a database. */
export function memoryRegistry(): MemoryRegistry {
  const workers = new Map<string, Mutable<RegisteredWorker> & { lastAt: number }>();
  const failedSteps = new Map<string, string>();
  const audit: AuditEntry[] = [];
  const orders = new Map<string, Mutable<Orders>>();
  const memory = new Map<string, unknown>();
  const slots = new Map<string, Mutable<Slot> & { ttl: number }>();
  let problem: string | undefined;

  const check = (): void => {
    if (problem !== undefined) throw new Error(problem);
  };
  const ordersOf = (environment: string): Mutable<Orders> => {
    const known = orders.get(environment) ?? { sizes: {}, rollouts: {} };
    orders.set(environment, known);
    return known;
  };
  const of = (environment: string) =>
    [...workers.values()].filter((worker) => worker.environment === environment);
  const settle = (environment: string, now: number): string[] => {
    const changed: string[] = [];
    for (const slot of slots.values()) {
      if (['waiting', 'granted'].includes(slot.state) && slot.expiresAt <= now) {
        slot.state = 'expired';
        changed.push(slot.id);
      }
    }
    for (const slot of slots.values()) {
      if (slot.environment !== environment || slot.state !== 'waiting') continue;
      const held = (worker: string) =>
        [...slots.values()].filter((other) => other.state === 'granted' && other.worker === worker).length;
      const free = of(environment).find(
        (worker) => worker.pool === slot.pool && !worker.drain && held(worker.worker) < worker.slots,
      );
      if (!free) continue;
      Object.assign(slot, {
        state: 'granted',
        worker: free.worker,
        address: free.address,
        grantedAt: now,
        expiresAt: now + slot.ttl,
      });
      changed.push(slot.id);
    }
    return changed;
  };

  return {
    fail: (next) => (problem = next),
    workers: {
      async register(key, { at, ...registration }, now) {
        check();
        const known = workers.get(key.worker);
        failedSteps.delete(key.worker);
        workers.set(key.worker, {
          registeredAt: now,
          busy: 0,
          running: [],
          ...known,
          lastAt: at ?? 0,
          ...key,
          ...registration,
          seenAt: now,
        });
      },
      async beat(key, { at, busy, ages }, now) {
        check();
        const worker = workers.get(key.worker);
        if (!worker) return { kind: 'unknown' };
        if (at <= worker.lastAt) return { kind: 'replayed' };
        Object.assign(worker, {
          lastAt: at,
          seenAt: now,
          beatAt: now,
          busy,
          running: ages.map((age) => now - age),
        });
        return { kind: 'ok', drain: worker.drain !== undefined };
      },
      async fail({ worker }, step) {
        check();
        const news = failedSteps.get(worker) !== step;
        failedSteps.set(worker, step);
        return news;
      },
      failedSteps: async () => Object.fromEntries(failedSteps),
      async list(environment) {
        check();
        return of(environment);
      },
      async drain(environment, ids, drain, now) {
        for (const worker of of(environment)) {
          if (ids.includes(worker.worker)) worker.drain ??= { ...drain, since: now } satisfies Drain;
        }
      },
      async resume(environment, ids) {
        for (const worker of of(environment)) if (ids.includes(worker.worker)) delete worker.drain;
      },
      async forget(_environment, ids) {
        for (const id of ids) {
          workers.delete(id);
          failedSteps.delete(id);
        }
      },
      served: async () => [],
    },
    audit: {
      async append(entry) {
        audit.push({ ...entry, id: audit.length + 1 });
      },
      async latest(environment, { pool, kind, worker, limit }) {
        return audit
          .filter(
            (entry) =>
              entry.environment === environment &&
              (pool === undefined || entry.pool === pool) &&
              (kind === undefined || entry.kind === kind) &&
              (worker === undefined || JSON.stringify(entry.detail).includes(JSON.stringify(worker))),
          )
          .reverse()
          .slice(0, limit);
      },
      prune: async () => undefined,
    },
    intents: { write: async () => undefined, open: async () => undefined, clear: async () => undefined },
    orders: {
      async read(environment) {
        check();
        return structuredClone(ordersOf(environment));
      },
      async pause(environment, pause) {
        ordersOf(environment).pause = pause;
      },
      async unpause(environment) {
        delete ordersOf(environment).pause;
      },
      async setSize(environment, pool, order) {
        ordersOf(environment).sizes = replaced(ordersOf(environment).sizes, pool, order);
      },
      async setRollout(environment, pool, order) {
        ordersOf(environment).rollouts = replaced(ordersOf(environment).rollouts, pool, order);
      },
    },
    memory: {
      async get(environment, key) {
        check();
        return memory.get(`${environment} ${key}`);
      },
      async set(environment, key, value) {
        memory.set(`${environment} ${key}`, structuredClone(value));
      },
    },
    ledger: { observe: async () => undefined, since: async () => [] },
    slots: {
      async request({ id, environment, pool, patience, ttl }: SlotRequest, now) {
        check();
        if (!slots.has(id)) {
          slots.set(id, {
            id,
            environment,
            pool,
            ttl,
            state: 'waiting',
            requestedAt: now,
            expiresAt: now + patience,
          });
          settle(environment, now);
        }
        return { ...slots.get(id)! };
      },
      async get(_environment, id) {
        check();
        const slot = slots.get(id);
        return slot && { ...slot };
      },
      async renew(_environment, id, now) {
        const slot = slots.get(id);
        if (slot?.state !== 'granted' || slot.expiresAt <= now) return undefined;
        slot.expiresAt = now + slot.ttl;
        return { ...slot };
      },
      async release(_environment, id) {
        const slot = slots.get(id);
        if (!slot) return undefined;
        if (['waiting', 'granted'].includes(slot.state)) slot.state = 'released';
        return { ...slot };
      },
      async settle(environment, now) {
        return settle(environment, now);
      },
      async load(environment) {
        const pools: Record<
          string,
          { waiting: number; oldest?: number; held: Record<string, number[]>; waits: number[] }
        > = {};
        for (const slot of slots.values()) {
          if (slot.environment !== environment) continue;
          const line = (pools[slot.pool] ??= { waiting: 0, held: {}, waits: [] });
          if (slot.state === 'waiting') {
            line.waiting += 1;
            line.oldest = Math.min(line.oldest ?? Infinity, slot.requestedAt);
          }
          if (slot.state === 'granted') (line.held[slot.worker!] ??= []).push(slot.grantedAt!);
        }
        return pools;
      },
    },
    leadership: {
      kind: 'file-lock',
      acquire: async () => true,
      holds: () => true,
      release: async () => undefined,
    },
    async ping() {
      check();
    },
    close: async () => undefined,
  };
}
