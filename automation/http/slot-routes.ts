import { randomUUID } from 'node:crypto';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { z } from 'zod';
import type { Log } from '../log';
import type { Registry, Slot } from '../registry/types';
import type { Metrics } from './metrics';
import type { ReadStatus } from './published';
import { parse, Refusal } from './refusal';
import type { Settle } from './settling';
import { slotStreams } from './slot-streams';
import { slotView } from './slot-view';
import { NO_SECRETS, type ServedStacks } from './stacks';
import type { WrongToken } from './token-watch';
import { bearerToken, isSlotToken } from './tokens';

export interface SlotRoutes {
  readonly stacks: ServedStacks;
  readonly registry: Registry;
  readonly now: () => number;
  readonly log: Log;
  readonly metrics: Metrics;
  readonly wake: (environment: string) => void;
  readonly wrongToken: WrongToken;
  readonly status: ReadStatus;
  readonly settle: Settle;
  readonly streamInterval: number;
}

/** Seconds after which a waiting caller that does not follow the stream should ask again. */
const RETRY_AFTER = 5;

const name = z.string().min(1).max(63);
const slotId = z.string().regex(/^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/, {
  error: 'must be up to 64 letters, digits, dots, hyphens and underscores',
});
const slotRequest = z.strictObject({
  environment: name,
  pool: name,
  id: slotId.optional(),
  patience: z.number().min(1).max(900).default(300),
  ttl: z.number().min(10).max(86_400).default(3600),
});
const slotPath = z.object({ environment: name, id: slotId });

/** Places on workers for callers that ask this service itself (queue kind `slots`). */
export function registerSlotRoutes(app: FastifyInstance, routes: SlotRoutes): void {
  const { registry, now, metrics, wake } = routes;
  const streams = slotStreams(routes);
  app.addHook('preClose', async () => streams.close());

  app.post('/v1/slots', async (request, reply) => {
    const { id = randomUUID(), ...body } = parse(slotRequest, request.body);
    if (!allows(routes, request, body)) throw routes.wrongToken(request.ip);
    const slot = await registry.slots.request({ id, ...body }, now());
    if (slot.pool !== body.pool) {
      throw new Refusal(
        409,
        'id-taken',
        `the id ${id} is in use by another pool; choose another, or leave it out`,
      );
    }
    metrics.slotRequests.inc({ outcome: slot.state });
    if (slot.state === 'waiting') wake(body.environment);
    return answer(reply, slot);
  });

  app.get('/v1/slots/:environment/:id', async (request, reply) => answer(reply, await find(routes, request)));

  app.get('/v1/slots/:environment/:id/events', async (request, reply) => {
    streams.follow(await find(routes, request), reply);
  });

  app.post('/v1/slots/:environment/:id/renew', async (request, reply) => {
    const { environment, id } = await find(routes, request);
    const slot = await registry.slots.renew(environment, id, now());
    if (!slot) throw ended(id);
    return answer(reply, slot);
  });

  app.delete('/v1/slots/:environment/:id', async (request) => {
    const { environment, id } = await find(routes, request);
    const slot = await registry.slots.release(environment, id, now());
    if (!slot) throw ended(id);
    routes.settle(environment);
    return slotView(slot);
  });
}

/** @throws Refusal 401 without a token of a slot pool here; 404 when that pool has no such slot */
async function find(routes: SlotRoutes, request: FastifyRequest): Promise<Slot> {
  const { environment, id } = parse(slotPath, request.params, 'the path');
  const pools = [...(routes.stacks().get(environment)?.pools.keys() ?? [])];
  const own = pools.filter((pool) => allows(routes, request, { environment, pool }));
  if (own.length === 0) throw routes.wrongToken(request.ip);
  const slot = await routes.registry.slots.get(environment, id);
  if (slot && own.includes(slot.pool)) return slot;
  throw new Refusal(404, 'unknown-slot', `there is no slot ${id}; ask for one with POST /v1/slots`);
}

/** Whether the token is that of this pool, and callers may ask for its slots. */
function allows(
  { stacks }: SlotRoutes,
  request: FastifyRequest,
  { environment, pool }: { environment: string; pool: string },
): boolean {
  const stack = stacks().get(environment);
  const given = bearerToken(request.headers.authorization) ?? '';
  const valid = isSlotToken(given, stack?.registrationSecrets ?? NO_SECRETS, { environment, pool });
  return valid && stack?.pools.get(pool)?.kind === 'slots';
}

function answer(reply: FastifyReply, slot: Slot): FastifyReply {
  switch (slot.state) {
    case 'granted':
      return reply.send(slotView(slot));
    case 'waiting':
      return reply
        .code(202)
        .header('location', `/v1/slots/${slot.environment}/${slot.id}`)
        .header('retry-after', RETRY_AFTER)
        .send(slotView(slot));
    case 'released':
    case 'expired':
      return reply.code(410).send(slotView(slot));
  }
}

const ended = (id: string): Refusal =>
  new Refusal(410, 'slot-ended', `the slot ${id} has ended; ask for another with POST /v1/slots`);
