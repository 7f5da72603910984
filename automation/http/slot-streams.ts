import type { FastifyReply } from 'fastify';
import type { Log } from '../log';
import type { Registry, Slot } from '../registry/types';
import type { PoolStatus } from '../status';
import { EVENT_STREAM } from './listener';
import type { Metrics } from './metrics';
import type { ReadStatus } from './published';
import { Refusal } from './refusal';
import { slotView } from './slot-view';

export interface SlotStreams {
  /** Tells the caller of every change until the slot is granted or has ended. @throws Refusal 503 when too many do */
  follow(slot: Slot, reply: FastifyReply): void;
  close(): void;
}

interface StreamsArgs {
  readonly registry: Registry;
  readonly status: ReadStatus;
  readonly log: Log;
  readonly metrics: Metrics;
  /** Seconds between looks. */
  readonly streamInterval: number;
}

interface Stream {
  readonly slot: Slot;
  readonly reply: FastifyReply;
  /** What was last said; only changes are. */
  said: string;
}

const MOST_STREAMS = 500;
/** Looks without a change after which a comment keeps proxies from closing the connection. */
const QUIET_LOOKS = 15;

/** One look a second serves all streams: two queries an environment, and one for each stream. */
export function slotStreams({ registry, status, log, metrics, streamInterval }: StreamsArgs): SlotStreams {
  const open = new Set<Stream>();
  let timer: NodeJS.Timeout | undefined;
  let looks = 0;

  const end = (stream: Stream): void => {
    if (!open.delete(stream)) return;
    metrics.slotStreams.set(open.size);
    stream.reply.raw.end();
  };
  const send = (stream: Stream, event: string, data: unknown): void => {
    const text = `event: ${event}\ndata: ${JSON.stringify(data)}\n\n`;
    // The caller may have gone while the registry was asked.
    if (text === stream.said || !open.has(stream)) return;
    stream.said = text;
    stream.reply.raw.write(text);
  };
  const tell = async (stream: Stream, progress: Progress): Promise<void> => {
    const { environment, id, pool } = stream.slot;
    const slot = (await registry.slots.get(environment, id)) ?? { ...stream.slot, state: 'expired' as const };
    if (slot.state === 'waiting') return send(stream, 'progress', progress(pool, slot));
    send(stream, slot.state, slotView(slot));
    end(stream);
  };
  const look = async (): Promise<void> => {
    looks += 1;
    for (const [environment, streams] of byEnvironment(open)) {
      const progress = await progressOf(registry, status, environment);
      await Promise.all(streams.map((stream) => tell(stream, progress)));
    }
    if (looks % QUIET_LOOKS === 0) for (const { reply } of open) reply.raw.write(': waiting\n\n');
  };
  const schedule = (seconds: number): void => {
    timer ??= setTimeout(() => {
      void look()
        .catch((error: unknown) => log.warn('slot-streams-failed', { error }))
        .finally(() => {
          timer = undefined;
          if (open.size > 0) schedule(streamInterval);
        });
    }, seconds * 1000);
  };

  return {
    follow: (slot, reply) => {
      if (open.size >= MOST_STREAMS) {
        throw new Refusal(
          503,
          'too-many-streams',
          `${MOST_STREAMS} callers follow their slots already; ask with GET now and then`,
        );
      }
      reply.hijack();
      reply.raw.writeHead(200, {
        'content-type': EVENT_STREAM,
        'cache-control': 'no-store',
        'x-accel-buffering': 'no',
      });
      reply.raw.flushHeaders();
      const stream: Stream = { slot, reply, said: '' };
      reply.raw.once('close', () => end(stream));
      open.add(stream);
      metrics.slotStreams.set(open.size);
      schedule(0);
    },
    close: () => {
      clearTimeout(timer);
      for (const stream of open) end(stream);
    },
  };
}

type Progress = (pool: string, slot: Slot) => unknown;

/** What a waiting caller is told: how long the line is, whether it is the first, and what becomes of workers. */
async function progressOf(registry: Registry, status: ReadStatus, environment: string): Promise<Progress> {
  const [load, published] = await Promise.all([registry.slots.load(environment), status(environment)]);
  return (pool, { id, requestedAt, expiresAt }) => {
    const line = load[pool];
    return {
      id,
      state: 'waiting',
      expiresAt,
      waiting: line?.waiting ?? 1,
      first: line?.oldest === undefined || requestedAt <= line.oldest,
      workers: countStates(published?.pools[pool]),
    };
  };
}

function countStates(pool: PoolStatus | undefined): { booting: number; ready: number; desired: number } {
  const count = (state: string): number => pool?.workers.filter(({ status }) => status === state).length ?? 0;
  return { booting: count('booting'), ready: count('ready'), desired: pool?.desired ?? 0 };
}

function byEnvironment(streams: ReadonlySet<Stream>): Map<string, Stream[]> {
  const groups = new Map<string, Stream[]>();
  for (const stream of streams) {
    const { environment } = stream.slot;
    groups.set(environment, [...(groups.get(environment) ?? []), stream]);
  }
  return groups;
}
