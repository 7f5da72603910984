import type { FastifyInstance, FastifyRequest } from 'fastify';
import { z } from 'zod';
import type { Kernel } from '../kernel/vendor';
import { CloudflareError, type ErrorEntry, failure, noRoute } from './errors';
import { arrange, readQuery } from './query';
import { takeRequest, TOO_MANY_REQUESTS } from './rate-limit';
import { recordFilter } from './record-filter';
import { batchSchema, recordPatchSchema, type Records, recordSchema, viewRecord } from './records';
import type { CloudflareSettings } from './settings';
import type { DnsRecord, Store, Zone } from './state';
import { matchingZones, viewZone } from './zones';

export interface Parts {
  kernel: Kernel;
  settings: CloudflareSettings;
  store: Store;
  records: Records;
}

/** The vendor's envelope around a refusal. */
export const refusal = (entry: ErrorEntry): object => ({
  result: null,
  success: false,
  errors: [entry],
  messages: [],
});

const success = (result: unknown, more: object = {}): object => ({
  result,
  success: true,
  errors: [],
  messages: [],
  ...more,
});

/** The HTTP side, in a scope of its own whose prefix is the vendor's `/client/v4`. */
export function registerRoutes(scope: FastifyInstance, parts: Parts): void {
  scope.removeAllContentTypeParsers();
  scope.addContentTypeParser('*', { parseAs: 'string' }, (_request, body, done) => done(null, body));
  scope.setErrorHandler<Error & { statusCode?: number }>((error, _request, reply) => {
    if (error instanceof CloudflareError) {
      return reply.code(error.status).headers(error.headers).send(refusal(error.entry));
    }
    const status = error.statusCode ?? 500;
    return reply.code(status).send(refusal({ code: 10_001, message: error.message }));
  });
  scope.setNotFoundHandler((_request, reply) =>
    reply.code(404).send(refusal({ code: 7000, message: 'No route for that URI' })),
  );
  zoneRoutes(scope, parts);
  recordRoutes(scope, parts);
}

function zoneRoutes(scope: FastifyInstance, { kernel, store, settings }: Parts): void {
  const view = (zone: Zone): object => viewZone(zone, store.state, settings.plan);
  const admit = (request: FastifyRequest, stranger: CloudflareError): void =>
    checkCaller(request, kernel, store, settings, stranger);

  scope.get('/user/tokens/verify', (request) => {
    admit(request, failure(401, 1000, 'Invalid API Token'));
    const messages = [{ code: 10_000, message: 'This API Token is valid and active', type: null }];
    return success({ id: store.state.tokenId, status: 'active' }, { messages });
  });
  scope.get('/zones', (request) => {
    admit(request, failure(403, 9109, 'Invalid access token'));
    const query = readQuery(request.url);
    const { items, info } = arrange(matchingZones(store.state, query), query, {
      perPage: { default: 20, min: 5, max: 50 },
      order: {
        name: ({ name }) => name,
        status: () => 'active',
        'account.id': () => '',
        'account.name': () => '',
      },
    });
    return success(items.map(view), { result_info: info });
  });
  scope.get('/zones/:zone', (request) => {
    admit(request, failure(403, 9109, 'Invalid access token'));
    return success(view(findZone(request, store, 9109, 'Unauthorized to access requested resource')));
  });
}

