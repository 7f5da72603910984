import type { WorkerView } from '../observe/types';
import type { RolloutOrder } from '../registry/types';
import { isBusy, isReady, type Members } from './members';
import type { Outlook } from './need';
import { canDoWithout } from './release';
import type { Drain } from './removal';
import type { ScaledPool } from './stack-types';

/** What a rollout's next step is decided by. */
export interface RolloutSight {
  readonly members: Members;
  readonly outdated: ReadonlySet<string>;
  readonly order?: RolloutOrder;
  readonly budget: ScaledPool['rollout'];
  /** Workers to which this decision does something already. */
  readonly touched: ReadonlySet<string>;
  /** Ready workers that the pool needs whatever waits. */
  readonly required: number;
  /** Further members that the pool may have. */
  readonly room: number;
  readonly view: Outlook;
  /** Launches in a row that never became ready. */
  readonly failedBoots: number;
  /** Whether the policy itself launches or resumes now: the rollout then waits for what comes of it. */
  readonly growing: boolean;
}

export interface RolloutStep {
  readonly drains: readonly Drain[];
  /** Launches beyond what the policy wants. */
  readonly surge: number;
  /** Why nothing can ever move, where that is so. */
  readonly stuck?: string;
  readonly reason: string;
}

/** Members to be replaced: those with an outdated template, and those that a person named. */
export function outdatedMembers(
  workers: readonly WorkerView[],
  order: RolloutOrder | undefined,
): ReadonlySet<string> {
  return new Set(
    workers.filter(({ id, drifted }) => drifted || order?.workers.includes(id) === true).map(({ id }) => id),
  );
}

/**
 * One step of a rollout, by Kubernetes' terms: at most `maxSurge` workers more than wanted, at most `maxUnavailable`
 * fewer than needed. New ones are launched first; an old one stops taking jobs once the pool can do without it, and not
 * before one of today's template has shown that it works. Those that the pool can do without anyway are left to the
 * end of their paid hour, which costs nothing, unless a person ordered the rollout.
 */
export function rolloutStep(sight: RolloutSight): RolloutStep {
  const { members, outdated, order, budget, touched, required, view, failedBoots } = sight;
  const current = members.serving.filter(({ id }) => !outdated.has(id));
  const old = members.serving
    .filter((worker) => outdated.has(worker.id) && isReady(worker) && !touched.has(worker.id))
    .toSorted((a, b) => Number(isBusy(a)) - Number(isBusy(b)) || a.created - b.created);
  const booting = current.filter(({ id, status }) => status === 'booting' && !touched.has(id)).length;
  const going = members.leaving.filter(({ registered }) => registered?.drain?.cause === 'rollout').length;
  const proven = current.some(isReady) || budget.maxSurge === 0;

  const drains: Drain[] = [];
  const gone = new Set(touched);
  let available = members.serving.filter((worker) => isReady(worker) && !touched.has(worker.id)).length;
  let blocked = false;
  for (const worker of failedBoots > 0 || sight.growing ? [] : old) {
    if (going + drains.length >= Math.max(1, budget.maxSurge + budget.maxUnavailable)) break;
    const spare = available - 1 >= required && canDoWithout(view, gone, worker.id);
    const bearable =
      available - 1 >= required - budget.maxUnavailable &&
      going + drains.length + booting < budget.maxUnavailable;
    blocked = !spare && !bearable;
    if (blocked || (spare && !proven)) break;
    gone.add(worker.id);
    available -= 1;
    drains.push(drainOf(worker, outdated.size, order));
  }

  const left = old.length - drains.length;
  const inFlight = booting + going + drains.length;
  const wanted =
    sight.growing || left === 0 || !(blocked || failedBoots > 0 || (order !== undefined && !proven))
      ? 0
      : Math.max(0, Math.min(budget.maxSurge, left) - inFlight);
  const surge = Math.min(wanted, Math.max(0, sight.room));
  const stuck = blocked && inFlight === 0 && surge === 0;
  const doing = [
    ...(drains.length > 0 ? [`${drains.length} stop taking jobs now`] : []),
    ...(surge > 0 ? [`${surge} are wanted in their place first`] : []),
    ...(inFlight > drains.length ? [`${booting} boot and ${going} drain`] : []),
  ];
  return {
    drains,
    surge,
    ...(stuck
      ? {
          stuck:
            budget.maxSurge === 0
              ? `${available} workers are ready, ${required} are needed, and maxSurge is 0`
              : `the pool has no room for a further one, and maxUnavailable is ${budget.maxUnavailable}`,
        }
      : {}),
    reason:
      `${outdated.size} workers are left to be replaced: ` +
      (doing.length > 0
        ? doing.join(', ')
        : stuck
          ? 'nothing can move'
          : 'they leave as the pool can do without them'),
  };
}

function drainOf({ id, pool, drifted }: WorkerView, left: number, order: RolloutOrder | undefined): Drain {
  const why = drifted ? 'its template is outdated' : `${order?.by ?? 'a person'} ordered its replacement`;
  return { id, pool, cause: 'rollout', reason: `${why}; ${left} are left to be replaced` };
}
