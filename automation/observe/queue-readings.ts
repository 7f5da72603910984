import type { PoolConfig } from '../../components/model/config-schema';
import type { QueueConfig } from '../../components/model/queue-config';
import type { SlotBook } from '../registry/types';
import { QueueError, type QueueReading, type QueueSource } from './queues/types';

/** What is known of one pool's queue. */
export interface QueueState {
  readonly kind: QueueConfig['kind'];
  /** The last good reading, and when it was. */
  readonly reading?: QueueReading & { readonly at: number };
  /** Why the latest reading failed, for the operator. */
  readonly error?: string;
}

type RemoteQueue = Exclude<QueueConfig, { kind: 'slots' }>;

export interface QueueReadingsParts {
  readonly environment: string;
  readonly open: (queue: RemoteQueue) => QueueSource;
  readonly slots: SlotBook;
  /** Real time that one reading may take. */
  readonly timeoutMs: number;
  readonly now: () => number;
}

/** The queues of all pools, read side by side; one that fails keeps its last reading and hinders no other. */
export class QueueReadings {
  private readonly sources = new Map<string, { key: string; source: QueueSource }>();
  private readonly states = new Map<string, QueueState>();

  constructor(private readonly parts: QueueReadingsParts) {}

  async read(pools: Readonly<Record<string, PoolConfig>>): Promise<ReadonlyMap<string, QueueState>> {
    await this.closeExcept(pools);
    const slots = Object.values(pools).some(({ queue }) => queue?.kind === 'slots')
      ? await this.parts.slots.load(this.parts.environment)
      : {};
    await Promise.all(
      Object.entries(pools).map(async ([name, { queue }]) => {
        if (!queue) return;
        if (queue.kind !== 'slots') return this.readRemote(name, queue);
        const at = this.parts.now();
        const { waiting, oldest } = slots[name] ?? { waiting: 0 };
        const running = Object.values(slots[name]?.held ?? {}).reduce((sum, held) => sum + held.length, 0);
        const oldestAge = oldest === undefined ? {} : { oldestAge: at - oldest };
        this.states.set(name, { kind: queue.kind, reading: { waiting, running, ...oldestAge, at } });
      }),
    );
    return this.states;
  }

  async close(): Promise<void> {
    await this.closeExcept({});
  }

  private async readRemote(name: string, queue: RemoteQueue): Promise<void> {
    const before = this.states.get(name);
    try {
      const reading = await this.sourceOf(name, queue).read(AbortSignal.timeout(this.parts.timeoutMs));
      this.states.set(name, { kind: queue.kind, reading: { ...reading, at: this.parts.now() } });
    } catch (error) {
      const message =
        error instanceof QueueError ? error.message : 'the reading ended in a way that nobody expected';
      this.states.set(name, {
        kind: queue.kind,
        ...(before?.reading && before.kind === queue.kind ? { reading: before.reading } : {}),
        error: message,
      });
    }
  }

  private sourceOf(name: string, queue: RemoteQueue): QueueSource {
    const known = this.sources.get(name);
    if (known) return known.source;
    const source = this.parts.open(queue);
    this.sources.set(name, { key: JSON.stringify(queue), source });
    return source;
  }

  /** Ends the sources of pools that are gone or whose queue is another one by now. */
  private async closeExcept(pools: Readonly<Record<string, PoolConfig>>): Promise<void> {
    for (const [name, { key, source }] of [...this.sources]) {
      if (JSON.stringify(pools[name]?.queue) === key) continue;
      this.sources.delete(name);
      this.states.delete(name);
      await source.close().catch(() => undefined);
    }
    for (const name of [...this.states.keys()]) if (!pools[name]?.queue) this.states.delete(name);
  }
}
