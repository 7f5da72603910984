import { isIPv6 } from 'node:net';
import type { FastifyInstance } from 'fastify';
import { Refusal } from './refusal';
import { bearerToken, sameToken } from './tokens';

export function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '::1' || /^127(\.\d{1,3}){3}$/.test(host);
}

/**
 * Answers only under its own names, so that a foreign page whose name was bound to this address reaches nothing, and
 * only to its own pages. Any port: tunnels choose theirs.
 */
export function guardHost(app: FastifyInstance, names: readonly string[]): void {
  const allowed = new Set(['localhost', '127.0.0.1', '::1', ...names].map((name) => name.toLowerCase()));
  app.addHook('onRequest', async (request, reply) => {
    void reply.header('x-content-type-options', 'nosniff');
    const { host, origin } = request.headers;
    if (!allowed.has(nameOf(`http://${host ?? ''}`))) {
      throw new Refusal(
        403,
        'foreign-host',
        'this service does not answer under that name; use http://localhost, or name it with --admin-name',
      );
    }
    if (origin !== undefined && !allowed.has(nameOf(origin))) {
      throw new Refusal(403, 'foreign-origin', 'pages of other sites may not call this service');
    }
  });
}

/** Browsers never send this token by themselves, so there is nothing for a foreign page to forge. */
export function guardToken(app: FastifyInstance, adminToken: string): void {
  app.addHook('onRequest', async (request, reply) => {
    if (sameToken(bearerToken(request.headers.authorization) ?? '', adminToken)) return;
    void reply.header('www-authenticate', 'Bearer');
    throw new Refusal(
      401,
      'wrong-token',
      'the admin token is missing or wrong; send it as `Authorization: Bearer …`',
    );
  });
}

/** Host name of a URL in lower case, IPv6 without brackets; empty where it is none. */
function nameOf(url: string): string {
  try {
    const { hostname } = new URL(url);
    const bare = hostname.replace(/^\[|\]$/g, '');
    return isIPv6(bare) ? bare : hostname.toLowerCase();
  } catch {
    return '';
  }
}
