import { z } from 'zod';
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
     * - `instead`: nothing is carried out, this fault is the answer
     * - `after`: the call is carried out, its answer is replaced by this fault
     * - `slow`: the call is carried out and answered, `delayMs` later
     * - `hang-up`: the call is carried out, the connection dies without an answer
     * - `drop`: nothing is carried out, the connection dies
     */
    mode: z.enum(['instead', 'after', 'slow', 'hang-up', 'drop']).default('instead'),
    status: z.int().min(400).max(599).optional(),
    /** The vendor's error code, e.g. `resource_unavailable`. */
    code: z.string().default('service_error'),
    message: z.string().default('scripted fault'),
    details: z.unknown().optional(),
    headers: z.record(z.string(), z.string()).default({}),
    /** How many calls it takes; null = until it is deleted. */
    times: z.int().min(1).nullable().default(1),
    /** Wall milliseconds before the answer or the end of the connection. */
    delayMs: z.number().min(0).default(0),
  })
  .superRefine((fault, context) => {
    const answers = fault.mode === 'instead' || fault.mode === 'after';
    if (answers && fault.status === undefined)
      context.addIssue({ code: 'custom', path: ['status'], message: `mode "${fault.mode}" needs a status` });
  });

export type FaultInput = z.input<typeof faultSchema>;
export type Fault = z.output<typeof faultSchema> & {
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

/** The scripted faults, oldest first; the first that matches takes the call. */
export class FaultBook {
  private faults: Fault[] = [];
  private lastId = 0;

  add(input: FaultInput): Fault {
    const fault = { ...faultSchema.parse(input), id: `fault-${++this.lastId}`, hits: 0 };
    this.faults.push(fault);
    return fault;
  }

  list(): Fault[] {
    return this.faults;
  }

  /** False when there is no such fault. */
  delete(id: string): boolean {
    const before = this.faults.length;
    this.faults = this.faults.filter((fault) => fault.id !== id);
    return this.faults.length < before;
  }

  clear(): void {
    this.faults = [];
  }

  /** The fault for this call, if any, and counts it as used. */
  take(call: FaultableCall): Fault | undefined {
    const fault = this.faults.find(
      (candidate) =>
        (candidate.times === null || candidate.hits < candidate.times) && matches(candidate, call),
    );
    if (fault) fault.hits++;
    return fault;
  }
}

function matches(fault: Fault, call: FaultableCall): boolean {
  return (
    (fault.vendor === undefined || fault.vendor === call.vendor) &&
    (fault.method === undefined || fault.method === call.method) &&
    (fault.path === undefined || pathMatcher(fault.path)(call.path)) &&
    (fault.body === undefined || (JSON.stringify(call.body) ?? '').includes(fault.body))
  );
}
