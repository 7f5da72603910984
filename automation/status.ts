import { z } from 'zod';

/** What the leading process publishes after each tick. Read by `worker-pools status`, the page, and the metrics. Times are
 *  seconds since 1970. */

const alarm = z.object({
  code: z.string(),
  pool: z.string().optional(),
  severity: z.enum(['warning', 'critical']),
  message: z.string(),
  next: z.string(),
  since: z.number(),
});

const workerStatus = z.object({
  id: z.string(),
  status: z.enum(['booting', 'ready', 'draining', 'silent', 'lost']),
  /** The step in which its set-up failed. */
  failedStep: z.string().optional(),
  serverType: z.string(),
  location: z.string(),
  created: z.number(),
  busy: z.number(),
  slots: z.number(),
  drifted: z.boolean(),
  serverId: z.number().optional(),
  address: z.string().optional(),
  deviceId: z.string().optional(),
  seenAt: z.number().optional(),
  drain: z.object({ cause: z.string(), reason: z.string(), since: z.number() }).optional(),
  /** EUR gross an hour. */
  hourly: z.number(),
});

const queueStatus = z.object({
  kind: z.string(),
  /** When it was last read well. */
  readAt: z.number().optional(),
  waiting: z.number().optional(),
  running: z.number().optional(),
  /** Seconds that the oldest waiting job has waited. */
  oldestAge: z.number().optional(),
  /** Why the latest reading failed. */
  error: z.string().optional(),
});

const poolStatus = z.object({
  min: z.number(),
  max: z.number(),
  slots: z.number(),
  targetWait: z.number(),
  desired: z.number(),
  drifted: z.number(),
  queue: queueStatus.optional(),
  order: z.object({ size: z.number(), by: z.string(), until: z.number() }).optional(),
  rollout: z.object({ by: z.string(), left: z.number() }).optional(),
  /** Why this size, from the latest decision. */
  reasons: z.array(z.string()),
  workers: z.array(workerStatus),
  hourly: z.number(),
});

export const stackStatusSchema = z.object({
  environment: z.string(),
  at: z.number(),
  /** Host and process of the leader. */
  leader: z.string(),
  /** The master switch `worker-pools:autoscaling`. */
  enabled: z.boolean(),
  dryRun: z.boolean(),
  paused: z.object({ by: z.string(), since: z.number(), reason: z.string() }).optional(),
  pools: z.record(z.string(), poolStatus),
  update: z
    .object({
      runningSince: z.number().optional(),
      lastAt: z.number().optional(),
      lastSeconds: z.number().optional(),
      lastOutcome: z.enum(['succeeded', 'failed', 'busy']).optional(),
      lastProblem: z.string().optional(),
    })
    .default({}),
  api: z.object({ limit: z.number(), remaining: z.number(), resetAt: z.number() }).optional(),
  cost: z.object({
    /** EUR gross. */
    hourly: z.number(),
    month: z.number().optional(),
    hourlyBudget: z.number().optional(),
    monthlyBudget: z.number().optional(),
  }),
  /** Server types, placements and images in use whose end is announced. */
  deprecations: z.array(z.object({ what: z.string(), until: z.string().optional() })),
  alarms: z.array(alarm),
});

export type StackStatus = z.infer<typeof stackStatusSchema>;
export type PoolStatus = z.infer<typeof poolStatus>;
export type StandingAlarm = z.infer<typeof alarm>;

/** Key under which the registry's memory holds it. */
export const STATUS_KEY = 'status';
