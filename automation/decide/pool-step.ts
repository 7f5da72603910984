import type { Placement } from '../../components/model/config-schema';
import { probing, usualBoot } from './boots';
import { floorOf, keptForStandby } from './floor';
import { freshness } from './freshness';
import { givenUp, type Health } from './health';
import { decide, type PolicyState } from './index';
import { boundedLaunches } from './launches';
import { isReady, membersOf, observationOf } from './members';
import { outlook } from './need';
import { provenAllowance, rememberProof } from './placement-proof';
import { readingOf } from './reading';
import { departures, release, type Drain, type Removal } from './removal';
import { outdatedMembers, rolloutStep } from './rollout';
import { excess, sizeBounds, type SizeBounds } from './size-bounds';
import type { StackParameters } from './stack-parameters';
import type { PoolFacts, PoolMemory, ScaledPool, StackObservation } from './stack-types';
import { standbySlots } from './standby';
import type { Observation, PoolPolicy } from './types';

/** What one pool wants, before the stack's budgets. */
export interface PoolStep {
  readonly name: string;
  readonly pool: ScaledPool;
  readonly facts: PoolFacts;
  readonly bounds: SizeBounds;
  readonly removals: readonly Removal[];
  readonly drains: readonly Drain[];
  readonly resumes: readonly string[];
  readonly launches: readonly Placement[];
  /** So many of the launches only bring the pool to its minimum. */
  readonly essential: number;
  readonly alternatives: readonly Placement[];
  readonly desired: number;
  readonly reasons: readonly string[];
  readonly outdated: number;
  readonly stuck?: string;
  readonly memory: PoolMemory;
}

