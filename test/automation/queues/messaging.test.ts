import assert from 'node:assert/strict';
import { AckPolicy, jetstream, jetstreamManager } from '@nats-io/jetstream';
import { connect } from '@nats-io/transport-node';
import { natsBench } from './benches/nats';
import { rabbitmqBench } from './benches/rabbitmq';
import type { OpenConfig, QueueBench } from './contract';
import { assertFault, readOnce } from './faults';
import { startNats } from './own-servers';
import type { OwnServer } from './processes';

describe('a queue of RabbitMQ', () => {
  let bench: QueueBench;
  before(async () => {
    bench = await rabbitmqBench();
  });
  after(() => bench.close());

  const rabbit = (changes: { url?: string; queue?: string }) =>
    ({ ...bench.config(5672), ...changes }) as Extract<OpenConfig, { kind: 'rabbitmq' }>;

  it('says which queue is missing, and does not make it', async () => {
    const missing = /virtual host "\/", queue "wp-test-none": there is no such queue\. Correct its name/;
    await assertFault(rabbit({ queue: 'wp-test-none' }), 'wrong', missing);
    await assertFault(rabbit({ queue: 'wp-test-none' }), 'wrong', missing);
  });

  it('is refused with what to do, for another password or virtual host', async () => {
    const wrong = rabbit({ url: 'amqp://guest:wrong-password@127.0.0.1' });
    await assertFault(
      wrong,
      'refused',
      /user "guest", .*ACCESS_REFUSED.* Correct user and password in the URL/,
    );
    const elsewhere = rabbit({ url: 'amqp://guest:guest@127.0.0.1/none' });
    await assertFault(
      elsewhere,
      'refused',
      /virtual host "none", .* into the virtual host .*set_permissions/,
    );
  });
});

describe('a consumer of NATS JetStream', () => {
  it('says which stream or consumer is missing', async () => {
    const bench = await natsBench();
    const known = bench.config(4222) as Extract<OpenConfig, { kind: 'nats' }>;
    try {
      await assertFault(
        { ...known, stream: 'none' },
        'wrong',
        /stream "none", .*: stream not found\. Correct stream/,
      );
      await assertFault(
        { ...known, consumer: 'none' },
        'wrong',
        /consumer "none": consumer not found\. Correct stream/,
      );
    } finally {
      await bench.close();
    }
  });

  describe('on a server with users', () => {
    let server: OwnServer;
    const nats = (login: string): OpenConfig => ({
      kind: 'nats',
      url: `nats://${login}127.0.0.1:${server.port}`,
      stream: 'jobs',
      consumer: 'workers',
    });

    before(async () => {
      const rights = (name: string, ...subjects: string[]) =>
        `{ user: ${name}, password: right-password, permissions: { publish: ${JSON.stringify(subjects)}, subscribe: "_INBOX.>" } }`;
      const info = '$JS.API.CONSUMER.INFO.jobs.workers';
      server = await startNats(`authorization { users: [
        { user: owner, password: right-password },
        ${rights('counts', info)}, ${rights('reads', info, '$JS.API.STREAM.MSG.GET.jobs')}, ${rights('none', 'x')}
      ] }`);
      const owner = await connect({
        servers: `127.0.0.1:${server.port}`,
        user: 'owner',
        pass: 'right-password',
      });
      const manager = await jetstreamManager(owner);
      await manager.streams.add({ name: 'jobs', subjects: ['jobs'] });
      await manager.consumers.add('jobs', { durable_name: 'workers', ack_policy: AckPolicy.Explicit });
      await jetstream(owner).publish('jobs', 'one');
      await owner.close();
    });
    after(() => server.stop());

    it('is read with the rights that the documentation lists', async () => {
      const { oldestAge, ...counts } = await readOnce(nats('reads:right-password@'));
      assert.deepEqual(counts, { waiting: 1, running: 0 });
      assert.ok(oldestAge !== undefined && oldestAge < 60);
    });

    it('tells no age to a user who may not read messages', async () => {
      assert.deepEqual(await readOnce(nats('counts:right-password@')), { waiting: 1, running: 0 });
    });

    it('is refused with what to do, without credentials, with others, and without rights', async () => {
      await assertFault(nats(''), 'refused', /Give user and password in the URL, .* or a credentialsFile/);
      await assertFault(nats('counts:wrong-password@'), 'refused', /Give user and password in the URL/);
      await assertFault(
        nats('none:right-password@'),
        'refused',
        /CONSUMER\.INFO.*Allow the user what docs\/queues\.md/,
      );
      const file = { ...nats(''), credentialsFile: 'gone.creds' };
      await assertFault(
        file,
        'refused',
        /credentialsFile is \/nowhere\/gone\.creds, and there is no such file/,
      );
    });
  });
});
