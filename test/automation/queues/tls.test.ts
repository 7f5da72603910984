import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { join } from 'node:path';
import { AckPolicy, jetstreamManager } from '@nats-io/jetstream';
import { connect as connectNats } from '@nats-io/transport-node';
import { connect as connectRabbit } from 'amqplib';
import { openQueue } from '../../../automation/observe/queues';
import { QueueError, type QueueReading } from '../../../automation/observe/queues/types';
import type { TlsConfig } from '../../../components/model/queue-config';
import { startHttp } from './benches/http';
import { type Certificates, makeCertificates, SERVER_NAME } from './certificates';
import { never, type OpenConfig } from './contract';
import { startNats, startPostgres, startRedis, startTlsTerminator } from './own-servers';
import type { OwnServer } from './processes';
import { requireServer } from './proxy';

const PASSWORD = 'a-long-password';
const TRUSTED: TlsConfig = {
  caFile: 'ca.pem',
  certFile: 'client.pem',
  keyFile: 'client.key',
  serverName: SERVER_NAME,
};

/** Each a server that wants a client certificate, and an empty queue on it. */
const SERVERS: Record<
  string,
  (
    certificates: string,
  ) => Promise<{ server: OwnServer; config: (tls: TlsConfig) => OpenConfig; stop: () => Promise<void> }>
> = {
  async postgres(certificates) {
    const server = await startPostgres(certificates, PASSWORD);
    const url = `postgres://owner:${PASSWORD}@127.0.0.1:${server.port}/postgres?sslmode=disable`;
    const config = (tls: TlsConfig): OpenConfig => ({
      kind: 'postgres',
      url,
      tls,
      query: 'select 0 as waiting',
    });
    return { server, config, stop: () => server.stop() };
  },
  async redis(certificates) {
    const file = (name: string) => join(certificates, name);
    const server = await startRedis((port) => [
      ...['--port', '0', '--tls-port', String(port), '--tls-auth-clients', 'yes'],
      ...['--tls-ca-cert-file', file('ca.pem')],
      ...['--tls-cert-file', file('server.pem'), '--tls-key-file', file('server.key')],
    ]);
    const url = `rediss://127.0.0.1:${server.port}`;
    const config = (tls: TlsConfig): OpenConfig => ({ kind: 'redis-list', url, tls, key: 'jobs' });
    return { server, config, stop: () => server.stop() };
  },
  async rabbitmq(certificates) {
    await requireServer('RabbitMQ', 5672);
    const server = await startTlsTerminator(certificates, 5672);
    const model = await connectRabbit('amqp://guest:guest@127.0.0.1');
    const channel = await model.createChannel();
    const queue = `wp-test-${randomUUID()}`;
    await channel.assertQueue(queue);
    const url = `amqps://guest:guest@127.0.0.1:${server.port}`;
    const config = (tls: TlsConfig): OpenConfig => ({ kind: 'rabbitmq', url, tls, queue });
    const stop = async () => {
      await channel.deleteQueue(queue);
      await model.close();
      await server.stop();
    };
    return { server, config, stop };
  },
  async nats(certificates) {
    const file = (name: string) => join(certificates, name);
    const server = await startNats(
      `tls { cert_file: "${file('server.pem')}", key_file: "${file('server.key')}", ca_file: "${file('ca.pem')}", verify: true }`,
    );
    const admin = await connectNats({
      servers: `127.0.0.1:${server.port}`,
      tls: {
        caFile: file('ca.pem'),
        certFile: file('client.pem'),
        keyFile: file('client.key'),
        // Passed on to Node, though the client's types do not know it.
        ...{ checkServerIdentity: () => undefined },
      },
    });
    const manager = await jetstreamManager(admin);
    await manager.streams.add({ name: 'jobs', subjects: ['jobs'] });
    await manager.consumers.add('jobs', { durable_name: 'workers', ack_policy: AckPolicy.Explicit });
    await admin.close();
    const url = `nats://127.0.0.1:${server.port}`;
    const config = (tls: TlsConfig): OpenConfig => ({
      kind: 'nats',
      url,
      tls,
      stream: 'jobs',
      consumer: 'workers',
    });
    return { server, config, stop: () => server.stop() };
  },
  async http(certificates) {
    const plain = await startHttp((_, response) => response.end('{"waiting":0}'));
    const server = await startTlsTerminator(certificates, plain.port);
    const url = `https://127.0.0.1:${server.port}/`;
    const config = (tls: TlsConfig): OpenConfig => ({ kind: 'http', url, tls, waiting: 'waiting' });
    const stop = async () => {
      await server.stop();
      await plain.stop();
    };
    return { server, config, stop };
  },
};

const REFUSALS: readonly (readonly [what: string, tls: TlsConfig, says: RegExp])[] = [
  [
    'no CA',
    { ...TRUSTED, caFile: undefined },
    /signed by a CA that is not known here\. Give .* as tls\.caFile/,
  ],
  ['another CA', { ...TRUSTED, caFile: 'other-ca.pem' }, /signed by a CA that is not known here/],
  [
    'another name',
    { ...TRUSTED, serverName: undefined },
    /its certificate is for another name\. .* tls\.serverName/,
  ],
  [
    'no client certificate',
    { caFile: 'ca.pem', serverName: SERVER_NAME },
    /Give tls\.certFile and tls\.keyFile/,
  ],
  [
    'a file that is missing',
    { ...TRUSTED, caFile: 'gone.pem' },
    /tls\.caFile is \/.*\/gone\.pem, and there is no such file/,
  ],
  [
    'a file that is no certificate',
    { ...TRUSTED, caFile: 'junk.pem' },
    /the files of tls do not fit: .* must be PEM/,
  ],
  ['a key of another certificate', { ...TRUSTED, keyFile: 'server.key' }, /the files of tls do not fit: /],
];

describe('queue sources over TLS', () => {
  let certificates: Certificates;
  before(async () => {
    certificates = await makeCertificates();
  });
  after(() => certificates.remove());

  for (const [kind, start] of Object.entries(SERVERS)) {
    describe(kind, () => {
      let started: Awaited<ReturnType<typeof start>>;
      before(async function () {
        this.timeout(60_000);
        started = await start(certificates.directory);
      });
      after(() => started?.stop());

      async function read(tls: TlsConfig): Promise<QueueReading> {
        const source = openQueue(started.config(tls), { directory: certificates.directory });
        try {
          return await source.read(never);
        } finally {
          await source.close();
        }
      }

      it('reads with its CA, its name and a client certificate', async () => {
        const { waiting } = await read(TRUSTED);
        assert.equal(waiting, 0);
      });

      for (const [what, tls, says] of REFUSALS) {
        it(`is refused with ${what}`, async () => {
          await assert.rejects(read(tls), (error) => {
            assert.ok(error instanceof QueueError);
            assert.match(error.message, says);
            assert.equal(error.kind, 'refused', error.message);
            assert.match(error.message, new RegExp(`127\\.0\\.0\\.1:${started.server.port}`));
            return true;
          });
        });
      }
    });
  }
});