/** Runs the policy on one pool's real workers, and turns what it wants into steps that are safe for them. */
export function stepPool(
  name: string,
  pool: ScaledPool,
  facts: PoolFacts,
  before: PoolMemory,
  observation: StackObservation,
  health: Health,
  parameters: StackParameters,
): PoolStep {
  const { now, orders } = observation;
  const bounds = sizeBounds(name, pool, orders, now);
  const rollout = orders.rollouts[name];
  const outdated = outdatedMembers(facts.workers, rollout);
  const members = membersOf(facts.workers, health.presumedAlive);
  const surplus = excess(members.serving, bounds, outdated, now);
  const surplusIds = new Set(surplus.map(({ id }) => id));
  const staying = members.serving.filter(({ id }) => !surplusIds.has(id));

  const seen: Observation = {
    now,
    queue: readingOf(facts, pool.hasQueue, before.policy, now),
    workers: staying.map(observationOf),
    served: facts.served,
    booted: facts.booted,
    failures: facts.failures,
    launched: facts.launched,
    listeningSince: observation.listeningSince,
    ...(facts.waits === undefined ? {} : { waits: facts.waits }),
    ...(observation.luck === undefined ? {} : { luck: observation.luck }),
  };
  const policy = policyFor(pool, bounds, seen.workers.length);
  const { plan, state, needed } = decide(seen, policy, before.policy, parameters.policy);
  const released = release(plan, staying, now, bounds.min, parameters);

  const useless = givenUp(members.away, observation, health, parameters).map(
    ({ worker, reason }): Removal => ({ id: worker.id, pool: name, because: 'useless', reason }),
  );
  const left = departures(members.leaving, now, parameters);
  const kept = [...plan.removals, ...plan.drains].filter(
    ({ id }) =>
      staying.some((worker) => worker.id === id && isReady(worker)) &&
      !released.drains.some((drain) => drain.id === id),
  );
  const touched = new Set([
    ...[...plan.removals, ...plan.drains, ...surplus].map(({ id }) => id),
    ...plan.resumes,
  ]);
  const failing = new Set(
    released.removals.filter(({ because }) => because === 'useless').map(({ id }) => id),
  );
  const working = seen.workers.filter(({ id }) => !failing.has(id));

  const boot = usualBoot(state, parameters.policy);
  const floor = Math.min(bounds.max, floorOf(policy, now, boot));
  const unread = pool.hasQueue && facts.queue === undefined;
  const stale = freshness(now, seen.queue.observedAt, pool.tick) === 'unknown';
  const serving = working.filter(({ id, state: doing }) => doing !== 'draining' && !touched.has(id)).length;

  const held = stale ? 'the queue cannot be read' : health.suspicion;
  const step =
    outdated.size === 0 || held !== undefined
      ? undefined
      : rolloutStep({
          members: { ...members, serving: staying },
          outdated,
          ...(rollout === undefined ? {} : { order: rollout }),
          budget: pool.rollout,
          touched,
          required: requiredSize({ ...seen, workers: working }, policy, bounds, state, boot, parameters),
          room: bounds.max - facts.workers.length,
          view: outlook({ ...seen, workers: working }, policy, state, boot, parameters.policy),
          failedBoots: state.failedBoots,
          growing: needed > 0,
        });

  const reasons = [...bounds.reasons, ...plan.reasons];
  if (kept.length > 0)
    reasons.push(
      `${kept.map(({ id }) => id).join(', ')} stay all the same: ${bounds.min} are to be ready, and others only boot`,
    );
  if (outdated.size > 0)
    reasons.push(step?.reason ?? `${outdated.size} workers are left to be replaced, later: ${held ?? ''}`);
  const surge = step?.surge ?? 0;
  const wanted =
    surge > 0
      ? boundedLaunches(surge, seen, working, { ...policy, maxSize: bounds.max }, state, reasons).plan
      : plan;

  const [first] = wanted.launches;
  const limits = [
    {
      count: pool.maxSize - facts.workers.length,
      reason: `the pool may have ${pool.maxSize}, and ${members.leaving.length + members.away.length} of its ${facts.workers.length} members leave, are silent or are lost`,
    },
    {
      count: unread ? Math.max(0, floor - serving - plan.resumes.length) : Infinity,
      reason: `its queue was not read yet, and ${floor} are the minimum`,
    },
    {
      count:
        first === undefined
          ? Infinity
          : provenAllowance(rememberProof(before.proven, facts, now), first, now, parameters.proofLife),
      reason: `${first?.serverType} in ${first?.location} has not been used for a day, and one finds out first`,
    },
  ];
  const tightest = limits.reduce((least, one) => (one.count < least.count ? one : least));
  const count = Math.max(0, Math.min(wanted.launches.length, tightest.count));
  if (count < wanted.launches.length)
    reasons.push(`${count} of ${wanted.launches.length} are launched: ${tightest.reason}`);

  const drains = [...surplus, ...released.drains, ...(step?.drains ?? [])];
  reasons.push(
    ...[...useless, ...left].map(({ id, reason }) => `${id} is removed: ${reason}`),
    ...[...surplus, ...(step?.drains ?? [])].map(({ id, reason }) => `${id} takes no further job: ${reason}`),
  );
  return {
    name,
    pool,
    facts,
    bounds,
    removals: [...useless, ...left, ...released.removals],
    drains,
    resumes: plan.resumes,
    launches: wanted.launches.slice(0, count),
    essential: Math.min(count, Math.max(0, bounds.min - serving - plan.resumes.length)),
    alternatives: wanted.alternatives,
    desired: Math.min(bounds.max, Math.max(0, serving + needed + surge)),
    reasons,
    outdated: outdated.size,
    ...(step?.stuck === undefined ? {} : { stuck: step.stuck }),
    // A surge finds out as well as any launch whether a template that failed is healed.
    memory: remember(before, facts, surge > 0 ? probing(state, count, now) : state, now),
  };
}

/**
 * The pool as the policy shall see it. It never shrinks to the greatest size by itself (`excess` does, in the safe
 * order), and budgets are the stack's.
 */
function policyFor(pool: ScaledPool, { min, max, order }: SizeBounds, workers: number): PoolPolicy {
  const policy = { ...pool, minSize: min, maxSize: Math.max(max, workers) };
  return order === undefined ? policy : { ...policy, standby: 0, schedule: [] };
}

/** Ready workers that the pool needs now, apart from what its waiting jobs ask for. */
function requiredSize(
  observation: Observation,
  policy: PoolPolicy,
  { max }: SizeBounds,
  state: PolicyState,
  boot: number,
  { policy: parameters }: StackParameters,
): number {
  const { load, capacity } = outlook(observation, policy, state, boot, parameters);
  const standby = keptForStandby(standbySlots(policy, state, boot), capacity.running, policy.slots);
  const busy = Math.ceil(parameters.drainReserve * load);
  return Math.min(max, Math.max(floorOf(policy, observation.now, boot), standby, busy));
}

function remember(before: PoolMemory, facts: PoolFacts, policy: PolicyState, now: number): PoolMemory {
  const kind = facts.failures.find((failure) => failure.kind === 'limit' || failure.kind === 'rate')?.kind;
  const refused =
    kind === 'limit' || kind === 'rate'
      ? { kind, at: now }
      : facts.launched.length > 0
        ? undefined
        : before.refused;
  return {
    policy,
    proven: rememberProof(before.proven, facts, now),
    ...(refused === undefined ? {} : { refused }),
  };
}
