import type { FastifyInstance } from 'fastify';
import { z } from 'zod';
import { auditKinds, type Registry } from '../registry/types';
import { SWEEP_KEY } from '../apply/sweeper';
import { findStack, type Lookup } from './admin-lookup';
import type { History } from './history';
import { parse } from './refusal';
import { verdict } from './verdict';

interface Reads extends Lookup {
  readonly registry: Registry;
  readonly history: History;
  readonly now: () => number;
}

const auditQuery = z.strictObject({
  pool: z.string().optional(),
  kind: z.enum(auditKinds).optional(),
  worker: z.string().optional(),
  limit: z.coerce.number().int().min(1).max(500).default(50),
});

/** What is known: stacks, their status with a verdict, the audit trail, the last hour. */
export function registerReads(app: FastifyInstance, reads: Reads): void {
  const { stacks, registry, status, history, now } = reads;

  app.get('/v1/stacks', async () => ({
    stacks: await Promise.all(
      [...stacks()].map(async ([environment, { pools }]) => ({
        environment,
        pools: [...pools.keys()],
        verdict: verdict(await status(environment), now()),
      })),
    ),
  }));

  app.get('/v1/stacks/:environment/status', async (request) => {
    const [environment] = findStack(reads, request);
    const published = await status(environment);
    return { now: now(), verdict: verdict(published, now()), status: published ?? null };
  });

  app.get('/v1/stacks/:environment/audit', async (request) => {
    const [environment] = findStack(reads, request);
    const { pool, kind, worker, limit } = parse(auditQuery, request.query, 'the query');
    const filter = {
      ...(pool === undefined ? {} : { pool }),
      ...(kind === undefined ? {} : { kind }),
      ...(worker === undefined ? {} : { worker }),
      limit,
    };
    return { entries: await registry.audit.latest(environment, filter) };
  });

  app.get('/v1/stacks/:environment/sweep', async (request) => {
    const [environment] = findStack(reads, request);
    return (await registry.memory.get(environment, SWEEP_KEY)) ?? { at: null, plan: null };
  });

  app.get('/v1/stacks/:environment/history', async (request) => {
    const [environment] = findStack(reads, request);
    return { pools: history.of(environment) };
  });
}
