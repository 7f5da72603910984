import { isIPv6, type AddressInfo } from 'node:net';
import fastify, {
  type FastifyError,
  type FastifyInstance,
  type FastifyReply,
  type FastifyRequest,
} from 'fastify';
import type { Log } from '../log';
import type { Metrics } from './metrics';
import { Refusal } from './refusal';

export interface ListenerArgs {
  /** Label in metrics and log lines. */
  readonly name: 'workers' | 'admin';
  /** Bytes of the largest body that is read. */
  readonly bodyLimit: number;
  readonly metrics: Metrics;
  readonly log: Log;
}

export interface RunningListener {
  /** `http://host:port`, with the port that was really taken. */
  readonly url: string;
  /** Ends streams, waits for answers under way, and frees the port. */
  readonly close: () => Promise<void>;
}

/** Content type of server-sent events: answers without an end. */
export const EVENT_STREAM = 'text/event-stream; charset=utf-8';

/** A request that has not come in whole by then is dropped: milliseconds. */
const REQUEST_TIMEOUT = 15_000;

/** What both listeners have in common: measured routes, and errors as `{ "error": { reason, message, faults? } }`. */
export function createListener({ name, bodyLimit, metrics, log }: ListenerArgs): FastifyInstance {
  const app = fastify({
    bodyLimit,
    requestTimeout: REQUEST_TIMEOUT,
    forceCloseConnections: true,
    exposeHeadRoutes: false,
    frameworkErrors: (_error, _request, reply) => void refuse(reply, badUrl()),
  });
  const refuse = (reply: FastifyReply, { status, reason, message, faults }: Refusal): FastifyReply => {
    metrics.refusals.inc({ listener: name, reason });
    return reply
      .code(status)
      .send({ error: { reason, message, ...(faults.length === 0 ? {} : { faults }) } });
  };
  app.setErrorHandler((error: FastifyError, request, reply) => {
    const refusal = asRefusal(error, bodyLimit);
    if (refusal) return refuse(reply, refusal);
    log.error('request-failed', { listener: name, method: request.method, route: routeOf(request), error });
    return refuse(reply, failed());
  });
  const parseJson = app.getDefaultJsonParser('error', 'error');
  app.removeAllContentTypeParsers();
  app.addContentTypeParser('application/json', { parseAs: 'string' }, (request, text: string, done) => {
    // Clients that send no body at all still name a content type.
    if (text === '') done(null, undefined);
    else void parseJson(request, text, done);
  });
  app.setNotFoundHandler((_request, reply) => refuse(reply, noRoute()));
  app.addHook('onResponse', async (request, reply) => {
    if (reply.raw.getHeader('content-type') === EVENT_STREAM) return;
    metrics.requestDuration.observe(
      {
        listener: name,
        method: request.method,
        route: routeOf(request),
        status: `${Math.floor(reply.statusCode / 100)}xx`,
      },
      reply.elapsedTime / 1000,
    );
  });
  return app;
}

/** @throws Error naming the listener and what to do when the port cannot be had */
export async function listen(
  app: FastifyInstance,
  what: string,
  { host, port }: { host: string; port: number },
): Promise<RunningListener> {
  try {
    await app.listen({ host, port });
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new Error(
      `the ${what} cannot listen on ${host}:${port}: ${reason}; free the port or name another`,
      {
        cause: error,
      },
    );
  }
  const { port: taken } = app.server.address() as AddressInfo;
  return { url: `http://${isIPv6(host) ? `[${host}]` : host}:${taken}`, close: () => app.close() };
}

/** The pattern, never the path itself: paths are without end. */
function routeOf(request: FastifyRequest): string {
  return request.routeOptions.url ?? 'none';
}

/** What the framework itself refuses, in this API's words; undefined for a fault of the service. */
function asRefusal(error: FastifyError, bodyLimit: number): Refusal | undefined {
  if (error instanceof Refusal) return error;
  switch (error.code) {
    case 'FST_ERR_CTP_BODY_TOO_LARGE':
      return new Refusal(413, 'oversized', `the body is larger than ${bodyLimit} bytes; send less`);
    case 'FST_ERR_CTP_INVALID_MEDIA_TYPE':
      return new Refusal(415, 'not-json', 'the body is not JSON; send content-type: application/json');
    default:
      // A body that is cut off, empty or not JSON; never a fault of the service.
      return error.statusCode === 400
        ? new Refusal(400, 'malformed', 'the body is not well-formed JSON')
        : undefined;
  }
}

const badUrl = (): Refusal => new Refusal(400, 'malformed', 'the path is not a well-formed URL');
const noRoute = (): Refusal =>
  new Refusal(404, 'no-route', 'there is nothing under this method and path; see docs/service.md');
const failed = (): Refusal =>
  new Refusal(500, 'failed', 'the service failed to answer; try again, and read its log for the cause');
