import { z } from 'zod';
import type { PoolMemory, StackMemory } from './stack-types';
import { INITIAL_STATE, type PolicyState } from './state';

/** A pool of which nothing is remembered. */
export const INITIAL_POOL_MEMORY: PoolMemory = { policy: INITIAL_STATE, proven: {} };
/** A new stack, or a registry whose content was lost. */
export const INITIAL_STACK_MEMORY: StackMemory = { pools: {} };

const times = z.array(z.number());

const policyState: z.ZodType<PolicyState> = z.object({
  tolerance: z.number(),
  services: times,
  boots: times,
  waiting: times,
  readAt: z.number().exactOptional(),
  arrivalRate: z.number(),
  minutes: times.min(1),
  minute: z.number(),
  bursts: z.array(z.object({ at: z.number(), jobs: z.number(), until: z.number() })),
  soldOut: z.array(
    z.object({
      serverType: z.string(),
      location: z.string(),
      times: z.number(),
      until: z.number(),
      offered: z.boolean().exactOptional(),
    }),
  ),
  soldOutProbeAt: z.number().exactOptional(),
  launchesHeldUntil: z.number(),
  failedBoots: z.int().min(0),
  condemned: z.array(z.string()),
  probedAt: z.number().exactOptional(),
});

const poolMemory: z.ZodType<PoolMemory> = z.object({
  policy: policyState,
  proven: z.record(z.string(), z.number()),
  refused: z.object({ kind: z.enum(['limit', 'rate']), at: z.number() }).exactOptional(),
});

const stored = z.object({ pools: z.record(z.string(), z.unknown()) });

/**
 * Reads what an earlier process, perhaps of an earlier version, stored. A pool's memory that is not understood is left
 * out: the policy learns again within an hour, and nothing that is safe depends on it.
 * @returns undefined where nothing was stored
 */
export function parseStackMemory(value: unknown): StackMemory | undefined {
  const { data } = stored.safeParse(value);
  if (data === undefined) return undefined;
  return {
    pools: Object.fromEntries(
      Object.entries(data.pools).flatMap(([name, pool]) => {
        const parsed = poolMemory.safeParse(pool);
        return parsed.success ? [[name, parsed.data]] : [];
      }),
    ),
  };
}
