import { randomUUID } from 'node:crypto';
import { Queue, Worker } from 'bullmq';
import { Redis } from 'ioredis';
import type { QueueBench } from '../contract';
import { requireServer } from '../proxy';

const PORT = 6379;
const HOST = '127.0.0.1';

async function connectRedis(): Promise<Redis> {
  await requireServer('Redis', PORT);
  return new Redis({ host: HOST, port: PORT });
}

export async function redisListBench(): Promise<QueueBench> {
  const redis = await connectRedis();
  const key = `wp-test:${randomUUID()}`;
  return {
    port: PORT,
    knows: { running: false, oldestAge: false },
    config: (port) => ({ kind: 'redis-list', url: `redis://${HOST}:${port}`, key }),
    async add(jobs) {
      await redis.rpush(key, ...Array.from({ length: jobs }, String));
    },
    async take() {
      await redis.lpop(key);
    },
    async close() {
      await redis.del(key);
      await redis.quit();
    },
  };
}

export async function redisStreamBench(): Promise<QueueBench> {
  const redis = await connectRedis();
  const key = `wp-test:${randomUUID()}`;
  await redis.xgroup('CREATE', key, 'workers', '$', 'MKSTREAM');
  return {
    port: PORT,
    knows: { running: true, oldestAge: true },
    config: (port) => ({ kind: 'redis-stream', url: `redis://${HOST}:${port}/0`, key, group: 'workers' }),
    async add(jobs) {
      for (let job = 0; job < jobs; job += 1) await redis.xadd(key, '*', 'job', job);
    },
    async take() {
      await redis.xreadgroup('GROUP', 'workers', 'one', 'COUNT', 1, 'STREAMS', key, '>');
    },
    async close() {
      await redis.del(key);
      await redis.quit();
    },
  };
}

export async function bullmqBench(): Promise<QueueBench> {
  await requireServer('Redis', PORT);
  const prefix = `wp-test-${randomUUID()}`;
  const options = { connection: { host: HOST, port: PORT }, prefix };
  const queue = new Queue('mails', options);
  // Not due: it does not wait.
  await queue.add('mail', {}, { delay: 600_000 });
  let finish = () => {};
  let worker: Worker | undefined;
  return {
    port: PORT,
    knows: { running: true, oldestAge: true },
    config: (port) => ({ kind: 'bullmq', url: `redis://${HOST}:${port}`, queue: 'mails', prefix }),
    async add(jobs) {
      await queue.addBulk(Array.from({ length: jobs }, () => ({ name: 'mail', data: {} })));
    },
    async take() {
      const busy = new Promise<void>((resolve) => (finish = resolve));
      await new Promise<void>((taken) => {
        worker = new Worker('mails', () => (taken(), busy), options);
      });
    },
    async close() {
      const stopping = worker?.close();
      finish();
      await stopping;
      await queue.obliterate({ force: true });
      await queue.close();
    },
  };
}
