import { z } from 'zod';
import { TailscaleError } from '../tailscale/errors';

const user = z.object({ id: z.string() });
const preAuthKey = z.object({ key: z.string(), used: z.boolean(), reusable: z.boolean() });
const node = z.object({
  id: z.string(),
  name: z.string(),
  givenName: z.string(),
  machineKey: z.string(),
  nodeKey: z.string(),
  ipAddresses: z.array(z.string()),
  createdAt: z.string(),
  lastSeen: z.string().nullish(),
  expiry: z.string().nullish(),
  online: z.boolean(),
  preAuthKey: z.object({ ephemeral: z.boolean() }).nullish(),
  forcedTags: z.array(z.string()),
  validTags: z.array(z.string()),
  availableRoutes: z.array(z.string()),
  approvedRoutes: z.array(z.string()),
});

export type HeadscaleNode = z.output<typeof node>;

/** Headscale's own HTTP API, as far as the tailnet needs it. */
export class HeadscaleClient {
  constructor(
    private readonly base: string,
    private readonly apiKey: string,
  ) {}

  async createUser(name: string): Promise<string> {
    return (await this.call('POST', '/user', z.object({ user }), { name })).user.id;
  }

  async createKey(request: {
    user: string;
    reusable: boolean;
    ephemeral: boolean;
    expiration: string;
    aclTags: string[];
  }): Promise<string> {
    const answer = await this.call('POST', '/preauthkey', z.object({ preAuthKey }), request);
    return answer.preAuthKey.key;
  }

  async keys(userId: string): Promise<z.output<typeof preAuthKey>[]> {
    const answer = z.object({ preAuthKeys: z.array(preAuthKey) });
    return (await this.call('GET', `/preauthkey?user=${userId}`, answer)).preAuthKeys;
  }

  async expireKey(userId: string, key: string): Promise<void> {
    await this.call('POST', '/preauthkey/expire', z.unknown(), { user: userId, key });
  }

  async nodes(): Promise<HeadscaleNode[]> {
    return (await this.call('GET', '/node', z.object({ nodes: z.array(node) }))).nodes;
  }

  /** Takes a machine away; it is told first that its key is no more, or it would go on as if nothing had been. */
  async deleteNode(id: string): Promise<void> {
    await this.call('POST', `/node/${id}/expire`, z.unknown());
    await this.call('DELETE', `/node/${id}`, z.unknown());
  }

  async setTags(id: string, tags: string[]): Promise<void> {
    await this.call('POST', `/node/${id}/tags`, z.unknown(), { tags });
  }

  async rename(id: string, name: string): Promise<void> {
    await this.call('POST', `/node/${id}/rename/${encodeURIComponent(name)}`, z.unknown());
  }

  async approveRoutes(id: string, routes: string[]): Promise<void> {
    await this.call('POST', `/node/${id}/approve_routes`, z.unknown(), { routes });
  }

  async setPolicy(policy: object): Promise<void> {
    await this.call('PUT', '/policy', z.unknown(), { policy: JSON.stringify(policy) });
  }

  /** What headscale refuses is the caller's mistake; what it does not know how to say is its own. */
  private async call<T>(method: string, path: string, schema: z.ZodType<T>, body?: object): Promise<T> {
    const response = await fetch(`${this.base}/api/v1${path}`, {
      method,
      headers: { authorization: `Bearer ${this.apiKey}`, 'content-type': 'application/json' },
      ...(body && { body: JSON.stringify(body) }),
    });
    const text = await response.text();
    if (!response.ok)
      throw new TailscaleError(response.status === 500 ? 400 : response.status, `headscale: ${text}`);
    return schema.parse(JSON.parse(text));
  }
}
