import type { IncomingMessage, ServerResponse } from 'node:http';
import Fastify, { type FastifyInstance } from 'fastify';

export interface RoutedPart {
  /** The paths at and below it belong to the part. */
  prefix: string;
  /** Registers the part's routes with their full paths. */
  register: (app: FastifyInstance) => void;
}

export interface Router {
  handle: (request: IncomingMessage, response: ServerResponse) => void;
  close: () => Promise<void>;
}

/**
 * Puts several APIs on one port. Each part is an application of its own, so that hooks, parsers and error
 * bodies of one vendor never show in another's answers.
 */
export async function createRouter(parts: RoutedPart[]): Promise<Router> {
  const routed = await Promise.all(
    parts.map(async ({ prefix, register }) => {
      const app = Fastify({ bodyLimit: 8 * 1024 * 1024, exposeHeadRoutes: false });
      register(app);
      await app.ready();
      return { prefix, app };
    }),
  );
  return {
    handle: (request, response) => {
      const path = request.url ?? '/';
      const part = routed.find(({ prefix }) => path.startsWith(`${prefix}/`) || path === prefix);
      if (part) part.app.routing(request, response);
      else refuse(response, path, parts);
    },
    close: async () => {
      await Promise.all(routed.map(({ app }) => app.close()));
    },
  };
}

function refuse(response: ServerResponse, path: string, parts: RoutedPart[]): void {
  const known = parts.map(({ prefix }) => prefix).join(', ');
  response.writeHead(404, { 'content-type': 'application/json' });
  response.end(
    JSON.stringify({ error: { message: `nothing answers ${path}; paths here begin with ${known}` } }),
  );
}
