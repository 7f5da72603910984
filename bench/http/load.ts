import { performance } from 'node:perf_hooks';
import { Agent, request, type Dispatcher } from 'undici';
import { z } from 'zod';

/**
 * Puts load on a worker API from a process of its own and says what each request took. Requests go out at their time
 * whether or not earlier ones were answered: heartbeats each on a connection of its own, as workers' curl does it, and
 * slots over connections that are kept, as an application's HTTP client does it.
 */

const planSchema = z.object({
  url: z.string(),
  environment: z.string(),
  /** Seconds at the start that do not count: connections are opened and code is compiled then. */
  warmUp: z.number(),
  seconds: z.number(),
  beatEvery: z.number(),
  slotsPerSecond: z.number(),
  slotPool: z.string(),
  slotToken: z.string(),
  /** Milliseconds that a slot is held. */
  hold: z.number(),
  workers: z.array(z.object({ pool: z.string(), worker: z.string(), token: z.string() })),
});
export type LoadPlan = z.infer<typeof planSchema>;

export const loadResultSchema = z.object({
  /** By route: milliseconds from when the request was due until its answer was read. */
  taken: z.record(z.string(), z.array(z.number())),
  /** By route and status: answers other than the wanted ones. */
  refused: z.record(z.string(), z.number()),
});
export type LoadResult = z.infer<typeof loadResultSchema>;

interface Job {
  /** Milliseconds since the start. */
  readonly due: number;
  readonly run: (due: number) => Promise<void>;
}

async function load(plan: LoadPlan): Promise<LoadResult> {
  const { environment, warmUp, seconds, beatEvery, slotsPerSecond, slotPool, slotToken, hold, workers } =
    plan;
  const workersCurl = new Agent({ pipelining: 0 });
  const application = new Agent();
  const result: LoadResult = { taken: {}, refused: {} };
  const started = performance.now();

  const call = async (
    dispatcher: Agent,
    route: string,
    due: number,
    method: Dispatcher.HttpMethod,
    path: string,
    token: string,
    body?: object,
  ) => {
    const response = await request(`${plan.url}${path}`, {
      dispatcher,
      method,
      headers: { authorization: `Bearer ${token}`, ...(body ? { 'content-type': 'application/json' } : {}) },
      ...(body ? { body: JSON.stringify(body) } : {}),
    }).catch((error: Error) => ({ statusCode: error.name, body: { text: async () => '' } }));
    await response.body.text();
    if (due < warmUp * 1000) return;
    (result.taken[route] ??= []).push(performance.now() - started - due);
    if (response.statusCode === 200) return;
    const refusal = `${route}: ${response.statusCode}`;
    result.refused[refusal] = (result.refused[refusal] ?? 0) + 1;
  };

  const beats: Job[] = workers.flatMap(({ pool, worker, token }, index) =>
    times((index / workers.length) * beatEvery, beatEvery, warmUp + seconds).map((due) => ({
      due: due * 1000,
      run: (at) =>
        call(workersCurl, 'heartbeat', at, 'POST', '/v1/workers/heartbeat', token, {
          environment,
          pool,
          worker,
          at: Date.now() / 1000,
          busy: 1,
          ages: [60],
        }),
    })),
  );
  const slots: Job[] = times(0, 1 / slotsPerSecond, warmUp + seconds).map((due, index) => ({
    due: due * 1000,
    run: async (at) => {
      const id = `${process.pid}-${index}`;
      const body = { environment, pool: slotPool, id };
      await call(application, 'slot request', at, 'POST', '/v1/slots', slotToken, body);
      await new Promise((resolve) => setTimeout(resolve, hold));
      await call(
        application,
        'slot release',
        performance.now() - started,
        'DELETE',
        `/v1/slots/${environment}/${id}`,
        slotToken,
      );
    },
  }));

  await Promise.all(
    [...beats, ...slots].map(async ({ due, run }) => {
      await new Promise((resolve) => setTimeout(resolve, started + due - performance.now()));
      await run(due);
    }),
  );
  await Promise.all([workersCurl.close(), application.close()]);
  return result;
}

function times(first: number, every: number, end: number): number[] {
  return Array.from(
    { length: Math.max(0, Math.ceil((end - first) / every)) },
    (_, index) => first + index * every,
  );
}

process.once('message', (message) => {
  void load(planSchema.parse(message)).then((result) => process.send!(result, () => process.disconnect()));
});
