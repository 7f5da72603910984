import { isIP } from 'node:net';
import type { FastifyInstance, FastifyRequest } from 'fastify';
import { z } from 'zod';
import { didYouMean } from '../../components/model/near-matches';
import type { Registry, WorkerKey } from '../registry/types';
import type { Metrics } from './metrics';
import { parse, Refusal } from './refusal';
import type { Settle } from './settling';
import { NO_SECRETS, type ServedPool, type ServedStacks } from './stacks';
import type { WrongToken } from './token-watch';
import { bearerToken, isWorkerToken } from './tokens';

interface WorkerRoutes {
  readonly stacks: ServedStacks;
  readonly registry: Registry;
  readonly now: () => number;
  readonly metrics: Metrics;
  readonly wake: (environment: string) => void;
  readonly wrongToken: WrongToken;
  readonly settle: Settle;
}

const name = z.string().min(1).max(63);
const MOST_SLOTS = 1000;

const identity = { environment: name, pool: name, worker: name, at: z.number().positive() };

const registration = z.strictObject({
  ...identity,
  hostname: z.string().min(1).max(253),
  slots: z.int().min(1).max(MOST_SLOTS),
  address: z.string().refine((text) => isIP(text) !== 0, { error: 'must be an IP address' }),
});

const heartbeat = z
  .strictObject({
    ...identity,
    // More than its slots is taken as said: to refuse it would make a busy worker look silent.
    busy: z.int().min(0).max(MOST_SLOTS),
    ages: z.array(z.number().min(0)).max(MOST_SLOTS).default([]),
  })
  .refine(({ busy, ages }) => ages.length <= busy, {
    path: ['ages'],
    error: 'must not be longer than busy',
  });

/** Printable text: it is shown to people, and stands in one line of the trail. */
const failure = z.strictObject({
  ...identity,
  step: z.string().regex(/^[\w-]{1,60}$/),
  log: z.string().max(4000),
});

/** A clock this far ahead is taken for this much: a machine whose clock is set right later is not taken for a replay
 *  for longer. */
const CLOCK_AHEAD = 60;

function sayable(at: number, now: number): number {
  return Math.min(at, now + CLOCK_AHEAD);
}

/** Registration, heartbeats, and what a worker says whose set-up failed. The heartbeat's answer is matched as text by the workers' shell script. */
export function registerWorkerRoutes(app: FastifyInstance, routes: WorkerRoutes): void {
  const { registry, now, metrics, wake } = routes;

  app.post('/v1/workers/register', async (request) => {
    const body = parse(registration, request.body);
    const pool = authenticate(routes, request, body);
    const { environment, hostname, slots, address } = body;
    const at = sayable(body.at, now());
    await registry.workers.register(keyOf(body), { hostname, slots, address, at }, now());
    metrics.registrations.inc({ outcome: 'ok' });
    if (pool.kind === 'slots') routes.settle(environment);
    return { drain: false };
  });

  app.post('/v1/workers/failed', async (request) => {
    const body = parse(failure, request.body);
    authenticate(routes, request, body);
    const { environment, pool, worker, step, log } = body;
    const summary = `${worker}'s set-up failed in step ${step}: ${reasonIn(log)}`;
    // Whoever repeats it, by mistake or not, adds nothing.
    const [before] = await registry.audit.latest(environment, { pool, worker, kind: 'worker', limit: 1 });
    if (before?.summary !== summary)
      await registry.audit.append({
        at: now(),
        environment,
        pool,
        actor: worker,
        kind: 'worker',
        summary,
        detail: { worker, step, log: log.split('\n') },
      });
    // It does not get ready any more: the round that replaces it need not wait.
    if (await registry.workers.fail(keyOf(body), step, now())) wake(environment);
    return {};
  });

  app.post('/v1/workers/heartbeat', async (request) => {
    const body = parse(heartbeat, request.body);
    authenticate(routes, request, body);
    const { environment, busy, ages } = body;
    const at = sayable(body.at, now());
    const answer = await registry.workers.beat(keyOf(body), { at, busy, ages }, now());
    metrics.heartbeats.inc({ outcome: answer.kind });
    switch (answer.kind) {
      case 'unknown':
        throw new Refusal(404, 'not-registered', 'this worker is not known here; register it first');
      case 'replayed':
        throw new Refusal(409, 'replayed', 'replayed: "at" is not later than that of the last heartbeat');
      case 'ok':
        if (answer.drain && busy === 0) wake(environment);
        return { drain: answer.drain };
    }
  });
}

/** What was said before it gave up, apart from the machine's own lines: the very last is often but "it failed". */
function reasonIn(log: string): string {
  const lines = log.split('\n').map((line) => line.trim());
  const said = lines.filter((line) => line !== '' && !line.startsWith('worker-pools:'));
  return said.slice(-2).join('; ').slice(0, 300) || 'its log says nothing of why';
}

/**
 * @throws Refusal 401 without the worker's own token, in the same words for an environment, pool or worker that is not
 * there; 404 for one that is right, but whose pool is gone
 */
function authenticate(
  { stacks, wrongToken }: WorkerRoutes,
  request: FastifyRequest,
  worker: WorkerKey,
): ServedPool {
  const stack = stacks().get(worker.environment);
  const valid = isWorkerToken(
    bearerToken(request.headers.authorization) ?? '',
    stack?.registrationSecrets ?? NO_SECRETS,
    worker,
  );
  if (!stack || !valid) throw wrongToken(request.ip);
  const pool = stack.pools.get(worker.pool);
  if (pool) return pool;
  throw new Refusal(
    404,
    'unknown-pool',
    `the stack ${worker.environment} has no pool "${worker.pool}" any more.${didYouMean(worker.pool, [...stack.pools.keys()])} Put the pool back into the stack's file, or remove this worker's server with \`pulumi up\``,
  );
}

function keyOf({ environment, pool, worker }: WorkerKey): WorkerKey {
  return { environment, pool, worker };
}
