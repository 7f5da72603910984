import { connect } from 'node:net';
import { Client } from 'ssh2';
import { z } from 'zod';
import { generateKeyPair } from '../../../sandbox/machines/host-key';
import { type DeepPartial, type Sandbox, type SandboxSettings, startSandbox } from '../../../sandbox/sandbox';

export interface Answer {
  status: number;
  headers: Headers;
  body: unknown;
}

/** Calls an API with a bearer token; bodies are JSON. */
export async function call(
  url: string,
  options: { method?: string; token?: string; body?: unknown; agent?: string } = {},
): Promise<Answer> {
  const response = await fetch(url, {
    method: options.method ?? 'GET',
    headers: {
      ...(options.token !== undefined && { authorization: `Bearer ${options.token}` }),
      ...(options.body !== undefined && { 'content-type': 'application/json' }),
      ...(options.agent !== undefined && { 'user-agent': options.agent }),
    },
    ...(options.body !== undefined && { body: JSON.stringify(options.body) }),
  });
  const text = await response.text();
  const isJson = response.headers.get('content-type')?.includes('json') ?? false;
  return {
    status: response.status,
    headers: response.headers,
    body: isJson && text !== '' ? (JSON.parse(text) as unknown) : text,
  };
}

export function hetzner(sandbox: Sandbox, method: string, path: string, body?: unknown): Promise<Answer> {
  const { url, token } = sandbox.endpoints.hetzner;
  return call(url + path, { method, token, body });
}

export function control(sandbox: Sandbox, method: string, path: string, body?: unknown): Promise<Answer> {
  return call(sandbox.endpoints.control.url + path, { method, body });
}

/** Sandboxes of one test file: all are closed by `closeAll`, to be called in `afterEach`. */
export function sandboxes(): {
  start: (settings?: DeepPartial<SandboxSettings>, options?: { snapshotFile?: string }) => Promise<Sandbox>;
  closeAll: () => Promise<void>;
} {
  const running: Sandbox[] = [];
  return {
    start: async (settings = {}, options = {}) => {
      const sandbox = await startSandbox({ clock: { kind: 'stepped' }, ...settings }, options);
      running.push(sandbox);
      return sandbox;
    },
    closeAll: async () => {
      for (const sandbox of running.splice(0)) await sandbox.close();
    },
  };
}

const createdServer = z.object({
  server: z.object({
    id: z.number(),
    public_net: z.object({ ipv4: z.object({ ip: z.string() }).nullable() }),
  }),
});
const images = z.object({ images: z.tuple([z.object({ id: z.number() })]).rest(z.unknown()) });

/** Creates a server; returns its id and public IPv4 address (empty when it has none). */
export async function createServer(
  sandbox: Sandbox,
  name: string,
  userData: string | undefined,
  more: Record<string, unknown> = {},
): Promise<{ id: number; ip: string }> {
  const found = await hetzner(sandbox, 'GET', '/images?name=debian-12&architecture=x86');
  const answer = await hetzner(sandbox, 'POST', '/servers', {
    name,
    server_type: 'cx23',
    image: images.parse(found.body).images[0].id,
    location: 'fsn1',
    ...(userData !== undefined && { user_data: userData }),
    ...more,
  });
  if (answer.status !== 201)
    throw new Error(`POST /servers: ${answer.status} ${JSON.stringify(answer.body)}`);
  const { server } = createdServer.parse(answer.body);
  return { id: server.id, ip: server.public_net.ipv4?.ip ?? '' };
}

const tokenAnswer = z.object({ access_token: z.string() });

async function tailnetToken(sandbox: Sandbox): Promise<string> {
  const { url, oauthClientId, oauthClientSecret } = sandbox.endpoints.tailscale;
  const response = await fetch(`${url}/api/v2/oauth/token`, {
    method: 'POST',
    body: new URLSearchParams({
      client_id: oauthClientId,
      client_secret: oauthClientSecret,
      grant_type: 'client_credentials',
    }),
  });
  return tokenAnswer.parse(await response.json()).access_token;
}

