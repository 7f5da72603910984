import { type Job, Queue } from 'bullmq';
import type { Redis } from 'ioredis';
import type { QueueConfigOf } from '../../../components/model/queue-config';
import { readOver } from './connection';
import { type Place, queueError } from './place';
import { toReading } from './reading';
import { connectRedis, endRedis, explainRedis, redisPlace } from './redis';
import { type QueueReading, type QueueSource } from './types';

interface Connection {
  readonly redis: Redis;
  readonly queue: Queue;
}

/**
 * A queue of BullMQ, read with its own client, which is kept from writing its version there. Waiting and prioritised
 * jobs wait, those of a paused queue too; delayed ones do not.
 */
export function bullmqQueue(config: QueueConfigOf<'bullmq'>, directory: string): QueueSource {
  const place = redisPlace(config, `BullMQ queue "${config.queue}", prefix "${config.prefix}"`);
  return readOver<Connection>({
    place,
    async connect(signal, lost) {
      const redis = await connectRedis(config, place, directory, signal, lost);
      try {
        return { redis, queue: await openQueue(redis, config) };
      } catch (error) {
        redis.disconnect();
        throw error;
      }
    },
    read: ({ redis, queue }) => read(redis, queue, place),
    async end({ redis, queue }) {
      await queue.close();
      await endRedis(redis);
    },
    destroy({ redis, queue }) {
      redis.disconnect();
      queue.close().catch(() => {});
    },
    explain: (error) => explainRedis(place, error),
  });
}

async function openQueue(redis: Redis, { queue: name, prefix }: QueueConfigOf<'bullmq'>): Promise<Queue> {
  const queue = new Queue(name, { connection: redis, prefix, skipMetasUpdate: true, skipVersionCheck: true });
  // What fails is told to the reading that asked.
  queue.on('error', () => {});
  await queue.waitUntilReady();
  return queue;
}

async function read(redis: Redis, queue: Queue, place: Place): Promise<QueueReading> {
  const {
    waiting = 0,
    prioritized = 0,
    active = 0,
  } = await queue.getJobCounts('waiting', 'prioritized', 'active');
  // Where BullMQ 5 and before keep the waiting jobs of a paused queue.
  const paused = await redis.llen(queue.toKey('paused'));
  const total = waiting + prioritized + paused;

  if (total + active === 0 && (await redis.exists(...traces(queue))) === 0) {
    throw queueError(
      place,
      'wrong',
      'BullMQ has never used a queue of this name here. Correct queue, prefix, or the URL’s database; or start the program that adds the jobs.',
    );
  }
  // Prioritised jobs are kept by priority, so their oldest is not known without reading them all.
  const [next] =
    prioritized === 0 && paused === 0 && waiting > 0 ? await queue.getJobs(['waiting'], 0, 0, true) : [];
  return toReading(place, { waiting: total, running: active, oldestAge: next && ageOf(next) });
}

/** Keys that outlive a queue's jobs. */
function traces(queue: Queue): string[] {
  return ['meta', 'id', 'events'].map((type) => queue.toKey(type));
}

/** Seconds since the job was due; unknown where the next job is the newest instead of the oldest. */
function ageOf({ timestamp, opts }: Job): number | undefined {
  if (opts.lifo) return undefined;
  return Math.max(0, Date.now() - timestamp - (opts.delay ?? 0)) / 1000;
}
