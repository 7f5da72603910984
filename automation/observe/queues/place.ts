import { inspect } from 'node:util';
import { QueueError } from './types';

/** Where a queue is, as messages name it; and what must never be in one. */
export interface Place {
  /** e.g. `Redis at queue.internal:6379` */
  readonly server: string;
  /** e.g. `list "jobs" of database 0` */
  readonly queue: string;
  /** The name or address that the server's certificate must carry. */
  readonly host: string;
  readonly secrets: readonly string[];
}

/** Reads a queue's URL for messages; credentials become secrets and appear nowhere else. */
export function placeOf(
  url: string,
  server: { readonly name: string; readonly port: number },
  queue: string,
): Place {
  const { hostname, port, password, searchParams } = new URL(url);
  const host = decodeURIComponent(hostname || searchParams.get('host') || 'localhost');
  return {
    server: `${server.name} at ${host}:${port || searchParams.get('port') || server.port}`,
    queue,
    host: host.replace(/^\[|\]$/g, ''),
    secrets: [password, decodeURIComponent(password), searchParams.get('password') ?? ''].filter(Boolean),
  };
}

/** A message that names the place. What others wrote goes through `quoted` first. */
export function queueError(place: Place, kind: QueueError['kind'], text: string): QueueError {
  return new QueueError(kind, `${place.server}, ${place.queue}: ${text}`);
}

/**
 * Text of a server or a library on one line, short, without the secrets. The error that carried it is never kept as a
 * cause: clients attach the command that failed, with the password in it.
 */
export function quoted(place: Place, text: string): string {
  const safe = place.secrets.reduce((rest, secret) => rest.replaceAll(secret, '***'), text);
  const clean = safe.replace(/\s+/g, ' ').trim();
  return clean.length > 300 ? `${clean.slice(0, 300)}…` : clean;
}

/** A value as it came, short. */
export function shown(place: Place, value: unknown): string {
  const clean = quoted(place, inspect(value, { depth: 1, breakLength: Infinity }));
  return clean.length > 150 ? `${clean.slice(0, 150)}…` : clean;
}
