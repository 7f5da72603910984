import { z } from 'zod';
import { didYouMean } from '../../components/model/near-matches';
import { stackStatusSchema } from '../status';

/** The service could not be asked, or said no; the message is for the person at the terminal. */
export class ServiceError extends Error {
  override name = 'ServiceError';
}

const auditSchema = z.object({
  entries: z.array(
    z.object({
      id: z.number(),
      at: z.number(),
      environment: z.string(),
      pool: z.string().optional(),
      actor: z.string(),
      kind: z.string(),
      summary: z.string(),
      detail: z.unknown(),
    }),
  ),
});
export type AuditLine = z.infer<typeof auditSchema>['entries'][number];

const stacksSchema = z.object({ stacks: z.array(z.object({ environment: z.string() })) });
const statusSchema = z.object({
  now: z.number(),
  verdict: z.object({ level: z.enum(['ok', 'warning', 'critical']), text: z.string() }),
  status: stackStatusSchema.nullable(),
});
export type PublishedStatus = z.infer<typeof statusSchema>;

/** The sweep's latest plan, as far as it is shown. */
const sweepSchema = z.object({
  /** Since when the plan is as it is; seconds since 1970. */
  at: z.number().nullable(),
  plan: z
    .object({
      deletions: z.array(
        z.object({ id: z.number(), name: z.string(), worker: z.string(), reason: z.string() }),
      ),
      drains: z.array(z.object({ worker: z.string(), pool: z.string(), reason: z.string() })),
      devices: z.array(z.object({ id: z.string(), hostname: z.string(), reason: z.string() })),
      reasons: z.array(z.string()),
    })
    .nullable(),
});
export type PublishedSweep = z.infer<typeof sweepSchema>;
const refusalSchema = z.object({ error: z.object({ message: z.string() }) });
const TIMEOUT_MS = 10_000;

/** The running service's admin interface. */
export class AdminClient {
  constructor(
    private readonly url: string,
    private readonly token: string,
  ) {}

  /** The stack that is meant: the one named, or the only one. @throws ServiceError naming those that there are */
  async stack(named: string | undefined): Promise<string> {
    const answer = await this.ask('GET', '/v1/stacks', stacksSchema);
    const stacks = answer.stacks.map(({ environment }) => environment);
    const wanted = named?.split('/').at(-1);
    const [only] = stacks;
    if (wanted === undefined && stacks.length === 1 && only !== undefined) return only;
    if (wanted !== undefined && stacks.includes(wanted)) return wanted;
    const there = `The service runs: ${stacks.join(', ')}.`;
    throw new ServiceError(
      wanted === undefined
        ? `Say which stack is meant with --stack. ${there}`
        : `The service has no stack "${wanted}".${didYouMean(wanted, stacks)} ${there}`,
    );
  }

  status(stack: string): Promise<PublishedStatus> {
    return this.ask('GET', `/v1/stacks/${stack}/status`, statusSchema);
  }

  sweep(stack: string): Promise<PublishedSweep> {
    return this.ask('GET', `/v1/stacks/${stack}/sweep`, sweepSchema);
  }

  async audit(stack: string, filter: Record<string, string>): Promise<AuditLine[]> {
    const query = new URLSearchParams(filter).toString();
    return (await this.ask('GET', `/v1/stacks/${stack}/audit?${query}`, auditSchema)).entries;
  }

  /** An order. @returns what was done, in a sentence */
  async order(method: 'POST' | 'DELETE', path: string, body?: object): Promise<string> {
    return (await this.ask(method, path, z.object({ done: z.string() }), body)).done;
  }

  private async ask<T extends z.ZodType>(
    method: string,
    path: string,
    schema: T,
    body?: object,
  ): Promise<z.infer<T>> {
    const response = await fetch(`${this.url.replace(/\/+$/, '')}${path}`, {
      method,
      headers: {
        authorization: `Bearer ${this.token}`,
        ...(body ? { 'content-type': 'application/json' } : {}),
      },
      ...(body ? { body: JSON.stringify(body) } : {}),
      signal: AbortSignal.timeout(TIMEOUT_MS),
    }).catch(() => {
      throw new ServiceError(
        `No service answers at ${this.url}. Is it running (\`systemctl status worker-pools\`), and is --service right?`,
      );
    });
    const text = await response.text();
    const answer = parse(text);
    if (response.status === 401) {
      throw new ServiceError(
        `The service at ${this.url} refuses the admin token. Give the one it was started with: WORKER_POOLS_ADMIN_TOKEN, or --data with its data folder.`,
      );
    }
    if (!response.ok) {
      const refusal = refusalSchema.safeParse(answer);
      throw new ServiceError(
        refusal.success
          ? refusal.data.error.message
          : `The service answered ${response.status} to ${method} ${path}.`,
      );
    }
    const read = schema.safeParse(answer);
    if (read.success) return read.data;
    throw new ServiceError(
      `The service at ${this.url} answers in another version's way; use the command line of its version.`,
    );
  }
}

function parse(text: string): unknown {
  try {
    return text === '' ? undefined : JSON.parse(text);
  } catch {
    return undefined;
  }
}
