import type { Redis } from 'ioredis';
import { z } from 'zod';
import type { QueueConfigOf } from '../../../components/model/queue-config';
import { readOver } from './connection';
import { detailsOf } from './faults';
import { type Place, queueError } from './place';
import { toReading } from './reading';
import { connectRedis, endRedis, explainRedis, redisPlace } from './redis';
import { type QueueError, type QueueReading, type QueueSource } from './types';

/** Entries fetched at once, and at most, where Redis does not know how many wait. */
const PAGE = 1000;
const COUNT_AT_MOST = 50_000;

/** Replies are lists of names and values in turn. */
const fields = z.array(z.unknown()).transform((list) => {
  const pairs: Record<string, unknown> = {};
  for (let index = 0; index + 1 < list.length; index += 2) pairs[String(list[index])] = list[index + 1];
  return pairs;
});
const entry = z.tuple([z.string(), z.unknown()]);
const streamInfo = fields.pipe(
  z.object({
    length: z.number(),
    /** Ever; absent before Redis 7. */
    'entries-added': z.number().optional(),
    'last-generated-id': z.string(),
    'first-entry': entry.nullable(),
    'max-deleted-entry-id': z.string().optional(),
  }),
);
const groupInfo = fields.pipe(
  z.object({
    name: z.string(),
    pending: z.number(),
    'last-delivered-id': z.string(),
    /** Absent before Redis 7, null where Redis 7 does not know. */
    lag: z.number().nullish(),
  }),
);
const clock = z.tuple([z.coerce.number(), z.coerce.number()]);

type Stream = z.infer<typeof streamInfo>;
type Group = z.infer<typeof groupInfo>;

/**
 * A stream's consumer group: what has not been delivered waits, what is delivered and not acknowledged runs. The oldest
 * age is that of the first undelivered entry, where its id is the time that Redis gives it.
 */
export function redisStreamQueue(config: QueueConfigOf<'redis-stream'>, directory: string): QueueSource {
  const place = redisPlace(config, `stream "${config.key}", group "${config.group}"`);
  return readOver<Redis>({
    place,
    connect: (signal, lost) => connectRedis(config, place, directory, signal, lost),
    read: (redis) => read(redis, place, config),
    end: endRedis,
    destroy: (redis) => redis.disconnect(),
    explain: (error) => explain(place, error),
  });
}

async function read(
  redis: Redis,
  place: Place,
  { key, group: name }: QueueConfigOf<'redis-stream'>,
): Promise<QueueReading> {
  const [stream, groups, [seconds, micros]] = await Promise.all([
    redis.xinfo('STREAM', key).then((reply) => streamInfo.parse(reply)),
    redis.xinfo('GROUPS', key).then((reply) => z.array(groupInfo).parse(reply)),
    redis.time().then((reply) => clock.parse(reply)),
  ]);
  const group = groups.find((candidate) => candidate.name === name);
  if (!group) {
    const known = groups.map((candidate) => `"${candidate.name}"`).join(', ') || 'none';
    throw queueError(
      place,
      'wrong',
      `the stream has no such group (it has: ${known}). Correct the name, or make it: XGROUP CREATE ${key} ${name} $`,
    );
  }
  const delivered = group['last-delivered-id'];
  const waiting =
    known(stream, group) ??
    (await counted(redis, place, {
      key,
      delivered,
      last: stream['last-generated-id'],
      estimate: estimateOf(stream, group),
    }));
  const first =
    waiting === 0 ? undefined : (await redis.xrange(key, `(${delivered}`, '+', 'COUNT', 1))[0]?.[0];
  const oldestAge = first === undefined ? undefined : ageOf(first, seconds + micros / 1e6);
  return toReading(place, { waiting, running: group.pending, oldestAge });
}

/** What follows from the ids alone, or Redis's own count where no entry was ever taken away. */
function known(stream: Stream, group: Group): number | undefined {
  const delivered = group['last-delivered-id'];
  const first = stream['first-entry']?.[0];
  if (first === undefined || !isBefore(delivered, stream['last-generated-id'])) return 0;
  if (isBefore(delivered, first)) return stream.length;
  return stream['entries-added'] === stream.length ? (group.lag ?? undefined) : undefined;
}

/**
 * Redis's own count where entries were trimmed and never deleted by XDEL. It is too high after entries that waited are
 * gone (Redis 7.0), until the group has caught up.
 */
function estimateOf(stream: Stream, group: Group): number | undefined {
  return stream['max-deleted-entry-id'] === '0-0' ? (group.lag ?? undefined) : undefined;
}

/** @throws QueueError `wrong`, where too many wait to be counted one by one and there is no estimate */
async function counted(
  redis: Redis,
  place: Place,
  {
    key,
    delivered,
    last,
    estimate = 0,
  }: { key: string; delivered: string; last: string; estimate: number | undefined },
): Promise<number> {
  // Workers that delete what is done leave few entries up to the group's place, and the rest waits.
  const [length, done] = await Promise.all([
    redis.xlen(key),
    redis.xrange(key, '-', delivered, 'COUNT', PAGE),
  ]);
  if (done.length < PAGE) return length - done.length;
  if (estimate > PAGE) return estimate;

  let total = 0;
  let from = `(${delivered}`;
  while (total <= COUNT_AT_MOST) {
    const page = await redis.xrange(key, from, last, 'COUNT', PAGE);
    total += page.length;
    const end = page.at(-1)?.[0];
    if (end === undefined || page.length < PAGE) return total;
    from = `(${end}`;
  }
  throw queueError(
    place,
    'wrong',
    `Redis does not know how many entries wait, because some were deleted, and they are more than ${COUNT_AT_MOST}. Trim the stream to what is not done, with XTRIM, or let the group catch up.`,
  );
}

/** Ids given by the program instead of by Redis need not be times: 2001 and later is one. */
function ageOf(id: string, now: number): number | undefined {
  const added = Number(id.split('-')[0]) / 1000;
  return added > 1e9 && added <= now ? now - added : undefined;
}

/** Order of entry ids, `milliseconds-sequence`; each part is up to 64 bits. */
function isBefore(one: string, other: string): boolean {
  const parts = (id: string): [bigint, bigint] => {
    const [time = '0', sequence = '0'] = id.split('-');
    return [BigInt(time), BigInt(sequence)];
  };
  const [time, sequence] = parts(one);
  const [otherTime, otherSequence] = parts(other);
  return time < otherTime || (time === otherTime && sequence < otherSequence);
}

function explain(place: Place, error: unknown): QueueError | undefined {
  const { message } = detailsOf(error);
  if (message.includes('no such key')) {
    return queueError(
      place,
      'wrong',
      'there is no such stream. Correct the key, or make it: XGROUP CREATE … $ MKSTREAM',
    );
  }
  if (error instanceof z.ZodError) {
    return queueError(
      place,
      'wrong',
      'its answer to XINFO is not that of Redis 5 or later. Check what listens there.',
    );
  }
  return explainRedis(place, error);
}
