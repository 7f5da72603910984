import fastify, { type FastifyInstance } from 'fastify';
import type { AddressPool, MachineHost, ServerStart } from '../../../sandbox/kernel/lifecycle';
import { createClock } from '../../../sandbox/kernel/clock';
import { createRandom } from '../../../sandbox/kernel/random';
import { Schedule } from '../../../sandbox/kernel/schedule';
import type { Kernel } from '../../../sandbox/kernel/vendor';
import { createHetzner, hetznerSettingsSchema, type Hetzner } from '../../../sandbox/hetzner';

/** A JSON object of an answer, read by path: `at(body, 'server.public_net.ipv4.ip')`. */
export function at(value: unknown, path: string): unknown {
  return path
    .split('.')
    .filter(Boolean)
    .reduce<unknown>(
      (current, key) =>
        typeof current === 'object' && current !== null
          ? (current as Record<string, unknown>)[key]
          : undefined,
      value,
    );
}

export interface Reply {
  status: number;
  headers: Headers;
  body: unknown;
  /** Shorthand for reading the body by path. */
  get(path: string): unknown;
  /** Error code of a refusal. */
  code: unknown;
}

export interface TestCloud {
  hetzner: Hetzner;
  kernel: Kernel;
  /** What the machines were told, as `started 1`, `stopped 1`, `deleted 1`. */
  told: string[];
  starts: ServerStart[];
  freeAddresses: Set<string>;
  url: string;
  call(method: string, path: string, body?: unknown, token?: string): Promise<Reply>;
  raw(path: string, init: RequestInit): Promise<Response>;
  /** Virtual seconds. */
  advance(seconds: number): void;
  /** Creates something and answers its id. */
  make(path: string, body: object): Promise<number>;
  close(): Promise<void>;
}

export const START = Date.UTC(2026, 9, 5, 10, 0, 0);

/** The Hetzner side alone, over real HTTP, on a stepped clock that starts on 2026-10-05 at 10:00 UTC. */
export async function startCloud(settings: object = {}): Promise<TestCloud> {
  const clock = createClock({ kind: 'stepped' }, START);
  const kernel: Kernel = { clock, schedule: new Schedule(clock), random: createRandom(7) };
  const told: string[] = [];
  const starts: ServerStart[] = [];
  const machines: MachineHost = {
    started: (server) => {
      told.push(`started ${server.serverId}`);
      starts.push(server);
    },
    stopped: (id) => told.push(`stopped ${id}`),
    deleted: (id) => told.push(`deleted ${id}`),
  };
  const freeAddresses = new Set(Array.from({ length: 200 }, (_, index) => `127.77.0.${index + 1}`));
  const addresses: AddressPool = {
    take: () => {
      const [address] = freeAddresses;
      if (address === undefined) throw new Error('no address left');
      freeAddresses.delete(address);
      return address;
    },
    release: (address) => freeAddresses.add(address),
  };
  const hetzner = createHetzner(kernel, hetznerSettingsSchema.parse(settings), { machines, addresses });
  const app: FastifyInstance = fastify();
  hetzner.register(app);
  const url = await app.listen({ host: '127.0.0.1', port: 0 });

  const raw = (path: string, init: RequestInit): Promise<Response> => fetch(`${url}/v1${path}`, init);
  const call: TestCloud['call'] = async (method, path, body, token = hetzner.projects[0]?.token) => {
    const response = await raw(path, {
      method,
      headers: {
        authorization: `Bearer ${token}`,
        ...(body === undefined ? {} : { 'content-type': 'application/json' }),
      },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    const text = await response.text();
    const parsed: unknown = text === '' ? undefined : JSON.parse(text);
    return {
      status: response.status,
      headers: response.headers,
      body: parsed,
      get: (path) => at(parsed, path),
      code: at(parsed, 'error.code'),
    };
  };
  return {
    hetzner,
    kernel,
    told,
    starts,
    freeAddresses,
    url,
    call,
    raw,
    advance: (seconds) => kernel.schedule.advance(seconds * 1000),
    async make(path, body) {
      const reply = await call('POST', path, body);
      if (reply.status !== 201)
        throw new Error(`POST ${path}: ${reply.status} ${JSON.stringify(reply.body)}`);
      const [resource] = Object.values(reply.body as Record<string, unknown>).filter(
        (value) => at(value, 'id') !== undefined,
      );
      return Number(at(resource, 'id'));
    },
    async close() {
      kernel.schedule.stop();
      await app.close();
    },
  };
}

/** Body of a server that can be made in an empty project. */
export const plainServer = (name: string, more: object = {}): object => ({
  name,
  server_type: 'cx23',
  image: 'debian-12',
  location: 'fsn1',
  ...more,
});
