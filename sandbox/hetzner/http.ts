import { randomUUID } from 'node:crypto';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import type { Cloud } from './cloud';
import { ApiError, errorBody } from './errors';
import { Query } from './query';
import { rateLimitHeaders, takeToken } from './rate-limit';
import type { Project } from './state';

/** One request as a resource's handler sees it. */
export interface Call {
  project: Project;
  params: Record<string, string>;
  query: Query;
  /** Parsed JSON, not yet checked; undefined when there was no body. */
  body: unknown;
  /** Address without the query, for links. */
  url: string;
}

export interface Answer {
  status: number;
  body?: unknown;
  headers?: Record<string, string>;
}

export type Handler = (call: Call) => Answer;
export type Method = 'GET' | 'POST' | 'PUT' | 'DELETE';

/** Registers a handler; `path` is relative to the prefix, as in the vendor's documentation. */
export type Route = (method: Method, path: string, handler: Handler) => void;

export interface TokenOwner {
  projectId: string;
  readOnly: boolean;
}

export const PREFIX = '/v1';

/**
 * Registers the API: events that are due first, then token, rate limit, handler. Everything lives in a scope
 * of its own, so that neither hooks nor error bodies touch the other vendors' routes.
 */
export function registerApi(
  app: FastifyInstance,
  cloud: Cloud,
  ownerOf: (token: string) => TokenOwner | undefined,
  addRoutes: (route: Route) => void,
): void {
  void app.register(
    async (scope) => {
      // By id: the state may be replaced while a request waits.
      const callers = new WeakMap<FastifyRequest, string>();
      const knownPaths: RegExp[] = [];
      const projectOf = (id: string | undefined): Project => {
        const project = id === undefined ? undefined : cloud.state.projects[id];
        if (!project) throw unauthorized();
        return project;
      };

      scope.removeAllContentTypeParsers();
      scope.addContentTypeParser('*', { parseAs: 'string' }, (_request, text: string, done) => {
        try {
          done(null, text === '' ? undefined : (JSON.parse(text) as unknown));
        } catch {
          done(new ApiError(400, 'json_error', 'invalid JSON in request body'));
        }
      });

      scope.addHook('onRequest', async (request, reply) => {
        cloud.kernel.schedule.runDue();
        reply.header('X-Correlation-Id', randomUUID().replaceAll('-', '').slice(0, 16));
        const owner = authenticate(request, ownerOf);
        const project = projectOf(owner.projectId);
        callers.set(request, owner.projectId);
        const perHour = cloud.settings.rateLimitPerHour;
        const allowed = takeToken(project.bucket, perHour, cloud.kernel.clock.now());
        reply.headers(rateLimitHeaders(project.bucket, perHour));
        if (!allowed) {
          throw new ApiError(429, 'rate_limit_exceeded', `limit of ${perHour} requests per hour reached`);
        }
        if (owner.readOnly && request.method !== 'GET') {
          throw new ApiError(401, 'token_readonly', 'token is only allowed to perform GET requests');
        }
      });

      addRoutes((method, path, handler) => {
        knownPaths.push(patternOf(path));
        scope.route({
          method,
          url: path,
          exposeHeadRoute: false,
          handler: async (request, reply) =>
            send(reply, handler(toCall(request, projectOf(callers.get(request))))),
        });
      });

      scope.setNotFoundHandler(async (request, reply) => {
        const path = pathOf(request);
        const known = knownPaths.some((pattern) => pattern.test(path));
        const error = known
          ? new ApiError(405, 'method_not_allowed', 'the request method is not allowed')
          : new ApiError(404, 'not_found', 'the requested path was not found');
        return sendError(reply, error);
      });
      scope.setErrorHandler(async (error, request, reply) => {
        if (error instanceof ApiError) return sendError(reply, error);
        const status = (error as { statusCode?: number }).statusCode ?? 500;
        if (status < 500) return sendError(reply, new ApiError(400, 'json_error', (error as Error).message));
        request.log.error(error);
        return sendError(reply, new ApiError(500, 'server_error', `unexpected error: ${String(error)}`));
      });
    },
    { prefix: PREFIX },
  );
}

const unauthorized = (): ApiError =>
  new ApiError(401, 'unauthorized', 'the token you have provided is invalid');

function authenticate(
  request: FastifyRequest,
  ownerOf: (token: string) => TokenOwner | undefined,
): TokenOwner {
  const [scheme, token] = (request.headers.authorization ?? '').split(' ');
  const owner = scheme?.toLowerCase() === 'bearer' && token ? ownerOf(token) : undefined;
  if (!owner) throw unauthorized();
  return owner;
}

function toCall(request: FastifyRequest, project: Project): Call {
  const question = request.url.indexOf('?');
  return {
    project,
    params: request.params as Record<string, string>,
    query: new Query(new URLSearchParams(question === -1 ? '' : request.url.slice(question + 1))),
    body: request.body,
    url: `${request.protocol}://${request.host}${request.url.split('?')[0] ?? ''}`,
  };
}

const pathOf = (request: FastifyRequest): string => (request.url.split('?')[0] ?? '').slice(PREFIX.length);

const patternOf = (path: string): RegExp => new RegExp(`^${path.replaceAll(/:[a-z]+/g, '[^/]+')}$`);

function send(reply: FastifyReply, answer: Answer): FastifyReply {
  if (answer.headers) reply.headers(answer.headers);
  reply.code(answer.status);
  return answer.body === undefined ? reply.send() : reply.send(answer.body);
}

function sendError(reply: FastifyReply, error: ApiError): FastifyReply {
  return reply.code(error.status).send(errorBody(error.code, error.message, error.details));
}
