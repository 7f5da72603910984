import { ConfigError } from '../../components/model/errors';
import type { Membership } from '../../components/model/membership';
import type { StackPlan } from '../decide/stack-types';
import type { Registry } from '../registry/types';
import { workersNow } from './idle';
import {
  type MembershipChange,
  StackBusyError,
  type StackRunner,
  UpdateFailedError,
  type UpdateReport,
} from './types';

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
  /** Members that were never made: taken out of the record, so that nobody's update makes them after all. */
  readonly failed: ReadonlySet<string>;
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
  const change = async (recorded: Membership): Promise<MembershipChange> => {
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
    const removals = [...going.map(({ id }) => id), ...order.failed];
    return { launches: withinBounds(order, recorded, removals), removals };
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

/** The launches that fit: the record may have grown since the decision, e.g. by a person's run. */
function withinBounds(
  { launches, most }: UpdateOrder,
  recorded: Membership,
  removals: readonly string[],
): UpdateOrder['launches'] {
  const room = new Map(
    Object.entries(most).map(([pool, size]) => {
      const members = recorded[pool]?.members ?? [];
      return [pool, size - members.filter(({ id }) => !removals.includes(id)).length];
    }),
  );
  return launches.filter(({ pool }) => {
    const left = room.get(pool) ?? 0;
    room.set(pool, left - 1);
    return left > 0;
  });
}
