import { ConfigError } from '../../components/model/errors';
import type { Membership } from '../../components/model/membership';
import { workersOf } from '../../components/model/names';
import type { LabelledWorker } from '../../components/model/plan';
import type { StackPlan } from '../decide/stack-types';
import type { Registry } from '../registry/types';
import { workersNow } from './idle';
import { isWorkerOf } from './sweep-plan';
import { type Change, StackBusyError, type StackRunner, UpdateFailedError, type UpdateReport } from './types';

export type Removal = StackPlan['removals'][number] & {
  /** It goes because its paid hour ends: once that is over, the next one is paid for, and it stays. Seconds since 1970. */
  readonly notAfter?: number;
};

/** What an update shall do, and what has to hold at the moment in which it is done. */
export interface UpdateOrder {
  /** Seconds since 1970: a worker that was given up and has spoken since is not useless. */
  readonly decidedAt: number;
  readonly launches: StackPlan['launches'];
  readonly removals: readonly Removal[];
  /**
   * Members that could not be made: taken out of the record, so that nobody's update makes them after all. One that was
   * made although its answer was lost stays, and the update takes it in.
   */
  readonly failed: ReadonlySet<string>;
  /** Resources that an update before this one could not delete. */
  readonly undeleted: ReadonlySet<string>;
  /** Most members of each pool. */
  readonly most: Readonly<Record<string, number>>;
}

export type UpdateOutcome =
  | { readonly kind: 'done'; readonly report: UpdateReport; readonly spared: readonly string[] }
  /** Another update holds the stack. */
  | { readonly kind: 'busy'; readonly problem: string }
  /** Nothing is known to have changed. */
  | { readonly kind: 'refused'; readonly problem: string };

/**
 * One update of the stack. Under the stack's lock it asks once more whether this process leads, whether each worker that
 * is to go for being idle still is, and whether there is room for each launch beside what is recorded by then.
 */
export async function updateStack(
  { runner, registry, now }: { runner: StackRunner; registry: Registry; now: () => number },
  order: UpdateOrder,
): Promise<UpdateOutcome> {
  let spared: string[] = [];
  const change: Change = async (recorded, existing) => {
    if (!registry.leadership.holds(runner.environment)) {
      spared = order.removals.map(({ id }) => id);
      return { launches: [], removals: [] };
    }
    const at = now();
    const workers = await workersNow(registry, runner.environment, at);
    const going = order.removals.filter(({ id, because, notAfter = Infinity }) =>
      because === 'useless'
        ? !workers.hasSpokenSince(id, order.decidedAt)
        : workers.isIdle(id) && at < notAfter,
    );
    spared = order.removals.filter((removal) => !going.includes(removal)).map(({ id }) => id);
    const made = existing.filter((worker) => order.failed.has(worker.member.id) && comesUp(worker));
    const unmade = [...order.failed].filter((id) => !made.some(({ member }) => member.id === id));
    const removals = [...going.map(({ id }) => id), ...unmade];
    const launches = withoutMade(order.launches, made);
    return { launches: withinBounds({ ...order, launches }, recorded, removals, existing), removals };
  };
  try {
    return { kind: 'done', report: await runner.update(change), spared };
  } catch (error) {
    if (error instanceof StackBusyError) return { kind: 'busy', problem: error.message };
    if (error instanceof UpdateFailedError || error instanceof ConfigError)
      return { kind: 'refused', problem: error.message };
    throw error;
  }
}

/** One that was made to its end although the answer was lost; one whose creation or start failed stays off. */
function comesUp({ status = '' }: LabelledWorker): boolean {
  return ['initializing', 'starting', 'running'].includes(status);
}

/** Without those that were decided on in place of workers that were made all the same. */
function withoutMade(
  launches: UpdateOrder['launches'],
  made: readonly LabelledWorker[],
): UpdateOrder['launches'] {
  const pools = made.map(({ pool }) => pool);
  return launches.filter(({ pool }) => {
    const index = pools.indexOf(pool);
    if (index !== -1) pools.splice(index, 1);
    return index === -1;
  });
}

/**
 * The launches that fit: the record may have grown since the decision, e.g. by a person's run, and a server that is left
 * over or about to go takes room as long as it is there.
 */
function withinBounds(
  { launches, most, undeleted }: UpdateOrder,
  recorded: Membership,
  removals: readonly string[],
  existing: readonly LabelledWorker[],
): UpdateOrder['launches'] {
  const room = new Map(
    Object.entries(most).map(([pool, size]) => {
      const members = recorded[pool]?.members.map(({ id }) => id) ?? [];
      const there = existing.filter((worker) => worker.pool === pool).map(({ member }) => member.id);
      const left = workersOf(undeleted).filter((id) => isWorkerOf(id, pool));
      const taken = new Set([...members.filter((id) => !removals.includes(id)), ...there, ...left]);
      return [pool, size - taken.size];
    }),
  );
  return launches.filter(({ pool }) => {
    const left = room.get(pool) ?? 0;
    room.set(pool, left - 1);
    return left > 0;
  });
}
