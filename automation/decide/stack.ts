import { poolAlarms } from './alarms';
import { judgeSilence } from './health';
import { INITIAL_POOL_MEMORY } from './memory';
import { stepPool, type PoolStep } from './pool-step';
import { share, type Ask, type Grant } from './spending';
import { STACK_PARAMETERS, type StackParameters } from './stack-parameters';
import type {
  PoolFacts,
  PoolMemory,
  StackDecision,
  StackMemory,
  StackObservation,
  StackPlan,
  StackPolicy,
} from './stack-types';
import type { PolicyState } from './state';
import type { PricedPlacement } from './types';

/**
 * One tick's decision over all pools of a stack: what each pool's policy wants, in steps that are safe for real workers,
 * within what the stack may spend. Pools do not hinder each other, and what stops launches never stops removals. Pure:
 * same observation, policy and memory, same decision.
 */
export function decideStack(
  observation: StackObservation,
  policy: StackPolicy,
  memory: StackMemory,
  parameters: StackParameters = STACK_PARAMETERS,
): StackDecision {
  const { now, orders } = observation;
  const known = Object.entries(policy.pools).flatMap(([name, pool]) => {
    const facts = observation.pools[name];
    return facts === undefined
      ? []
      : [{ name, pool, facts, before: memory.pools[name] ?? INITIAL_POOL_MEMORY }];
  });
  const late = new Set(
    known
      .filter(({ pool, facts, before }) => now - (oldestOf(facts, before.policy) ?? now) > pool.targetWait)
      .map(({ name }) => name),
  );
  const health = judgeSilence(observation, late, parameters);
  const steps = known.map(({ name, pool, facts, before }) =>
    stepPool(name, pool, facts, before, observation, health, parameters),
  );
  const grants = share(steps.map(askOf), observation, policy);
  const { pause } = orders;
  const changes = pause === undefined ? changesOf(steps, grants) : NO_CHANGES;
  const unseen = Object.keys(policy.pools).filter((name) => observation.pools[name] === undefined);

  return {
    plan: {
      ...changes,
      pools: {
        ...Object.fromEntries(
          unseen.map((name) => [name, { desired: 0, reasons: ['nothing is known of it yet: it is held'] }]),
        ),
        ...Object.fromEntries(steps.map((step, index) => [step.name, summary(step, grants[index], pause)])),
      },
      alarms: [
        ...health.alarms,
        ...steps.flatMap((step, index) => {
          const oldest = oldestOf(step.facts, step.memory.policy);
          const stop = grants[index]?.stop;
          return poolAlarms(
            {
              ...step,
              failedBoots: step.memory.policy.failedBoots,
              ...(oldest === undefined ? {} : { oldest }),
              ...(stop === undefined ? {} : { stop }),
            },
            observation,
          );
        }),
      ],
    },
    memory: {
      pools: {
        ...memory.pools,
        ...Object.fromEntries(
          known.map(({ name, before }, index) => {
            const launched = pause === undefined && (grants[index]?.count ?? 0) > 0;
            return [name, withTrueProbe(steps[index]?.memory ?? before, before, launched)];
          }),
        ),
      },
    },
  };
}

const NO_CHANGES: Omit<StackPlan, 'pools' | 'alarms'> = {
  launches: [],
  alternatives: {},
  removals: [],
  drains: [],
  resumes: [],
};

function changesOf(steps: readonly PoolStep[], grants: readonly Grant[]): typeof NO_CHANGES {
  return {
    launches: steps.flatMap(({ name, launches }, index) =>
      launches
        .slice(0, grants[index]?.count ?? 0)
        .map(({ serverType, location }) => ({ pool: name, serverType, location })),
    ),
    alternatives: Object.fromEntries(
      steps.flatMap(({ name }, index) => {
        const grant = grants[index];
        return grant === undefined || grant.count === 0 ? [] : [[name, grant.alternatives]];
      }),
    ),
    removals: steps.flatMap(({ removals }) => removals),
    drains: steps.flatMap(({ drains }) => drains),
    resumes: steps.flatMap(({ resumes }) => resumes),
  };
}

function askOf({ name, pool, launches, essential, alternatives }: PoolStep): Ask {
  const priced = ({ serverType, location }: { serverType: string; location: string }): PricedPlacement[] =>
    pool.placements.filter((known) => known.serverType === serverType && known.location === location);
  const price = launches.slice(0, 1).flatMap(priced)[0]?.price ?? 0;
  return {
    pool: name,
    count: launches.length,
    essential,
    price,
    alternatives: alternatives.flatMap(priced),
  };
}

function summary(
  { desired, reasons, launches }: PoolStep,
  grant: Grant | undefined,
  pause: StackObservation['orders']['pause'],
): StackPlan['pools'][string] {
  const { count = 0, stop } = grant ?? {};
  const bounded = stop === undefined ? [] : [`${count} of ${launches.length} are launched: ${stop.reason}`];
  const paused =
    pause === undefined
      ? []
      : [
          `paused by ${pause.by} since ${new Date(pause.since * 1000).toISOString()} (${pause.reason}): nothing is changed; what follows is what would be done`,
        ];
  return { desired, reasons: [...paused, ...reasons, ...bounded] };
}

/** Arrival of the oldest waiting job: what the queue says, else what was followed of it. */
function oldestOf({ queue }: PoolFacts, { waiting }: PolicyState): number | undefined {
  if (queue === undefined || queue.waiting === 0) return undefined;
  return queue.oldest ?? waiting[0];
}

/** The breaker's probe counts only if it was really launched. */
function withTrueProbe(after: PoolMemory, before: PoolMemory, launched: boolean): PoolMemory {
  if (launched || after.policy.probedAt === before.policy.probedAt) return after;
  const policy: { -readonly [Key in keyof PolicyState]: PolicyState[Key] } = { ...after.policy };
  if (before.policy.probedAt === undefined) delete policy.probedAt;
  else policy.probedAt = before.policy.probedAt;
  return { ...after, policy };
}
