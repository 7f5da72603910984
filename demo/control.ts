import { z } from 'zod';
import type { Arrival } from './story';

/** What the demo asks of the local cloud's control API: the tenant's queue, and what the vendors would know. */

const jobsSchema = z.object({
  waiting: z.number(),
  running: z.number(),
  done: z.number(),
  oldestAge: z.number().optional(),
  waits: z.object({ p50: z.number(), p95: z.number(), max: z.number() }),
  lost: z.number(),
});
/** A pool's queue; seconds. */
export type JobsReport = z.infer<typeof jobsSchema>;

const groupSchema = z.object({
  servers: z.number(),
  alive: z.number(),
  peak: z.number(),
  hoursStarted: z.number(),
  gross: z.number(),
});
/** What a pool's servers were and cost, EUR gross. */
export type FleetReport = z.infer<typeof groupSchema>;

const NO_SERVERS: FleetReport = { servers: 0, alive: 0, peak: 0, hoursStarted: 0, gross: 0 };

export async function addJobs(control: string, pool: string, jobs: readonly Arrival[]): Promise<void> {
  const response = await fetch(`${control}/jobs`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ pool, jobs: jobs.map(({ seconds }) => ({ seconds })) }),
  });
  if (!response.ok) throw new Error(`the local cloud's queue answered ${response.status}`);
}

export async function readJobs(control: string, pool: string): Promise<JobsReport> {
  return get(`${control}/jobs/${pool}`, jobsSchema);
}

export async function readFleet(control: string, pool: string): Promise<FleetReport> {
  const { values } = await get(
    `${control}/fleet?label=pool`,
    z.object({ values: z.record(z.string(), groupSchema) }),
  );
  return values[pool] ?? NO_SERVERS;
}

/** Calls that Hetzner has got so far. */
export async function countHetznerCalls(control: string): Promise<number> {
  return (await get(`${control}/requests?vendor=hetzner`, z.object({ total: z.number() }))).total;
}

/** What the local cloud has billed for everything, EUR gross. */
export async function readCost(control: string): Promise<number> {
  const schema = z.object({ projects: z.array(z.object({ gross: z.number() })) });
  const { projects } = await get(`${control}/costs`, schema);
  return projects.reduce((sum, { gross }) => sum + gross, 0);
}

async function get<T extends z.ZodType>(url: string, schema: T): Promise<z.infer<T>> {
  const response = await fetch(url);
  if (!response.ok) throw new Error(`${new URL(url).pathname} answered ${response.status}`);
  return schema.parse(await response.json());
}
