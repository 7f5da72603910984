import { z } from 'zod';

/** TLS towards a queue's server; files are PEM, read on the machine where the service runs, at each connect. */
const tls = z
  .strictObject({
    caFile: z.string().min(1).optional().describe('CA certificate that signed the server’s certificate'),
    certFile: z.string().min(1).optional().describe('client certificate'),
    keyFile: z.string().min(1).optional().describe('client key'),
    serverName: z.string().min(1).optional().describe('name expected in the certificate'),
  })
  .refine(({ certFile, keyFile }) => (certFile === undefined) === (keyFile === undefined), {
    error: 'certFile and keyFile go together: give both or neither',
  })
  .optional()
  .describe('TLS towards the server; files are PEM, relative to the stack’s folder');

export type TlsConfig = NonNullable<z.infer<typeof tls>>;

/**
 * An URL with one of the schemes. Marks that a password must not hold as they are would end its part of the URL early,
 * and the rest would be taken for host and path, and be shown as such.
 */
const url = (schemes: string[]) =>
  z
    .string()
    .refine((text) => schemes.some((scheme) => text.startsWith(`${scheme}://`)), {
      error: `must be a URL that begins with ${schemes.map((scheme) => `${scheme}://`).join(' or ')}`,
      abort: true,
    })
    .refine(isUnambiguous, {
      error:
        'is no URL as it stands. In user and password write @ as %40, : as %3A, / as %2F, ? as %3F, # as %23, % as %25',
    });

function isUnambiguous(text: string): boolean {
  if (!URL.canParse(text) || text.includes('#')) return false;
  const { username, password, hostname, pathname, search } = new URL(text);
  if ((pathname + search).includes('@')) return false;
  return [username, password, hostname, pathname].every((part) => !/%(?![0-9a-f]{2})/i.test(part));
}

/** TLS options say that a connection is to be safe: a URL that says otherwise would send the password in the clear. */
const tlsNeeds = (scheme: string) => ({
  error: `tls is given, and the URL is for a connection without: begin it with ${scheme}://`,
  path: ['url'],
});
const isSecure = ({ url: text, tls: given }: { url: string; tls?: unknown }, scheme: string) =>
  given === undefined || text.startsWith(`${scheme}://`);

const name = z.string().min(1);
const postgresUrl = url(['postgres', 'postgresql']).describe('postgres://user:password@host:5432/database');
const redisUrl = url(['redis', 'rediss'])
  .refine((text) => !URL.canParse(text) || /^\/?\d*$/.test(new URL(text).pathname), {
    error: 'must end after the host, or with the number of a database: redis://host/2',
  })
  .describe('redis:// or rediss://user:password@host:6379/database');
const httpUrl = url(['http', 'https']).describe('where the number is asked for');
const headers = z
  .record(z.string().regex(/^[\w!#$%&'*+.^`|~-]+$/, 'is no header’s name'), z.string().regex(/^[^\r\n\0]*$/))
  .optional()
  .describe('sent with each reading, e.g. authorization: Bearer …');
const jsonPath = z
  .string()
  .regex(/^([^.[\]]+|\[\d+\])(\.[^.[\]]+|\[\d+\])*$/, 'must be a path like queue.depth or items[0].count');

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
    queue: name.describe('name of the queue'),
    schema: name.default('pgboss').describe('schema of pg-boss’s tables'),
  }),
  z.strictObject({
    kind: z.literal('graphile-worker'),
    url: postgresUrl,
    tls,
    tasks: z.array(name).min(1).optional().describe('task identifiers counted; all where absent'),
    schema: name.default('graphile_worker').describe('schema of its tables'),
  }),
  z
    .strictObject({
      kind: z.literal('redis-list'),
      url: redisUrl,
      tls,
      key: name.describe('key of the list'),
    })
    .refine((config) => isSecure(config, 'rediss'), tlsNeeds('rediss')),
  z
    .strictObject({
      kind: z.literal('redis-stream'),
      url: redisUrl,
      tls,
      key: name.describe('key of the stream'),
      group: name.describe('consumer group'),
    })
    .refine((config) => isSecure(config, 'rediss'), tlsNeeds('rediss')),
  z
    .strictObject({
      kind: z.literal('bullmq'),
      url: redisUrl,
      tls,
      queue: name
        .regex(/^[^:]*$/, 'must be without a colon, as BullMQ’s queue names are')
        .describe('name of the queue'),
      prefix: name.default('bull').describe('prefix of BullMQ’s keys'),
    })
    .refine((config) => isSecure(config, 'rediss'), tlsNeeds('rediss')),
  z
    .strictObject({
      kind: z.literal('rabbitmq'),
      url: url(['amqp', 'amqps']).describe(
        'with the virtual host as its path: amqps://user:password@host/jobs',
      ),
      tls,
      queue: name.describe('name of the queue'),
    })
    .refine((config) => isSecure(config, 'amqps'), tlsNeeds('amqps')),
  z.strictObject({
    kind: z.literal('nats'),
    url: url(['nats', 'tls']).describe('with user and password, or a token as the user'),
    tls,
    stream: name.describe('name of the stream'),
    consumer: name.describe('a durable consumer'),
    credentialsFile: name.optional().describe('a .creds file, read like those of tls'),
  }),
  z
    .strictObject({
      kind: z.literal('http'),
      url: httpUrl,
      tls,
      headers,
      waiting: jsonPath.describe('path to the number in the JSON answer, e.g. queue.depth'),
      running: jsonPath.optional().describe('path to the number of jobs that run'),
      oldestAge: jsonPath.optional().describe('path to the age of the oldest waiting job in seconds'),
    })
    .refine((config) => isSecure(config, 'https'), tlsNeeds('https')),
  z
    .strictObject({
      kind: z.literal('prometheus'),
      url: httpUrl.describe('the server’s own, without /api/v1/query'),
      tls,
      headers,
      query: name.describe('an instant query with one number as its answer'),
    })
    .refine((config) => isSecure(config, 'https'), tlsNeeds('https')),
  z.strictObject({ kind: z.literal('slots') }),
]);

export type QueueConfig = z.infer<typeof queueSchema>;

/** The configuration of one kind of queue. */
export type QueueConfigOf<Kind extends QueueConfig['kind']> = Extract<QueueConfig, { kind: Kind }>;
