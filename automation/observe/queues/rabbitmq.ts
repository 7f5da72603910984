import { type ChannelModel, connect } from 'amqplib';
import type { QueueConfigOf } from '../../../components/model/queue-config';
import { readOver } from './connection';
import { detailsOf } from './faults';
import { type Place, placeOf, queueError, quoted } from './place';
import { toReading } from './reading';
import { readTlsFiles } from './tls-files';
import { type QueueError, type QueueSource } from './types';

interface Connection {
  readonly model: ChannelModel;
  /** Destroys the socket. */
  readonly cut: AbortController;
}

/** A queue of RabbitMQ, declared passively: nothing is made. Its ready messages wait; AMQP tells no more. */
export function rabbitmqQueue(config: QueueConfigOf<'rabbitmq'>, directory: string): QueueSource {
  const place = rabbitmqPlace(config);
  return readOver<Connection>({
    place,
    async connect(signal, lost) {
      const secure = config.url.startsWith('amqps:');
      const tls = secure ? await readTlsFiles(config.tls ?? {}, place, directory) : {};
      const cut = new AbortController();
      signal.addEventListener('abort', () => cut.abort(), { once: true });
      // They go to the socket as they are, and with them the signal that destroys it.
      const socket = { ...tls, signal: cut.signal, clientProperties: { connection_name: 'worker-pools' } };
      const model = await connect(config.url, socket);
      model.on('error', lost);
      model.on('close', () => lost());
      return { model, cut };
    },
    async read({ model }) {
      const channel = await model.createChannel();
      channel.on('error', () => {});
      const { messageCount } = await channel.checkQueue(config.queue);
      await channel.close();
      return toReading(place, { waiting: messageCount });
    },
    end: ({ model }) => model.close(),
    destroy: ({ cut }) => cut.abort(),
    explain: (error) => explain(place, error),
  });
}

function rabbitmqPlace({ url, queue }: QueueConfigOf<'rabbitmq'>): Place {
  const { pathname, username, protocol } = new URL(url);
  const vhost = pathname === '' ? '/' : decodeURIComponent(pathname.slice(1));
  const user = username ? `user "${decodeURIComponent(username)}", ` : '';
  return placeOf(
    url,
    { name: 'RabbitMQ', port: protocol === 'amqps:' ? 5671 : 5672 },
    `${user}virtual host "${vhost}", queue "${queue}"`,
  );
}

/** Codes: AMQP 0-9-1, 1.2 and RabbitMQ's own use of them. */
function explain(place: Place, error: unknown): QueueError | undefined {
  const code: unknown = error instanceof Error && 'code' in error ? error.code : undefined;
  const { message } = detailsOf(error);
  const said = quoted(place, message);
  if (code === 404) {
    return queueError(
      place,
      'wrong',
      'there is no such queue. Correct its name or the URL’s virtual host, or declare it.',
    );
  }
  if (code === 405) {
    return queueError(
      place,
      'refused',
      'the queue is exclusive to another connection. Declare it without exclusive.',
    );
  }
  if (code === 403 || message.includes('ACCESS_REFUSED') || message.includes('ACCESS-REFUSED')) {
    return queueError(
      place,
      'refused',
      `it does not let this user in (${said}). Correct user and password in the URL: amqp://user:password@host/vhost`,
    );
  }
  // All that the client tells of a virtual host that is closed to us.
  if (
    code === 530 ||
    message.includes('Expected ConnectionOpenOk; got <ConnectionClose') ||
    message.includes('NOT_ALLOWED') ||
    message.includes('NOT-ALLOWED')
  ) {
    return queueError(
      place,
      'refused',
      `it does not let this user into the virtual host (${said}). Correct it in the URL, or grant it by rabbitmqctl set_permissions.`,
    );
  }
  if (code === 320)
    return queueError(place, 'unreachable', `it shuts down (${said}). The next reading tries again.`);
  return undefined;
}
