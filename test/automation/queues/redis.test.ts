import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Queue } from 'bullmq';
import { Redis } from 'ioredis';
import type { OpenConfig } from './contract';
import { assertFault, readOnce } from './faults';
import { startRedis } from './own-servers';
import type { OwnServer } from './processes';

const PASSWORD = 'right-password';

describe('queues on a Redis server with passwords', () => {
  let server: OwnServer;
  let redis: Redis;
  const url = (login: string, path = '') => `redis://${login}127.0.0.1:${server.port}${path}`;
  const list = (login: string, path = ''): OpenConfig => ({
    kind: 'redis-list',
    url: url(login, path),
    key: 'jobs',
  });

  before(async () => {
    server = await startRedis((port) => ['--port', String(port), '--requirepass', PASSWORD]);
    redis = new Redis(server.port, '127.0.0.1', { password: PASSWORD });
    await redis.rpush('jobs', 'one', 'two');
    await redis.set('text', 'no queue');
    await redis.xgroup('CREATE', 'stream', 'workers', '$', 'MKSTREAM');
    for (const entry of ['1', '2', '3']) await redis.xadd('stream', '*', 'job', entry);
    await redis.xreadgroup('GROUP', 'workers', 'one', 'COUNT', 1, 'STREAMS', 'stream', '>');
    await redis.xdel('stream', '0-1');
  });
  after(async () => {
    await redis.quit();
    await server.stop();
  });

  it('are refused without a password, with another, and without a right', async () => {
    await redis.acl('SETUSER', 'bare', 'on', `>${PASSWORD}`, '~*', '-@all');
    await assertFault(
      list(''),
      'refused',
      /database 0, list "jobs": it wants a password\. Give it in the URL/,
    );
    await assertFault(
      list(':wrong-password@'),
      'refused',
      /does not accept user and password\. Correct them/,
    );
    await assertFault(list(`nobody:${PASSWORD}@`), 'refused', /does not accept user and password/);
    await assertFault(list(`bare:${PASSWORD}@`), 'refused', /NOPERM .*'llen' command\. Allow the user/);
  });

  it('are read from the database that the URL names, and from no other', async () => {
    assert.deepEqual(await readOnce(list(`:${PASSWORD}@`)), { waiting: 2 });
    assert.deepEqual(await readOnce(list(`:${PASSWORD}@`, '/3')), { waiting: 0 });
    await assertFault(
      list(`:${PASSWORD}@`, '/99'),
      'wrong',
      /database 99, list "jobs": ERR DB index is out of range/,
    );
  });

  it('are told from what is no queue', async () => {
    const at = url(`:${PASSWORD}@`);
    const other = /holds something else than this kind of queue/;
    await assertFault({ kind: 'redis-list', url: at, key: 'text' }, 'wrong', other);
    await assertFault({ kind: 'redis-stream', url: at, key: 'text', group: 'workers' }, 'wrong', other);
    await assertFault(
      { kind: 'redis-stream', url: at, key: 'none', group: 'workers' },
      'wrong',
      /there is no such stream\. Correct the key/,
    );
    await assertFault(
      { kind: 'redis-stream', url: at, key: 'stream', group: 'worker' },
      'wrong',
      /no such group \(it has: "workers"\)\. Correct the name, or make it: XGROUP CREATE stream worker/,
    );
    await assertFault(
      { kind: 'bullmq', url: at, queue: 'mials', prefix: 'bull' },
      'wrong',
      /BullMQ has never used a queue of this name here\. Correct queue, prefix/,
    );
  });

  it('need the rights that the documentation lists, and no more: reading writes nothing', async () => {
    const connection = { host: '127.0.0.1', port: server.port, password: PASSWORD };
    const queue = new Queue('mails', { connection });
    await queue.add('mail', {});
    await queue.add('mail', {}, { priority: 3 });
    await queue.close();
    await redis.acl('DELUSER', 'pools');

    const text = await readFile(join(__dirname, '../../../docs/queues.md'), 'utf8');
    const rights = [...text.matchAll(/^ACL SETUSER (pools-\S+) (.*)$/gm)];
    assert.deepEqual(
      rights.map(([, name]) => name),
      ['pools-list', 'pools-stream', 'pools-bullmq'],
    );
    for (const [, name = '', rules = ''] of rights) {
      await redis.acl(
        'SETUSER',
        name,
        ...rules.split(' ').filter((rule) => !rule.startsWith('>')),
        `>${PASSWORD}`,
      );
    }
    const login = (name: string) => url(`${name}:${PASSWORD}@`);
    const before = await redis.info('commandstats');

    assert.deepEqual(await readOnce(list(`pools-list:${PASSWORD}@`)), { waiting: 2 });
    const stream = await readOnce({
      kind: 'redis-stream',
      url: login('pools-stream'),
      key: 'stream',
      group: 'workers',
    });
    assert.deepEqual([stream.waiting, stream.running], [2, 1]);
    const bullmq = await readOnce({
      kind: 'bullmq',
      url: login('pools-bullmq'),
      queue: 'mails',
      prefix: 'bull',
    });
    assert.deepEqual(bullmq, { waiting: 2, running: 0 });

    const writes = /^cmdstat_(set|hset|hmset|del|rpop|lpop|xadd|zadd|expire|lpush|rpush):calls=(\d+)/gm;
    const counts = (info: string) => [...info.matchAll(writes)].map(([, name, calls]) => `${name} ${calls}`);
    assert.deepEqual(counts(await redis.info('commandstats')), counts(before));
  });

  it('tell the age of BullMQ’s next job from the time it was due', async () => {
    const queue = new Queue('reports', {
      connection: { host: '127.0.0.1', port: server.port, password: PASSWORD },
    });
    const config: OpenConfig = {
      kind: 'bullmq',
      url: url(`:${PASSWORD}@`),
      queue: 'reports',
      prefix: 'bull',
    };
    try {
      await queue.add('report', {}, { timestamp: Date.now() - 600_000 });
      await queue.add('report', {});
      const { waiting, oldestAge = 0 } = await readOnce(config);
      assert.deepEqual([waiting, Math.round(oldestAge / 60)], [2, 10]);

      // The next job is the newest, and the oldest one is not known.
      await queue.add('report', {}, { lifo: true });
      assert.deepEqual(await readOnce(config), { waiting: 3, running: 0 });
      await queue.pause();
      assert.equal((await readOnce(config)).waiting, 3);
    } finally {
      await queue.close();
    }
  });
});
