import { Agent, buildConnector, request } from 'undici';
import type { TlsConfig } from '../../../components/model/queue-config';
import { type Connector } from './connection';
import { type Place, placeOf, queueError, shown } from './place';
import { readTlsFiles } from './tls-files';
import { type QueueReading } from './types';

export interface HttpConfig {
  readonly url: string;
  readonly tls?: TlsConfig | undefined;
  readonly headers?: Readonly<Record<string, string>> | undefined;
}

/** Bytes of an answer's body, and of its part that a message shows. */
const BODY_AT_MOST = 1_000_000;
/** Milliseconds for which an idle connection is kept: longer than between two readings. */
const KEEP_ALIVE = 120_000;
/** Milliseconds for a connection, below the limit that all sources share, so that this one names the fault. */
const CONNECT_TIMEOUT = 4500;

/** Values of a URL's query shorter than this are no keys, and taking them out would garble a message. */
const KEY_AT_LEAST = 6;

/** A place reached by HTTP. Its path is named, its query is not: keys are put there. */
export function httpPlace(config: HttpConfig, name: string, queue: string): Place {
  const { protocol, pathname, search, searchParams, username, password } = new URL(config.url);
  const place = placeOf(
    config.url,
    { name, port: protocol === 'https:' ? 443 : 80 },
    queue || `path ${pathname}`,
  );
  const headers = Object.values(config.headers ?? {}).flatMap((value) => [
    value,
    ...value.split(' ').slice(1),
  ]);
  const parameters = [...searchParams.values(), ...search.slice(1).split(/[&=]/)];
  return {
    ...place,
    secrets: [
      ...place.secrets,
      ...[username, password, ...headers].filter(Boolean),
      ...parameters.filter((value) => value.length >= KEY_AT_LEAST),
    ],
  };
}

/** GETs JSON from one URL of a server, over connections that are kept. */
export function jsonOverHttp(
  config: HttpConfig,
  place: Place,
  directory: string,
  url: URL,
  toReading: (answer: unknown) => QueueReading,
): Connector<Agent> {
  return {
    place,
    async connect(_signal, lost) {
      const tls = config.url.startsWith('https:')
        ? await readTlsFiles(config.tls ?? {}, place, directory)
        : {};
      const open = buildConnector({ ...tls, timeout: CONNECT_TIMEOUT });
      return new Agent({
        connect: (target, done) =>
          open(target, (error, socket) => {
            // The client tells of a refused certificate as "closed"; the socket says why.
            socket?.prependListener('error', lost);
            if (error) done(error, null);
            else done(null, socket);
          }),
        keepAliveTimeout: KEEP_ALIVE,
        maxResponseSize: BODY_AT_MOST,
      });
    },
    read: async (dispatcher, signal) => toReading(await getJson(config, place, url, dispatcher, signal)),
    end: (agent) => agent.close(),
    destroy(agent) {
      agent.destroy().catch(() => {});
    },
    explain: (error) => explain(place, error),
  };
}

async function getJson(
  { url: given, headers }: HttpConfig,
  place: Place,
  url: URL,
  dispatcher: Agent,
  signal: AbortSignal,
): Promise<unknown> {
  const { username, password } = new URL(given);
  const login = Buffer.from(`${decodeURIComponent(username)}:${decodeURIComponent(password)}`).toString(
    'base64',
  );
  const {
    statusCode,
    headers: answered,
    body,
  } = await request(url, {
    dispatcher,
    signal,
    headers: {
      accept: 'application/json',
      ...(username ? { authorization: `Basic ${login}` } : {}),
      ...headers,
    },
  });
  const text = await body.text();
  if (statusCode !== 200) throw refusal(place, statusCode, answered.location, text);
  try {
    return JSON.parse(text) as unknown;
  } catch {
    throw queueError(place, 'wrong', `the answer is no JSON: ${shown(place, text)}. Correct the URL.`);
  }
}

function refusal(place: Place, status: number, location: string | string[] | undefined, body: string): Error {
  if (status === 401 || status === 403) {
    return queueError(
      place,
      'refused',
      `status ${status}. Give what it wants as headers, e.g. authorization: Bearer …, or user and password in the URL.`,
    );
  }
  if (status >= 300 && status < 400) {
    const to = typeof location === 'string' && URL.canParse(location) ? ` to ${new URL(location).host}` : '';
    return queueError(
      place,
      'wrong',
      `status ${status}, a redirect${to}, which is not followed, because the headers are for this server only. Give the final URL.`,
    );
  }
  if ([429, 502, 503, 504].includes(status)) {
    return queueError(place, 'unreachable', `status ${status}. The next reading tries again.`);
  }
  return queueError(
    place,
    'wrong',
    `status ${status}: ${shown(place, body)}. Correct the URL, or that server.`,
  );
}

function explain(place: Place, error: unknown): Error | undefined {
  if (error instanceof Error && 'code' in error && error.code === 'UND_ERR_RES_EXCEEDED_MAX_SIZE') {
    return queueError(
      place,
      'wrong',
      `the answer is longer than ${BODY_AT_MOST} bytes. Give a URL that answers with the numbers only.`,
    );
  }
  return undefined;
}
