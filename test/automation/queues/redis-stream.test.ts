import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import fc from 'fast-check';
import { Redis } from 'ioredis';
import { openQueue } from '../../../automation/observe/queues';
import type { QueueSource } from '../../../automation/observe/queues/types';
import { never } from './contract';
import { requireServer } from './proxy';

/** What programs do to a stream. */
const step = fc.oneof(
  {
    weight: 4,
    arbitrary: fc.record({ kind: fc.constant('add' as const), entries: fc.integer({ min: 1, max: 4 }) }),
  },
  {
    weight: 3,
    arbitrary: fc.record({ kind: fc.constant('take' as const), entries: fc.integer({ min: 1, max: 4 }) }),
  },
  { weight: 3, arbitrary: fc.record({ kind: fc.constant('delete' as const), index: fc.nat(12) }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('trim' as const), entries: fc.nat(6) }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('rewind' as const), index: fc.nat(12) }) },
);

describe('a Redis stream’s waiting entries', () => {
  let redis: Redis;
  let source: QueueSource;
  const key = `wp-test:${randomUUID()}`;

  before(async () => {
    await requireServer('Redis', 6379);
    redis = new Redis();
    source = openQueue(
      { kind: 'redis-stream', url: 'redis://127.0.0.1', key, group: 'workers' },
      { directory: '/nowhere' },
    );
  });
  after(async () => {
    await redis.del(key);
    await redis.quit();
    await source.close();
  });
  beforeEach(async () => {
    await redis.del(key);
    await redis.xgroup('CREATE', key, 'workers', '$', 'MKSTREAM');
  });

  it('are those that the group can still be given, whatever was deleted, trimmed or set back', async function () {
    this.timeout(60_000);
    await fc.assert(
      fc
        .asyncProperty(fc.array(step, { minLength: 1, maxLength: 12 }), async (steps) => {
          for (const one of steps) {
            const entries = await redis.xrange(key, '-', '+');
            if (one.kind === 'add') {
              for (let entry = 0; entry < one.entries; entry += 1) await redis.xadd(key, '*', 'job', entry);
            } else if (one.kind === 'take') {
              await redis.xreadgroup('GROUP', 'workers', 'one', 'COUNT', one.entries, 'STREAMS', key, '>');
            } else if (one.kind === 'trim') {
              await redis.xtrim(key, 'MAXLEN', one.entries);
            } else {
              const [id] = entries[one.index] ?? [];
              if (id === undefined) continue;
              if (one.kind === 'delete') await redis.xdel(key, id);
              else await redis.xgroup('SETID', key, 'workers', id);
            }
            const { waiting } = await source.read(never);
            // The truth: a second group from the same place is given all that waits.
            const info = (await redis.xinfo('GROUPS', key)) as unknown[][];
            const delivered = String(info[0]?.[(info[0]?.indexOf('last-delivered-id') ?? 0) + 1]);
            const truth = await redis.xrange(key, `(${delivered}`, '+');
            assert.equal(waiting, truth.length);
          }
        })
        .beforeEach(async () => {
          await redis.del(key);
          await redis.xgroup('CREATE', key, 'workers', '$', 'MKSTREAM');
        }),
      {
        numRuns: 60,
        // An entry that waits is trimmed, and the group goes on behind it.
        examples: [
          [
            [
              { kind: 'add', entries: 1 },
              { kind: 'take', entries: 1 },
              { kind: 'add', entries: 1 },
              { kind: 'trim', entries: 0 },
              { kind: 'add', entries: 2 },
              { kind: 'take', entries: 1 },
            ],
          ],
        ],
      },
    );
  });

  it('are counted page by page where Redis has lost count', async () => {
    const adding = redis.pipeline();
    for (let entry = 0; entry < 4500; entry += 1) adding.xadd(key, `${entry + 1}-1`, 'job', entry);
    await adding.exec();
    await redis.xreadgroup('GROUP', 'workers', 'one', 'COUNT', 1500, 'STREAMS', key, '>');
    await redis.xdel(key, '3000-1');
    assert.deepEqual(await source.read(never), { waiting: 2999, running: 1500 });
  });

  it('are counted however many they are where workers delete what is done', async function () {
    this.timeout(30_000);
    const adding = redis.pipeline();
    for (let entry = 0; entry < 52_000; entry += 1) adding.xadd(key, `${entry + 1}-1`, 'job', entry);
    await adding.exec();
    await redis.xreadgroup('GROUP', 'workers', 'one', 'COUNT', 10, 'STREAMS', key, '>');
    await redis.xack(key, 'workers', '2-1');
    await redis.xdel(key, '2-1');
    assert.deepEqual(await source.read(never), { waiting: 51_990, running: 9 });
  });

  it('are refused where Redis has lost count and they are too many to count', async function () {
    this.timeout(30_000);
    const adding = redis.pipeline();
    for (let entry = 0; entry < 53_000; entry += 1) adding.xadd(key, `${entry + 1}-1`, 'job', entry);
    await adding.exec();
    await redis.xreadgroup('GROUP', 'workers', 'one', 'COUNT', 1000, 'STREAMS', key, '>');
    await redis.xdel(key, '2000-1');
    await assert.rejects(
      source.read(never),
      /some were deleted, and they are more than 50000\. Trim the stream/,
    );
  });

  it('tell their age only where their ids are times', async () => {
    const tenMinutesAgo = Date.now() - 600_000;
    await redis.xadd(key, '5-1', 'job', 1);
    assert.equal((await source.read(never)).oldestAge, undefined);
    await redis.xadd(key, `${tenMinutesAgo}-0`, 'job', 2);
    await redis.xreadgroup('GROUP', 'workers', 'one', 'COUNT', 1, 'STREAMS', key, '>');
    const { oldestAge = 0 } = await source.read(never);
    assert.equal(Math.round(oldestAge / 60), 10);
  });
});
