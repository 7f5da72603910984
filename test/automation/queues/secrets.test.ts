import assert from 'node:assert/strict';
import { once } from 'node:events';
import { type AddressInfo, createServer } from 'node:net';
import { inspect } from 'node:util';
import fc from 'fast-check';
import { QueueError } from '../../../automation/observe/queues/types';
import { queueSchema } from '../../../components/model/queue-config';
import { startHttp } from './benches/http';
import type { OpenConfig } from './contract';
import { readOnce } from './faults';
import { startNats, startRedis } from './own-servers';
import type { OwnServer } from './processes';
import { freePort } from './proxy';

/** Longer than any word of our own messages, with all that URLs and JSON escape. */
const password = fc.string({ minLength: 12, maxLength: 24, unit: 'grapheme-ascii' });

/** Every kind that takes a password, with it in its place. */
const CONFIGS: readonly ((host: string, secret: string) => unknown)[] = [
  (host, secret) => ({
    kind: 'postgres',
    url: `postgres://pools:${secret}@${host}/jobs`,
    query: 'select 1 as waiting',
  }),
  (host, secret) => ({ kind: 'pg-boss', url: `postgres://pools:${secret}@${host}/jobs`, queue: 'mails' }),
  (host, secret) => ({ kind: 'graphile-worker', url: `postgres://pools:${secret}@${host}/jobs` }),
  (host, secret) => ({ kind: 'redis-list', url: `redis://pools:${secret}@${host}`, key: 'jobs' }),
  (host, secret) => ({
    kind: 'redis-stream',
    url: `redis://:${secret}@${host}/1`,
    key: 'jobs',
    group: 'workers',
  }),
  (host, secret) => ({ kind: 'bullmq', url: `redis://pools:${secret}@${host}`, queue: 'mails' }),
  (host, secret) => ({ kind: 'rabbitmq', url: `amqp://pools:${secret}@${host}`, queue: 'mails' }),
  (host, secret) => ({
    kind: 'nats',
    url: `nats://pools:${secret}@${host}`,
    stream: 'jobs',
    consumer: 'workers',
  }),
  (host, secret) => ({ kind: 'nats', url: `nats://${secret}@${host}`, stream: 'jobs', consumer: 'workers' }),
  (host, secret) => ({ kind: 'http', url: `http://pools:${secret}@${host}/`, waiting: 'depth' }),
  (host, secret) => ({ kind: 'http', url: `http://${host}/?token=${secret}`, waiting: 'depth' }),
  (host, secret) => ({ kind: 'prometheus', url: `http://pools:${secret}@${host}/`, query: 'jobs' }),
];

describe('a password', () => {
  const servers: OwnServer[] = [];
  const hosts: string[] = [];

  before(async () => {
    // One that refuses logins, of each kind that has them; one that repeats all it is told; and none at all.
    servers.push(await startRedis((port) => ['--port', String(port), '--requirepass', 'another']));
    servers.push(await startNats('authorization { user: owner, password: another }'));
    servers.push(
      await startHttp((request, response) => {
        response
          .writeHead(500)
          .end(JSON.stringify([request.url, request.headers, decoded(request.headers.authorization)]));
      }),
    );
    servers.push(await startEcho());
    hosts.push(...servers.map(({ port }) => `127.0.0.1:${port}`));
    hosts.push(`127.0.0.1:${await freePort()}`, '127.0.0.1:5432', '127.0.0.1:5672');
  });
  after(() => Promise.all(servers.map((server) => server.stop())));

  it('is in no message and in nothing that hangs on an error, whatever goes wrong', async function () {
    this.timeout(120_000);
    await fc.assert(
      fc.asyncProperty(password, fc.constantFrom(...CONFIGS), fc.nat(), async (secret, make, choice) => {
        const host = hosts[choice % hosts.length] ?? '';
        const config = queueSchema.parse(make(host, encodeURIComponent(secret))) as OpenConfig;
        const error: unknown = await readOnce(config, AbortSignal.timeout(400)).catch(
          (thrown: unknown) => thrown,
        );
        assert.ok(error instanceof QueueError, inspect(error));
        for (const form of [secret, encodeURIComponent(secret)]) {
          assert.ok(!inspect(error, { depth: 10 }).includes(form), error.message);
        }
      }),
      { numRuns: 60 },
    );
  });

  it('is never taken for a part of the address: what is not escaped is refused before', () => {
    fc.assert(
      fc.property(
        fc.stringMatching(/^[a-z0-9]{1,5}[@:/?#%][a-z0-9]{6,9}$/),
        fc.constantFrom(...CONFIGS.slice(0, 8)),
        (secret, make) => {
          const parsed = queueSchema.safeParse(make('queue.internal:1234', secret));
          if (parsed.success) {
            const { host, username } = new URL((parsed.data as { url: string }).url);
            assert.deepEqual([host, ['pools', ''].includes(username)], ['queue.internal:1234', true]);
          } else {
            assert.ok(!parsed.error.message.includes(secret));
          }
        },
      ),
    );
  });
});

function decoded(authorization = ''): string {
  return Buffer.from(authorization.replace('Basic ', ''), 'base64').toString();
}

async function startEcho(): Promise<OwnServer> {
  const server = createServer((socket) => {
    socket.on('error', () => {});
    socket.pipe(socket);
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    port: (server.address() as AddressInfo).port,
    async stop() {
      server.close();
      await once(server, 'close');
    },
  };
}
