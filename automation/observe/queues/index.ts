import type { QueueConfig } from '../../../components/model/queue-config';
import { bullmqQueue } from './bullmq';
import { graphileWorkerQueue } from './graphile-worker';
import { httpQueue } from './http';
import { natsQueue } from './nats';
import { pgBossQueue } from './pg-boss';
import { postgresQueue } from './postgres';
import { prometheusQueue } from './prometheus';
import { rabbitmqQueue } from './rabbitmq';
import { redisListQueue } from './redis-list';
import { redisStreamQueue } from './redis-stream';
import type { QueueSource } from './types';

/**
 * The source of a pool's queue. Nothing is connected before the first reading. `slots` has none: the service keeps
 * those itself.
 */
export function openQueue(
  config: Exclude<QueueConfig, { kind: 'slots' }>,
  {
    directory,
  }: {
    /** Where certificate files with a relative path lie. */
    readonly directory: string;
  },
): QueueSource {
  switch (config.kind) {
    case 'postgres':
      return postgresQueue(config, directory);
    case 'pg-boss':
      return pgBossQueue(config, directory);
    case 'graphile-worker':
      return graphileWorkerQueue(config, directory);
    case 'redis-list':
      return redisListQueue(config, directory);
    case 'redis-stream':
      return redisStreamQueue(config, directory);
    case 'bullmq':
      return bullmqQueue(config, directory);
    case 'rabbitmq':
      return rabbitmqQueue(config, directory);
    case 'nats':
      return natsQueue(config, directory);
    case 'http':
      return httpQueue(config, directory);
    case 'prometheus':
      return prometheusQueue(config, directory);
  }
}
