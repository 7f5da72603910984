import fastify, { type FastifyInstance } from 'fastify';
import { createClock } from '../../../sandbox/kernel/clock';
import { createRandom } from '../../../sandbox/kernel/random';
import { Schedule } from '../../../sandbox/kernel/schedule';
import type { Kernel } from '../../../sandbox/kernel/vendor';
import { createTailscale, tailscaleSettingsSchema, type Tailscale } from '../../../sandbox/tailscale';

/** A moment at which the stepped clocks of these tests start. */
export const START = Date.parse('2026-10-01T00:00:00Z');

export interface Answer {
  status: number;
  headers: Headers;
  /** Parsed JSON, or the text itself where it is none. */
  body: unknown;
}

/** A local tailnet behind real HTTP, with a stepped clock. */
export interface Tailnet {
  tailscale: Tailscale;
  kernel: Kernel;
  takenAddresses: Set<string>;
  url: string;
  /** Calls the API as the given credential (default: a token of the default OAuth client). */
  call: (method: string, path: string, body?: unknown, headers?: Record<string, string>) => Promise<Answer>;
  send: (
    method: string,
    path: string,
    options: { body?: string; headers?: Record<string, string> },
  ) => Promise<Answer>;
  token: (form?: Record<string, string>) => Promise<Answer>;
  /** Makes a key through the API and gives its secret. */
  newKey: (create?: object, rest?: object) => Promise<{ id: string; key: string }>;
  enrol: (authKey: string, hostname?: string, advertiseTags?: string[]) => ReturnType<Tailscale['enrol']>;
  close: () => Promise<void>;
}

export async function startTailnet(settings: object = {}): Promise<Tailnet> {
  const clock = createClock({ kind: 'stepped' }, START);
  const kernel: Kernel = { clock, schedule: new Schedule(clock), random: createRandom(7) };
  const takenAddresses = new Set<string>();
  let lastOctet = 0;
  const addresses = {
    take: () => {
      const address = `127.9.0.${(lastOctet += 1)}`;
      takenAddresses.add(address);
      return address;
    },
    release: (address: string) => void takenAddresses.delete(address),
  };
  const tailscale = createTailscale(kernel, tailscaleSettingsSchema.parse(settings), { addresses });
  const app: FastifyInstance = fastify();
  tailscale.register(app);
  const url = await app.listen({ host: '127.0.0.1', port: 0 });

  const send: Tailnet['send'] = async (method, path, { body, headers = {} }) => {
    const response = await fetch(`${url}${path}`, {
      method,
      headers,
      ...(body !== undefined && { body }),
    });
    const text = await response.text();
    return { status: response.status, headers: response.headers, body: parse(text) };
  };
  const token: Tailnet['token'] = (form = {}) => {
    const { id, secret } = tailscale.oauthClient;
    const fields = { grant_type: 'client_credentials', client_id: id, client_secret: secret, ...form };
    return send('POST', '/api/v2/oauth/token', {
      body: new URLSearchParams(fields).toString(),
      headers: { 'content-type': 'application/x-www-form-urlencoded' },
    });
  };
  const call: Tailnet['call'] = async (method, path, body, headers = {}) => {
    const bearer = headers['authorization'] ?? `Bearer ${accessToken(await token())}`;
    return send(method, path, {
      ...(body !== undefined && { body: typeof body === 'string' ? body : JSON.stringify(body) }),
      headers: { 'content-type': 'application/json', ...headers, authorization: bearer },
    });
  };
  return {
    tailscale,
    kernel,
    takenAddresses,
    url,
    call,
    send,
    token,
    newKey: async (create = {}, rest = {}) => {
      const answer = await call('POST', '/api/v2/tailnet/-/keys', keyRequest(create, rest));
      if (answer.status !== 200) throw new Error(`no key: ${JSON.stringify(answer.body)}`);
      return answer.body as { id: string; key: string };
    },
    enrol: (authKey, hostname = 'worker', advertiseTags = []) =>
      tailscale.enrol({ authKey, hostname, advertiseTags, os: 'linux' }),
    close: async () => {
      kernel.schedule.stop();
      await app.close();
    },
  };
}

/** The body of a key's creation, for a tagged worker unless said otherwise. */
export function keyRequest(create: object = {}, rest: object = {}): object {
  return {
    capabilities: { devices: { create: { preauthorized: true, tags: ['tag:worker'], ...create } } },
    ...rest,
  };
}

export function accessToken(answer: Answer): string {
  return (answer.body as { access_token: string }).access_token;
}

export const basic = (user: string, password: string): string =>
  `Basic ${Buffer.from(`${user}:${password}`).toString('base64')}`;

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}
