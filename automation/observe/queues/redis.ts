import { Redis } from 'ioredis';
import type { TlsConfig } from '../../../components/model/queue-config';
import { detailsOf } from './faults';
import { type Place, placeOf, queueError, quoted } from './place';
import { readTlsFiles } from './tls-files';
import { type QueueError } from './types';

interface RedisConfig {
  readonly url: string;
  readonly tls?: TlsConfig | undefined;
}

/** The database's number in a Redis URL, `redis://host/2`. */
function databaseOf(url: string): number {
  return Number(new URL(url).pathname.slice(1) || 0);
}

export function redisPlace(config: RedisConfig, queue: string): Place {
  return placeOf(config.url, { name: 'Redis', port: 6379 }, `database ${databaseOf(config.url)}, ${queue}`);
}

/** A connection that does not try again by itself: a reading fails at once, and the next one connects anew. */
export async function connectRedis(
  config: RedisConfig,
  place: Place,
  directory: string,
  signal: AbortSignal,
  lost: (reason?: unknown) => void,
): Promise<Redis> {
  const secure = config.url.startsWith('rediss:');
  const tls = secure ? await readTlsFiles(config.tls ?? {}, place, directory) : undefined;
  const redis = new Redis(config.url, {
    ...(tls ? { tls } : {}),
    // Replies of RESP 2 are alike from Redis 5 on.
    protocol: 2,
    lazyConnect: true,
    retryStrategy: () => null,
    maxRetriesPerRequest: 0,
    enableOfflineQueue: false,
    // It asks for INFO, which a reader's role need not be allowed.
    enableReadyCheck: false,
    disableClientInfo: true,
  });
  // The client rejects with "Connection is closed" and tells the reason only here.
  let reason: unknown;
  redis.on('error', (error: unknown) => {
    reason = error;
    lost(error);
  });
  redis.on('end', () => lost());
  signal.addEventListener('abort', () => redis.disconnect(), { once: true });
  try {
    await redis.connect();
    // By hand, because the client goes on with database 0 where this fails.
    const database = databaseOf(config.url);
    if (database !== 0) await redis.select(database);
    return redis;
  } catch (error) {
    redis.disconnect();
    throw reason ?? error;
  }
}

export async function endRedis(redis: Redis): Promise<void> {
  await redis.quit();
}

/** Replies of a Redis server that is not willing or not able. */
export function explainRedis(place: Place, error: unknown): QueueError | undefined {
  const { message } = detailsOf(error);
  const said = quoted(place, message);
  if (/^NOAUTH|^-?NOAUTH/.test(message)) {
    return queueError(
      place,
      'refused',
      'it wants a password. Give it in the URL: redis://:password@host or redis://user:password@host',
    );
  }
  if (/^WRONGPASS|invalid password/.test(message)) {
    return queueError(place, 'refused', 'it does not accept user and password. Correct them in the URL.');
  }
  if (message.startsWith('NOPERM')) {
    return queueError(place, 'refused', `${said}. Allow the user what docs/queues.md lists, by ACL SETUSER.`);
  }
  if (/^(LOADING|MASTERDOWN|CLUSTERDOWN|BUSY) /.test(message) || message.includes('max number of clients')) {
    return queueError(place, 'unreachable', `${said}. The next reading tries again.`);
  }
  if (message.startsWith('WRONGTYPE')) {
    return queueError(
      place,
      'wrong',
      'the key holds something else than this kind of queue. Correct kind or key.',
    );
  }
  if (/^(MOVED|ASK) /.test(message)) {
    return queueError(
      place,
      'wrong',
      `the key is on another node of a cluster (${said}). Give that node’s URL.`,
    );
  }
  // Every reply that tells of an error begins with a word in capitals.
  if (/^[A-Z]{3,} /.test(message) && error instanceof Error && error.name === 'ReplyError') {
    return queueError(place, 'wrong', `${said}. Correct the pool’s queue.`);
  }
  return undefined;
}
