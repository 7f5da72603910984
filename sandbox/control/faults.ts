import { z } from 'zod';
import { createRandom, type Random } from '../kernel/random';
import { pathMatcher } from './request-log';

/** A path pattern as pathMatcher takes it. */
export const pathPatternSchema = z.string().superRefine((pattern, context) => {
  try {
    pathMatcher(pattern);
  } catch (error) {
    context.addIssue({ code: 'custom', message: `not a regular expression: ${String(error)}` });
  }
});

/** A scripted fault as POST /control/faults takes it. */
export const faultSchema = z
  .strictObject({
    vendor: z.enum(['hetzner', 'tailscale', 'cloudflare']).optional(),
    method: z
      .string()
      .transform((method) => method.toUpperCase())
      .optional(),
    /** Glob (`/v1/servers/*`) or, with a leading `^`, a regular expression over path and query. */
    path: pathPatternSchema.optional(),
    /** Part of the request body, which is compared as compact JSON. */
    body: z.string().optional(),
    /**
     * Carried out or not, and what the client sees:
     * - `instead`: not carried out, this fault is the answer
     * - `after`: carried out, the answer is replaced by this fault
     * - `slow`: carried out and answered, `delayMs` later
     * - `hang-up`: carried out, the connection dies without an answer
     * - `drop`: not carried out, the connection dies
     * - `stall`: carried out, never answered
     * - `ignore`: not carried out, never answered
     * - `half`: carried out, the answer's body is cut in half
     * - `empty`: carried out, every list in the answer is empty
     */
    mode: z
      .enum(['instead', 'after', 'slow', 'hang-up', 'drop', 'stall', 'ignore', 'half', 'empty'])
      .default('instead'),
    status: z.int().min(400).max(599).optional(),
    /** The vendor's error code, e.g. `resource_unavailable`; for status 429 the vendor's own when left out. */
    code: z.string().optional(),
    message: z.string().optional(),
    details: z.unknown().optional(),
    /** Besides the vendor's own, which status 429 has. */
    headers: z.record(z.string(), z.string()).default({}),
    /** Sent as it is in place of the vendor's error body, as text/html: what proxies answer. */
    page: z.string().optional(),
    /** Share of the matching calls that it takes, drawn by `seed`. */
    probability: z.number().min(0).max(1).default(1),
    seed: z.int().min(0).optional(),
    /** How many calls it takes; null = until it is deleted. 1, or null for a fault with a probability, when left out. */
    times: z.int().min(1).nullable().optional(),
    /** Wall milliseconds before the answer or the end of the connection. */
    delayMs: z.number().min(0).default(0),
  })
  .superRefine((fault, context) => {
    const answers = fault.mode === 'instead' || fault.mode === 'after';
    if (answers && fault.status === undefined)
      context.addIssue({ code: 'custom', path: ['status'], message: `mode "${fault.mode}" needs a status` });
  });

export type FaultInput = z.input<typeof faultSchema>;
export type Fault = Omit<z.output<typeof faultSchema>, 'times' | 'seed'> & {
  times: number | null;
  seed: number;
  id: string;
  /** Calls it has taken so far. */
  hits: number;
};

export interface FaultableCall {
  vendor: string;
  method: string;
  /** With query. */
  path: string;
  body: unknown;
}

/**
 * The scripted faults, oldest first; the first that matches takes the call. Each with a probability draws from a
 * sequence of its own, so that adding one changes no other, nor anything else in the local cloud.
 */
export class FaultBook {
  private faults: { fault: Fault; random: Random }[] = [];
  private lastId = 0;

  /** @param seed of the faults that name none, each in its own way */
  constructor(private readonly seed: number) {}

  add(input: FaultInput): Fault {
    const parsed = faultSchema.parse(input);
    const number = ++this.lastId;
    const { times = parsed.probability < 1 ? null : 1, seed = this.seed * SEED_STRIDE + number } = parsed;
    const fault = { ...parsed, times, seed, id: `fault-${number}`, hits: 0 };
    this.faults.push({ fault, random: createRandom(seed) });
    return fault;
  }

  list(): Fault[] {
    return this.faults.map(({ fault }) => fault);
  }

  /** False when there is no such fault. */
  delete(id: string): boolean {
    const before = this.faults.length;
    this.faults = this.faults.filter(({ fault }) => fault.id !== id);
    return this.faults.length < before;
  }

  clear(): void {
    this.faults = [];
  }

  /** The fault for this call, if any, and counts it as used. */
  take(call: FaultableCall): Fault | undefined {
    for (const { fault, random } of this.faults) {
      if (fault.times !== null && fault.hits >= fault.times) continue;
      if (!matches(fault, call)) continue;
      if (fault.probability < 1 && random.next() >= fault.probability) continue;
      fault.hits++;
      return fault;
    }
    return undefined;
  }
}

/** Keeps the sequences of neighbouring seeds apart. */
const SEED_STRIDE = 1000;

function matches(fault: Fault, call: FaultableCall): boolean {
  return (
    (fault.vendor === undefined || fault.vendor === call.vendor) &&
    (fault.method === undefined || fault.method === call.method) &&
    (fault.path === undefined || pathMatcher(fault.path)(call.path)) &&
    (fault.body === undefined || (JSON.stringify(call.body) ?? '').includes(fault.body))
  );
}
