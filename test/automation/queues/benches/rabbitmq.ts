import { randomUUID } from 'node:crypto';
import { connect } from 'amqplib';
import type { QueueBench } from '../contract';
import { requireServer } from '../proxy';

const PORT = 5672;

export async function rabbitmqBench(): Promise<QueueBench> {
  await requireServer('RabbitMQ', PORT);
  const model = await connect(`amqp://guest:guest@127.0.0.1:${PORT}`);
  const channel = await model.createConfirmChannel();
  const queue = `wp-test-${randomUUID()}`;
  await channel.assertQueue(queue);
  return {
    port: PORT,
    knows: { running: false, oldestAge: false },
    config: (port) => ({ kind: 'rabbitmq', url: `amqp://guest:guest@127.0.0.1:${port}`, queue }),
    async add(jobs) {
      for (let job = 0; job < jobs; job += 1) channel.sendToQueue(queue, Buffer.from('job'));
      await channel.waitForConfirms();
    },
    async take() {
      await channel.get(queue);
    },
    async close() {
      await channel.deleteQueue(queue);
      await model.close();
    },
  };
}
