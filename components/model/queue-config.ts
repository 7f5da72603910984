import { z } from 'zod';

/** TLS towards a queue's server; files are PEM, read on the machine where the service runs. */
const tls = z
  .strictObject({
    caFile: z.string().min(1).optional().describe('CA certificate that signed the server’s certificate'),
    certFile: z.string().min(1).optional().describe('client certificate'),
    keyFile: z.string().min(1).optional().describe('client key'),
    serverName: z.string().min(1).optional().describe('name expected in the certificate'),
  })
  .optional();

const url = (schemes: string[]) =>
  z.string().refine((text) => schemes.some((scheme) => text.startsWith(`${scheme}://`)), {
    error: `must be a URL that begins with ${schemes.map((scheme) => `${scheme}://`).join(' or ')}`,
  });

const name = z.string().min(1);
const postgresUrl = url(['postgres', 'postgresql']);
const redisUrl = url(['redis', 'rediss']);
const httpUrl = url(['http', 'https']);

/** Where a pool's jobs wait. The service reads it; the program only checks that it is well formed. */
export const queueSchema = z.discriminatedUnion('kind', [
  z.strictObject({
    kind: z.literal('postgres'),
    url: postgresUrl,
    tls,
    query: name.describe('one row: waiting, and where known running and oldest_age (seconds)'),
  }),
  z.strictObject({
    kind: z.literal('pg-boss'),
    url: postgresUrl,
    tls,
    queue: name,
    schema: name.default('pgboss'),
  }),
  z.strictObject({
    kind: z.literal('graphile-worker'),
    url: postgresUrl,
    tls,
    tasks: z.array(name).min(1).optional().describe('task identifiers counted; all where absent'),
    schema: name.default('graphile_worker'),
  }),
  z.strictObject({ kind: z.literal('redis-list'), url: redisUrl, tls, key: name }),
  z.strictObject({ kind: z.literal('redis-stream'), url: redisUrl, tls, key: name, group: name }),
  z.strictObject({
    kind: z.literal('bullmq'),
    url: redisUrl,
    tls,
    queue: name,
    prefix: name.default('bull'),
  }),
  z.strictObject({ kind: z.literal('rabbitmq'), url: url(['amqp', 'amqps']), tls, queue: name }),
  z.strictObject({
    kind: z.literal('nats'),
    url: url(['nats', 'tls']),
    tls,
    stream: name,
    consumer: name,
    credentialsFile: name.optional(),
  }),
  z.strictObject({
    kind: z.literal('http'),
    url: httpUrl,
    tls,
    headers: z.record(name, z.string()).optional(),
    waiting: name.describe('path to the number in the JSON answer, e.g. queue.depth'),
    running: name.optional(),
    oldestAge: name.optional().describe('path to the age of the oldest waiting job in seconds'),
  }),
  z.strictObject({ kind: z.literal('prometheus'), url: httpUrl, tls, query: name }),
  z.strictObject({ kind: z.literal('slots') }),
]);

export type QueueConfig = z.infer<typeof queueSchema>;
