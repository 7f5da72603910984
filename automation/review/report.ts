import { z } from 'zod';

/** What a merge would do to one stack. Money is EUR gross. Written as JSON by `worker-pools preview --format json`; the
 *  published schema is `schema/preview-report.schema.json`. */

/** `null` stands where nothing can be said: no such thing before or after, or not to be found out. */
const change = z.strictObject({ before: z.int().min(0).nullable(), after: z.int().min(0).nullable() });

const money = z.strictObject({ hourly: z.number(), monthly: z.number() });

const pool = z.strictObject({
  name: z.string(),
  min: change.describe('smallest size'),
  max: change.describe('largest size'),
  size: change.describe('workers: as recorded now, and as declared after the merge'),
  fixed: z.boolean().describe('the size follows the file, not a queue'),
  drift: z
    .strictObject({
      workers: z.int().describe('workers that differ from the template after the merge'),
      already: z.int().describe('of these, how many differ from it now'),
      step: z.int().describe('workers that a rollout replaces at a time'),
      minutes: z.int().describe('what booting takes in a rollout; draining comes on top'),
    })
    .nullable(),
  userData: z.strictObject({ bytes: z.int(), limit: z.int() }).nullable(),
});

const property = z.strictObject({
  name: z.string(),
  before: z.string().optional(),
  after: z.string().optional(),
});

const resource = z.strictObject({
  action: z.enum(['create', 'update', 'replace', 'delete']),
  kind: z.string().describe('in words, e.g. `server`'),
  name: z.string(),
  urn: z.string(),
  worker: z.string().optional().describe('the worker that it is a part of'),
  properties: z.array(property),
  takesDown: z.string().optional().describe('what goes with it'),
});

const cost = z.strictObject({
  now: money,
  after: money.describe('with the workers declared after the merge'),
  atMax: money.describe('every pool at its largest size, on its dearest placement'),
  budget: z.strictObject({ hourly: z.number().optional(), monthly: z.number().optional() }),
  exceeded: z.array(z.string()).describe('what goes beyond the budget, one sentence each'),
});

const limits = z.strictObject({
  servers: z.int().describe('at every pool’s largest size, the gateway included'),
  primaryIpv4: z.int(),
  project: z.null().describe('the project’s own limits: the API does not tell them'),
});

const violation = z.strictObject({
  policy: z.string(),
  level: z.enum(['advisory', 'mandatory']),
  severity: z.string().optional(),
  resource: z.string().optional(),
  message: z.string(),
});

export const reportSchema = z.strictObject({
  stack: z.string(),
  verdict: z.enum(['unchanged', 'changes', 'dangerous', 'failed']),
  changes: z.int().min(0),
  note: z.string().optional().describe('under which circumstances this was made'),
  faults: z.array(z.string()).describe('why it failed'),
  dangers: z.array(z.string()),
  violations: z.array(violation),
  warnings: z.array(z.string()),
  pools: z.array(pool),
  resources: z.array(resource),
  cost: cost.nullable(),
  limits: limits.nullable(),
});

export const previewSchema = z.strictObject({ version: z.literal(1), reports: z.array(reportSchema) });

export type Report = z.infer<typeof reportSchema>;
export type PoolReport = z.infer<typeof pool>;
export type ResourceChange = z.infer<typeof resource>;
export type PropertyChange = z.infer<typeof property>;
export type CostReport = z.infer<typeof cost>;
export type Money = z.infer<typeof money>;
export type Violation = z.infer<typeof violation>;

/** 0: nothing changes; 2: changes; 3: dangerous, or against a mandatory policy; 1: failed. The worst of all stacks. */
export function exitCode(reports: readonly Pick<Report, 'verdict'>[]): 0 | 1 | 2 | 3 {
  const verdicts = new Set(reports.map(({ verdict }) => verdict));
  if (verdicts.has('failed')) return 1;
  if (verdicts.has('dangerous')) return 3;
  return verdicts.has('changes') ? 2 : 0;
}
