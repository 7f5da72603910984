import type { FastifyInstance } from 'fastify';
import { z } from 'zod';
import type { Registry } from '../registry/types';
import { checkMembers, findPool, findStack, findWorker, type Lookup } from './admin-lookup';
import { parse, Refusal } from './refusal';

interface Commands extends Lookup {
  readonly registry: Registry;
  readonly now: () => number;
  readonly wake: (environment: string) => void;
}

const DAY = 86_400;

/** Who gives the command, as it stands in the audit trail: `scaler` is the service itself. */
const by = z
  .string()
  .trim()
  .min(1)
  .max(80)
  .refine((name) => name !== 'scaler', { error: 'must be a person, not "scaler"' });
const reason = z.string().trim().min(1).max(300);
const person = z.strictObject({ by });
const explained = z.strictObject({ by, reason });
const scaling = z.strictObject({
  by,
  size: z.int().min(0),
  forSeconds: z
    .number()
    .min(60)
    .max(7 * DAY),
});
const rollout = z.strictObject({ by, workers: z.array(z.string()).max(500).default([]) });
/** Taking an order back needs no body. */
const taker = z.strictObject({ by: by.default('admin') });

/** What people order. Each order is written down for the leader, noted in the audit trail, and the loop is woken. */
export function registerCommands(app: FastifyInstance, commands: Commands): void {
  const { registry, now, wake } = commands;
  const { orders, workers, audit } = registry;

  const note = async (entry: {
    environment: string;
    pool?: string;
    actor: string;
    summary: string;
    detail: object;
  }) => {
    await audit.append({ ...entry, at: now(), kind: 'command' });
    wake(entry.environment);
    return { done: entry.summary };
  };

  app.post('/v1/stacks/:environment/pause', async (request) => {
    const [environment] = findStack(commands, request);
    const order = parse(explained, request.body);
    await orders.pause(environment, { ...order, since: now() });
    return note({
      environment,
      actor: order.by,
      summary: `paused: ${order.reason}`,
      detail: { command: 'pause', ...order },
    });
  });

  app.post('/v1/stacks/:environment/resume', async (request) => {
    const [environment] = findStack(commands, request);
    const { by: actor } = parse(person, request.body);
    await orders.unpause(environment);
    return note({ environment, actor, summary: 'resumed', detail: { command: 'resume' } });
  });

  app.post('/v1/stacks/:environment/pools/:pool/scale', async (request) => {
    const [environment, pool, { min, max }] = findPool(commands, request);
    const { by: actor, size, forSeconds } = parse(scaling, request.body);
    if (size < min || size > max) {
      throw new Refusal(
        400,
        'out-of-bounds',
        `size must be from ${min} to ${max}, the bounds of the pool ${pool} in the stack's file; change them there for more`,
      );
    }
    const until = now() + forSeconds;
    await orders.setSize(environment, pool, { size, by: actor, since: now(), until });
    const summary = `size of ${pool} held at ${size} until ${new Date(until * 1000).toISOString()}`;
    return note({ environment, pool, actor, summary, detail: { command: 'scale', size, until } });
  });

  app.delete('/v1/stacks/:environment/pools/:pool/scale', async (request) => {
    const [environment, pool] = findPool(commands, request);
    const { by: actor } = parse(taker, request.query, 'the query');
    await orders.setSize(environment, pool, undefined);
    return note({
      environment,
      pool,
      actor,
      summary: `size of ${pool} follows its queue again`,
      detail: { command: 'unscale' },
    });
  });

  app.post('/v1/stacks/:environment/workers/:worker/drain', async (request) => {
    const { environment, pool, worker } = await findWorker(commands, request);
    const order = parse(explained, request.body);
    await workers.drain(environment, [worker], { cause: 'operator', reason: order.reason }, now());
    const summary = `draining ${worker}: ${order.reason}`;
    return note({
      environment,
      pool,
      actor: order.by,
      summary,
      detail: { command: 'drain', worker, reason: order.reason },
    });
  });

  app.post('/v1/stacks/:environment/workers/:worker/undrain', async (request) => {
    const { environment, pool, worker } = await findWorker(commands, request);
    const { by: actor } = parse(person, request.body);
    await workers.resume(environment, [worker]);
    return note({
      environment,
      pool,
      actor,
      summary: `${worker} takes jobs again`,
      detail: { command: 'undrain', worker },
    });
  });

  app.post('/v1/stacks/:environment/pools/:pool/rollout', async (request) => {
    const [environment, pool] = findPool(commands, request);
    const { by: actor, workers: ids } = parse(rollout, request.body);
    await checkMembers(commands, environment, pool, ids);
    await orders.setRollout(environment, pool, { workers: ids, by: actor, since: now() });
    const which = ids.length === 0 ? 'all drifted workers' : ids.join(', ');
    return note({
      environment,
      pool,
      actor,
      summary: `replacing ${which} of ${pool}`,
      detail: { command: 'rollout', workers: ids },
    });
  });

  app.delete('/v1/stacks/:environment/pools/:pool/rollout', async (request) => {
    const [environment, pool] = findPool(commands, request);
    const { by: actor } = parse(taker, request.query, 'the query');
    await orders.setRollout(environment, pool, undefined);
    return note({
      environment,
      pool,
      actor,
      summary: `rollout of ${pool} called off`,
      detail: { command: 'cancel-rollout' },
    });
  });
}
