import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { connect as connectSocket } from 'node:net';
import { isAbsolute, join } from 'node:path';
import {
  type ConsumerInfo,
  JetStreamApiError,
  type JetStreamManager,
  jetstreamManager,
} from '@nats-io/jetstream';
import { connect, credsAuthenticator, errors, type NatsConnection } from '@nats-io/transport-node';
import type { QueueConfigOf } from '../../../components/model/queue-config';
import { readOver } from './connection';
import { detailsOf } from './faults';
import { type Place, placeOf, queueError, quoted } from './place';
import { toReading } from './reading';
import { readTlsFiles } from './tls-files';
import { type QueueError, type QueueReading, type QueueSource } from './types';

interface Connection {
  readonly nats: NatsConnection;
  readonly manager: JetStreamManager;
}

/** Milliseconds of the client's own limits; the reading's are usually shorter. */
const CLIENT_TIMEOUT = 5000;

/**
 * A durable consumer of a JetStream stream: what it has not delivered waits, what is not acknowledged runs. The oldest
 * age is that of the next message, where the user may read it.
 */
export function natsQueue(config: QueueConfigOf<'nats'>, directory: string): QueueSource {
  const place = natsPlace(config);
  return readOver<Connection>({
    place,
    async connect(signal, lost) {
      const { protocol, host, port, username, password } = new URL(config.url);
      const greeted = await greeting(place.host, Number(port || 4222), signal);
      if (wantsCertificate(greeted) && config.tls?.certFile === undefined) {
        throw queueError(
          place,
          'refused',
          'it wants a client certificate. Give tls.certFile and tls.keyFile, signed by a CA that it knows.',
        );
      }
      const secure = protocol === 'tls:' || config.tls !== undefined;
      const login = {
        ...(username && password
          ? { user: decodeURIComponent(username), pass: decodeURIComponent(password) }
          : {}),
        ...(username && !password ? { token: decodeURIComponent(username) } : {}),
        ...(config.credentialsFile
          ? {
              authenticator: credsAuthenticator(
                await readCredentials(config.credentialsFile, place, directory),
              ),
            }
          : {}),
      };
      const nats = await connect({
        servers: host,
        ...login,
        name: 'worker-pools',
        reconnect: false,
        timeout: CLIENT_TIMEOUT,
        ignoreClusterUpdates: true,
        ...(secure ? { tls: await readTlsFiles(config.tls ?? {}, place, directory) } : {}),
      });
      void nats.closed().then((reason) => lost(reason ?? undefined));
      // Without the check of the account, for which a reader needs one right more.
      return { nats, manager: await jetstreamManager(nats, { checkAPI: false, timeout: CLIENT_TIMEOUT }) };
    },
    read: ({ manager }) => read(manager, place, config),
    end: ({ nats }) => nats.close(),
    destroy({ nats }) {
      nats.close().catch(() => {});
    },
    explain: (error) => explain(place, error),
  });
}

/**
 * Waits until the server greets, as it does first of all. The client never lets go of a connection on which nothing
 * is said (3.4.0), so it is not given one.
 * @returns the first that it says, `INFO {…}`
 */
async function greeting(host: string, port: number, signal: AbortSignal): Promise<string> {
  const socket = connectSocket({ host, port, signal });
  try {
    const [said] = (await once(socket, 'data', { signal })) as [Buffer];
    return said.toString('utf8');
  } finally {
    socket.on('error', () => {});
    socket.destroy();
  }
}

/** Without one it only ends the connection, often before its reason has arrived. */
function wantsCertificate(greeted: string): boolean {
  return /"tls_verify": ?true/.test(greeted);
}

function natsPlace({ url, stream, consumer }: QueueConfigOf<'nats'>): Place {
  const place = placeOf(url, { name: 'NATS', port: 4222 }, `stream "${stream}", consumer "${consumer}"`);
  const { username, password } = new URL(url);
  // A user without a password is a token.
  return password || !username ? place : { ...place, secrets: [username, decodeURIComponent(username)] };
}

async function readCredentials(file: string, place: Place, directory: string): Promise<Uint8Array> {
  const path = isAbsolute(file) ? file : join(directory, file);
  return readFile(path).catch((error: unknown) => {
    const reason = detailsOf(error).code === 'ENOENT' ? 'there is no such file' : 'it cannot be read';
    throw queueError(place, 'refused', `credentialsFile is ${path}, and ${reason} on this machine.`);
  });
}

async function read(
  manager: JetStreamManager,
  place: Place,
  { stream, consumer }: QueueConfigOf<'nats'>,
): Promise<QueueReading> {
  const info = await manager.consumers.info(stream, consumer);
  const oldestAge = info.num_pending === 0 ? undefined : await ageOfNext(manager, info);
  return toReading(place, { waiting: info.num_pending, running: info.num_ack_pending, oldestAge });
}

/** Age of the first message after the last delivered one that the consumer's filter lets through. */
async function ageOfNext(manager: JetStreamManager, info: ConsumerInfo): Promise<number | undefined> {
  const { filter_subject: filter, filter_subjects: filters } = info.config;
  const subjects = filters ?? [filter ?? '>'];
  try {
    const times = await Promise.all(
      subjects.map(async (subject) => {
        const next = { seq: info.delivered.stream_seq + 1, next_by_subj: subject };
        return (await manager.streams.getMessage(info.stream_name, next))?.time.getTime();
      }),
    );
    const first = Math.min(...times.filter((time) => time !== undefined));
    return Number.isFinite(first) ? Math.max(0, Date.now() - first) / 1000 : undefined;
  } catch (error) {
    // The counts are good without it: the user may not read messages, or the next one has gone in between.
    if (isDenied(error) || error instanceof JetStreamApiError) return undefined;
    throw error;
  }
}

function isDenied(error: unknown): boolean {
  if (error instanceof errors.PermissionViolationError) return true;
  return error instanceof Error && error.cause !== undefined && isDenied(error.cause);
}

function explain(place: Place, error: unknown): QueueError | undefined {
  const { message } = detailsOf(error);
  const said = quoted(place, message);
  if (error instanceof JetStreamApiError) {
    return queueError(
      place,
      'wrong',
      `${said}. Correct stream and consumer, or make them; the consumer must be durable.`,
    );
  }
  if (isDenied(error)) {
    return queueError(place, 'refused', `${said}. Allow the user what docs/queues.md lists.`);
  }
  if (error instanceof errors.AuthorizationError || error instanceof errors.UserAuthenticationExpiredError) {
    return queueError(
      place,
      'refused',
      `${said}. Give user and password in the URL, nats://user:password@host, or a credentialsFile.`,
    );
  }
  if (error instanceof errors.TimeoutError) {
    return queueError(
      place,
      'unreachable',
      'no answer in time. Check the server, and that JetStream has a leader.',
    );
  }
  if (/no ?responders/i.test(message)) {
    return queueError(
      place,
      'wrong',
      'JetStream is not on for this account. Switch it on, or correct the URL.',
    );
  }
  if (/not available on this server/.test(message)) {
    return queueError(
      place,
      'refused',
      'it does not speak TLS. Switch TLS on there, or use nats:// without tls.',
    );
  }
  if (/connection refused/.test(message)) {
    return queueError(
      place,
      'unreachable',
      'nothing listens there. Start the server, or correct host and port in the URL.',
    );
  }
  return undefined;
}
