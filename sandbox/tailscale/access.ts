import type { Kernel } from '../kernel/vendor';
import { TailscaleError } from './errors';
import { credential, vendorId } from './identifiers';
import type { Store } from './state';

/** Seconds that an OAuth access token lives. */
const TOKEN_LIFETIME = 3600;

/** Who makes a request: an OAuth client through its token, or an admin through an API key. */
export interface Caller {
  owner: 'tailnet' | 'user';
  scopes: string[];
  tags: string[];
}

/** Who may call, and what. */
export class Access {
  constructor(
    private readonly kernel: Kernel,
    private readonly store: Store,
  ) {}

  /**
   * The client-credentials grant. `scope` is space-separated; undefined asks for all that the client has.
   * @throws TailscaleError 401 for unknown credentials, 403 for a scope that the client lacks
   */
  issueToken(clientId: string, clientSecret: string, scope: string | undefined): object {
    const client = this.store.state.oauthClients.find(({ id }) => id === clientId);
    if (!client || client.secret !== clientSecret) throw invalidToken();
    const asked = scope?.split(/[\s,]+/).filter(Boolean) ?? [];
    const scopes = asked.length > 0 ? asked : client.scopes;
    const lacking = scopes.filter((name) => !grants(client.scopes, name));
    if (lacking.length > 0) {
      throw new TailscaleError(403, `OAuth client cannot grant scopes "${lacking.join(' ')}"`);
    }
    this.forgetExpiredTokens();
    const { random, clock } = this.kernel;
    const id = vendorId(random, 'k', () => false);
    const token = credential(random, 'api', id);
    const expiresAt = clock.now() + TOKEN_LIFETIME * 1000;
    this.store.state.accessTokens[token] = { scopes, tags: client.tags, expiresAt };
    return {
      access_token: token,
      token_type: 'Bearer',
      expires_in: TOKEN_LIFETIME,
      scope: scopes.join(' '),
      tags: client.tags.join(' '),
    };
  }

  /**
   * Finds the caller by `Authorization`: Bearer, or Basic with the token as user and an empty password.
   * @throws TailscaleError 401
   */
  authenticate(authorization: string | undefined): Caller {
    const token = readToken(authorization);
    const { apiKey, accessTokens } = this.store.state;
    if (token !== undefined && token === apiKey) return { owner: 'user', scopes: ['all'], tags: [] };
    const found = token === undefined ? undefined : accessTokens[token];
    if (!found || found.expiresAt <= this.kernel.clock.now()) throw invalidToken();
    return { owner: 'tailnet', scopes: found.scopes, tags: found.tags };
  }

  private forgetExpiredTokens(): void {
    const { accessTokens } = this.store.state;
    for (const [token, { expiresAt }] of Object.entries(accessTokens)) {
      if (expiresAt <= this.kernel.clock.now()) delete accessTokens[token];
    }
  }
}

/** @throws TailscaleError 403 when the caller's scopes do not hold the one that the call needs */
export function requireScope(caller: Caller, needed: string): void {
  if (grants(caller.scopes, needed)) return;
  throw new TailscaleError(403, 'calling actor does not have enough permissions to perform this function');
}

/** A scope holds itself and its `:read` form; `all` holds every scope and `all:read` every `:read` form. */
export function grants(held: string[], needed: string): boolean {
  if (held.includes(needed) || held.includes('all')) return true;
  const reading = needed.endsWith(':read');
  return reading && (held.includes(needed.slice(0, -':read'.length)) || held.includes('all:read'));
}

/** The user and password of a Basic header. */
export function readBasic(authorization: string | undefined): { user: string; password: string } | undefined {
  const encoded = /^Basic\s+(\S+)$/i.exec(authorization ?? '')?.[1];
  if (encoded === undefined) return undefined;
  const [user = '', ...rest] = Buffer.from(encoded, 'base64').toString('utf8').split(':');
  return { user: decoded(user), password: decoded(rest.join(':')) };
}

/** OAuth (RFC 6749, 2.3.1) form-encodes both parts; a stray percent sign stands for itself. */
function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

function readToken(authorization: string | undefined): string | undefined {
  return /^Bearer\s+(\S+)$/i.exec(authorization ?? '')?.[1] ?? readBasic(authorization)?.user;
}

function invalidToken(): TailscaleError {
  return new TailscaleError(401, 'API token invalid');
}
