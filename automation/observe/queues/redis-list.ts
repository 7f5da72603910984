import type { Redis } from 'ioredis';
import type { QueueConfigOf } from '../../../components/model/queue-config';
import { readOver } from './connection';
import { toReading } from './reading';
import { connectRedis, endRedis, explainRedis, redisPlace } from './redis';
import { type QueueSource } from './types';

/** A list: its length waits. Redis keeps neither who took an entry nor when it came. */
export function redisListQueue(config: QueueConfigOf<'redis-list'>, directory: string): QueueSource {
  const place = redisPlace(config, `list "${config.key}"`);
  return readOver<Redis>({
    place,
    connect: (signal, lost) => connectRedis(config, place, directory, signal, lost),
    read: async (redis) => toReading(place, { waiting: await redis.llen(config.key) }),
    end: endRedis,
    destroy: (redis) => redis.disconnect(),
    explain: (error) => explainRedis(place, error),
  });
}
