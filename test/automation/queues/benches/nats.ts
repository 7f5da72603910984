import { randomUUID } from 'node:crypto';
import { AckPolicy, jetstream, jetstreamManager } from '@nats-io/jetstream';
import { connect } from '@nats-io/transport-node';
import type { QueueBench } from '../contract';
import { requireServer } from '../proxy';

const PORT = 4222;

export async function natsBench(): Promise<QueueBench> {
  await requireServer('NATS', PORT);
  const nats = await connect({ servers: `127.0.0.1:${PORT}` });
  const manager = await jetstreamManager(nats);
  const client = jetstream(nats);
  const stream = `wp-test-${randomUUID()}`;
  await manager.streams.add({ name: stream, subjects: [`${stream}.>`] });
  await manager.consumers.add(stream, {
    durable_name: 'workers',
    ack_policy: AckPolicy.Explicit,
    filter_subject: `${stream}.mails`,
  });
  // The consumer's filter lets none of these through.
  await client.publish(`${stream}.others`, 'job');
  return {
    port: PORT,
    knows: { running: true, oldestAge: true },
    config: (port) => ({ kind: 'nats', url: `nats://127.0.0.1:${port}`, stream, consumer: 'workers' }),
    async add(jobs) {
      for (let job = 0; job < jobs; job += 1) await client.publish(`${stream}.mails`, 'job');
    },
    async take() {
      await (await client.consumers.get(stream, 'workers')).next();
    },
    async close() {
      await manager.streams.delete(stream);
      await nats.close();
    },
  };
}