function recordRoutes(scope: FastifyInstance, { kernel, store, settings, records }: Parts): void {
  type Handler = (zone: Zone, request: FastifyRequest) => object;
  const route = (
    method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE',
    path: string,
    handler: Handler,
  ): void => {
    scope.route({
      method,
      url: `/zones/:zone/dns_records${path}`,
      handler: (request) => {
        checkCaller(request, kernel, store, settings, failure(403, 10_000, 'Authentication error'));
        return handler(findZone(request, store, 10_000, 'Authentication error'), request);
      },
    });
  };
  const recordId = (request: FastifyRequest): string => {
    const id = param(request, 'record');
    if (!/^[0-9a-f]{32}$/.test(id)) throw noRoute(request.url);
    return id;
  };

  route('GET', '', (zone, request) => {
    const query = readQuery(request.url);
    const { items, info } = arrange(records.list(zone).filter(recordFilter(query)), query, {
      perPage: { default: 100, min: 1, max: 5_000_000 },
      order: {
        type: ({ type }) => type,
        name: ({ name }) => name,
        content: ({ content }) => content,
        ttl: ({ ttl }) => ttl,
        proxied: ({ proxied }) => Number(proxied),
      },
    });
    return success(items.map(viewRecord), { result_info: info });
  });
  route('POST', '', (zone, request) =>
    success(viewRecord(records.create(zone, body(request, recordSchema)))),
  );
  route('GET', '/:record', (zone, request) => success(viewRecord(records.get(zone, recordId(request)))));
  route('PUT', '/:record', (zone, request) =>
    success(viewRecord(records.replace(zone, recordId(request), body(request, recordSchema)))),
  );
  route('PATCH', '/:record', (zone, request) =>
    success(viewRecord(records.patch(zone, recordId(request), body(request, recordPatchSchema)))),
  );
  route('DELETE', '/:record', (zone, request) => success({ id: records.delete(zone, recordId(request)).id }));
  route('POST', '/batch', (zone, request) => {
    const done = Object.entries(records.batch(zone, body(request, batchSchema)));
    const views = done.map(([part, list]: [string, DnsRecord[]]) => [part, list.map(viewRecord)]);
    return success(Object.fromEntries(views));
  });
}

/**
 * Lets the account's token through, at the cost of one request of its user's budget.
 * @throws CloudflareError for headers that are none (400), another token (`stranger`), or a spent budget (429)
 */
function checkCaller(
  request: FastifyRequest,
  kernel: Kernel,
  store: Store,
  settings: CloudflareSettings,
  stranger: CloudflareError,
): void {
  const { authorization } = request.headers;
  const email = request.headers['x-auth-email'];
  if (authorization === undefined && email !== undefined) {
    throw failure(403, 9103, 'Unknown X-Auth-Key or X-Auth-Email');
  }
  const token = /^Bearer ([0-9A-Za-z_-]{40,80})$/.exec(authorization ?? '')?.[1];
  if (token === undefined) {
    const chained = { code: 6111, message: 'Invalid format for Authorization header' };
    throw new CloudflareError(400, {
      code: 6003,
      message: 'Invalid request headers',
      error_chain: [chained],
    });
  }
  if (token !== store.state.token) throw stranger;
  const { bucket, wait } = takeRequest(
    store.state.bucket,
    settings.requestsPerFiveMinutes,
    kernel.clock.now(),
  );
  store.state.bucket = bucket;
  if (wait === 0) return;
  throw new CloudflareError(429, TOO_MANY_REQUESTS, { 'retry-after': String(Math.ceil(wait / 1000)) });
}

/** A zone that does not exist looks like one that the token may not see. */
function findZone(request: FastifyRequest, store: Store, code: number, message: string): Zone {
  const id = param(request, 'zone');
  if (!/^[0-9a-f]{32}$/.test(id)) throw noRoute(request.url);
  const zone = store.state.zones.find((candidate) => candidate.id === id);
  if (!zone) throw failure(403, code, message);
  return zone;
}

function param(request: FastifyRequest, name: string): string {
  return z.record(z.string(), z.string()).parse(request.params)[name] ?? '';
}

function body<T>(request: FastifyRequest, schema: z.ZodType<T>): T {
  let value: unknown;
  try {
    value = JSON.parse(typeof request.body === 'string' ? request.body : '');
  } catch {
    throw failure(400, 6007, 'Malformed JSON in request body');
  }
  const parsed = schema.safeParse(value);
  if (parsed.success) return parsed.data;
  const [issue] = parsed.error.issues;
  throw failure(400, 9207, `Request body is invalid. ${issue?.path.join('.')}: ${issue?.message}`);
}
