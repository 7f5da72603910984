import fastify from 'fastify';
import { type Cloudflare, cloudflareSettingsSchema, createCloudflare } from '../../../sandbox/cloudflare';
import { createClock } from '../../../sandbox/kernel/clock';
import { createRandom } from '../../../sandbox/kernel/random';
import { Schedule } from '../../../sandbox/kernel/schedule';
import type { Kernel } from '../../../sandbox/kernel/vendor';

export interface Answer {
  status: number;
  headers: Headers;
  body: Envelope;
}

export interface Envelope {
  success: boolean;
  errors: { code: number; message: string; error_chain?: { code: number; message: string }[] }[];
  messages: unknown[];
  result: unknown;
  result_info?: Record<string, number>;
}

export interface RecordBody {
  id: string;
  name: string;
  content: string;
  [field: string]: unknown;
}

/** A local Cloudflare account behind real HTTP, with a stepped clock that starts at 2026-10-01. */
export interface Account {
  cloudflare: Cloudflare;
  kernel: Kernel;
  /** `/client/v4/zones/<id of the first zone>/dns_records` */
  recordsPath: string;
  call(method: string, path: string, body?: unknown, headers?: Record<string, string>): Promise<Answer>;
  /** Calls below `recordsPath`. */
  records(method: string, path: string, body?: unknown): Promise<Answer>;
  /** Creates a record and gives what the API answered; throws where it refused. */
  create(body: object): Promise<RecordBody>;
  close(): Promise<void>;
}

export function newKernel(): Kernel {
  const clock = createClock({ kind: 'stepped' }, Date.parse('2026-10-01T00:00:00Z'));
  return { clock, schedule: new Schedule(clock), random: createRandom(11) };
}

export async function startAccount(settings: object = {}): Promise<Account> {
  const kernel = newKernel();
  const cloudflare = createCloudflare(kernel, cloudflareSettingsSchema.parse(settings));
  const app = fastify();
  cloudflare.register(app);
  const url = await app.listen({ host: '127.0.0.1', port: 0 });
  const [zone] = cloudflare.zones;
  const recordsPath = `/client/v4/zones/${zone?.id}/dns_records`;
  const call: Account['call'] = async (method, path, body, headers = {}) => {
    const response = await fetch(`${url}${path}`, {
      method,
      headers: {
        'content-type': 'application/json',
        authorization: `Bearer ${cloudflare.token}`,
        ...headers,
      },
      ...(body !== undefined && { body: typeof body === 'string' ? body : JSON.stringify(body) }),
    });
    return { status: response.status, headers: response.headers, body: (await response.json()) as Envelope };
  };
  const records: Account['records'] = (method, path, body) => call(method, `${recordsPath}${path}`, body);
  return {
    cloudflare,
    kernel,
    recordsPath,
    call,
    records,
    create: async (body) => {
      const answer = await records('POST', '', body);
      if (answer.status !== 200) throw new Error(JSON.stringify(answer.body.errors));
      return answer.body.result as RecordBody;
    },
    close: () => app.close(),
  };
}

/** The code that tells what was wrong: the chained one under "DNS Validation Error". */
export function errorCode({ body }: Answer): number | undefined {
  const [error] = body.errors;
  return error?.error_chain?.[0]?.code ?? error?.code;
}
