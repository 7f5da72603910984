import type { FastifyRequest } from 'fastify';
import { didYouMean } from '../../components/model/near-matches';
import type { RegisteredWorker, Registry } from '../registry/types';
import type { ReadStatus } from './published';
import { Refusal } from './refusal';
import type { ServedPool, ServedStack, ServedStacks } from './stacks';

export interface Lookup {
  readonly stacks: ServedStacks;
  readonly registry: Pick<Registry, 'workers'>;
  readonly status: ReadStatus;
}

/** The stack that a path names. @throws Refusal 404 with near matches */
export function findStack({ stacks }: Lookup, request: FastifyRequest): [string, ServedStack] {
  const { environment } = request.params as { environment: string };
  const stack = stacks().get(environment);
  if (stack) return [environment, stack];
  throw notFound('stack', environment, [...stacks().keys()], 'this service serves');
}

/** The pool that a path names. @throws Refusal 404 with near matches */
export function findPool(lookup: Lookup, request: FastifyRequest): [string, string, ServedPool] {
  const [environment, { pools }] = findStack(lookup, request);
  const { pool: name } = request.params as { pool: string };
  const pool = pools.get(name);
  if (pool) return [environment, name, pool];
  throw notFound('pool', name, [...pools.keys()], `the stack ${environment} has`);
}

/**
 * The worker that a path names, as it registered.
 * @throws Refusal 404 with near matches; 409 when it has not registered yet
 */
export async function findWorker(lookup: Lookup, request: FastifyRequest): Promise<RegisteredWorker> {
  const [environment] = findStack(lookup, request);
  const { worker } = request.params as { worker: string };
  const registered = await lookup.registry.workers.list(environment);
  const found = registered.find((candidate) => candidate.worker === worker);
  if (found) return found;
  const members = await memberIds(lookup, environment);
  if (members.includes(worker)) {
    throw new Refusal(
      409,
      'not-registered',
      `${worker} has not registered yet; orders reach a worker by its heartbeat, so wait until it is ready`,
    );
  }
  throw notFound(
    'worker',
    worker,
    [...members, ...registered.map((known) => known.worker)],
    `the stack ${environment} has`,
  );
}

/** @throws Refusal 404 naming the first id that is no member of this pool, with near matches */
export async function checkMembers(
  lookup: Lookup,
  environment: string,
  pool: string,
  ids: readonly string[],
): Promise<void> {
  const members = await memberIds(lookup, environment, pool);
  const stranger = ids.find((id) => !members.includes(id));
  if (stranger !== undefined) throw notFound('worker', stranger, members, `the pool ${pool} has`);
}

async function memberIds({ status }: Lookup, environment: string, pool?: string): Promise<string[]> {
  const pools = Object.entries((await status(environment))?.pools ?? {});
  return pools.flatMap(([name, { workers }]) =>
    pool === undefined || name === pool ? workers.map(({ id }) => id) : [],
  );
}

function notFound(what: string, name: string, known: readonly string[], owner: string): Refusal {
  const shown = known.length === 0 ? 'none' : known.length > 12 ? `${known.length} others` : known.join(', ');
  const hint = didYouMean(name, known);
  return new Refusal(
    404,
    `unknown-${what}`,
    `there is no ${what} "${name}".${hint === '' ? ` Of ${what}s, ${owner}: ${shown}` : hint}`,
  );
}