/** Makes a one-off, ephemeral, pre-authorised key for tag:worker. */
export async function tailnetKey(sandbox: Sandbox): Promise<string> {
  const answer = await call(`${sandbox.endpoints.tailscale.url}/api/v2/tailnet/-/keys`, {
    method: 'POST',
    token: await tailnetToken(sandbox),
    body: {
      capabilities: {
        devices: { create: { reusable: false, ephemeral: true, preauthorized: true, tags: ['tag:worker'] } },
      },
      expirySeconds: 3600,
    },
  });
  return z.object({ key: z.string() }).parse(answer.body).key;
}

const devicesAnswer = z.object({
  devices: z.array(
    z.object({ hostname: z.string(), addresses: z.array(z.string()), connectedToControl: z.boolean() }),
  ),
});

export async function tailnetDevices(sandbox: Sandbox): Promise<z.output<typeof devicesAnswer>['devices']> {
  const url = `${sandbox.endpoints.tailscale.url}/api/v2/tailnet/-/devices?fields=all`;
  const answer = await call(url, { token: await tailnetToken(sandbox) });
  return devicesAnswer.parse(answer.body).devices;
}

export const loginKey = generateKeyPair();

/** Port that test machines configure: below 1024 only root may listen. */
export const SSH_PORT = 2222;

/** A cloud-config whose sshd listens on SSH_PORT and lets `loginKey` in, with more top-level keys. */
export function cloudConfig(more: Record<string, unknown> = {}): string {
  const { write_files: files = [], ...rest } = more as { write_files?: unknown[] };
  const config = {
    ssh_authorized_keys: [loginKey.public],
    write_files: [{ path: '/etc/ssh/sshd_config.d/port.conf', content: `Port ${SSH_PORT}\n` }, ...files],
    ...rest,
  };
  // JSON is YAML.
  return `#cloud-config\n${JSON.stringify(config)}\n`;
}

/** A cloud-config that installs Tailscale and joins with the key. */
export function joiningConfig(key: string, hostname: string, more: Record<string, unknown> = {}): string {
  const {
    write_files: files = [],
    runcmd = [],
    ...rest
  } = more as { write_files?: unknown[]; runcmd?: unknown[] };
  return cloudConfig({
    hostname,
    packages: ['curl'],
    write_files: [{ path: '/run/ts.key', content: `${key}\n`, permissions: '0600' }, ...files],
    runcmd: [
      ['apt-get', 'install', '-y', 'tailscale'],
      `tailscale up --auth-key=file:/run/ts.key --hostname=${hostname} --advertise-tags=tag:worker`,
      ...runcmd,
    ],
    ...rest,
  });
}

export interface SshResult {
  code: number | null;
  out: string;
  err: string;
}

/** Runs one command over SSH; rejects when the connection fails. */
export function ssh(
  host: string,
  command: string,
  options: { port?: number; privateKey?: string; hostKeySeen?: (key: Buffer) => void } = {},
): Promise<SshResult> {
  return new Promise((resolve, reject) => {
    const client = new Client();
    client.on('error', reject);
    client.on('close', () => reject(new Error('connection closed')));
    client.on('ready', () =>
      client.exec(command, (error, channel) => {
        if (error) return reject(error);
        const result: SshResult = { code: null, out: '', err: '' };
        channel.on('data', (data: Buffer) => (result.out += data.toString()));
        channel.stderr.on('data', (data: Buffer) => (result.err += data.toString()));
        channel.on('exit', (code: number | null) => (result.code = code));
        channel.on('close', () => {
          resolve(result);
          client.end();
        });
      }),
    );
    client.connect({
      host,
      port: options.port ?? SSH_PORT,
      username: 'root',
      privateKey: options.privateKey ?? loginKey.private,
      hostVerifier: (key: Buffer) => {
        options.hostKeySeen?.(key);
        return true;
      },
    });
  });
}

/** Whether anything listens there. */
export function listens(host: string, port = SSH_PORT): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, host);
    socket.once('connect', () => {
      socket.destroy();
      resolve(true);
    });
    socket.once('error', () => resolve(false));
  });
}
