import {
  EMPTY_POOL,
  launch,
  remove,
  type Launch,
  type MemberRecord,
  type Membership,
  type PoolMembership,
} from '../../components/model/membership';
import type { LabelledWorker } from '../../components/model/plan';
import type { Placement } from '../../components/model/config-schema';
import type { MembershipChange } from './types';

export interface Evidence {
  /** What the last update that ended has recorded, and empty pools for the file's others. */
  recorded: Membership;
  /** What an update that did not end was about to declare. */
  intended?: Membership;
  /** Workers that there are, by their servers' labels or by the state. */
  existing: readonly LabelledWorker[];
}

/**
 * The membership that loses nobody after an update was cut short, and makes nobody either: what was not launched yet is
 * for the service to decide anew, because nobody knows how long it was away.
 *
 * Ids are serial and never used again, so `nextSerial` tells what an absence means: a member that is not in the intent
 * although its serial lies below the intent's was to be removed, and one above it came later. A worker that nobody
 * knows and whose serial was not given out yet is left by somebody else's interrupted update, and is taken in. One of a
 * pool that is neither recorded nor in the file is not: nobody could declare it, and it would stop every update.
 */
export function rollForward({ recorded, intended = {}, existing }: Evidence): Membership {
  const pools = new Set([...Object.keys(recorded), ...Object.keys(intended)]);
  return Object.fromEntries(
    [...pools].map((pool) => {
      const workers = existing.filter((worker) => worker.pool === pool).map(({ member }) => member);
      return [pool, rollPoolForward(recorded[pool] ?? EMPTY_POOL, intended[pool] ?? EMPTY_POOL, workers)];
    }),
  );
}

function rollPoolForward(
  recorded: PoolMembership,
  intended: PoolMembership,
  existing: readonly MemberRecord[],
): PoolMembership {
  const given = Math.max(recorded.nextSerial, intended.nextSerial);
  const kept = recorded.members.filter(
    ({ id }) => serialOf(id) >= intended.nextSerial || includes(intended.members, id),
  );
  const launched = intended.members.filter(
    ({ id }) => serialOf(id) >= recorded.nextSerial && includes(existing, id),
  );
  const left = existing.filter(({ id }) => serialOf(id) >= given);
  const members = new Map([...left, ...launched, ...kept].map((member) => [member.id, member]));
  const sorted = [...members.values()].sort((a, b) => serialOf(a.id) - serialOf(b.id));
  return { nextSerial: Math.max(given, serialOf(sorted.at(-1)?.id ?? '-0') + 1), members: sorted };
}

/**
 * Applies a change. A removal that is not a member any more is passed over: somebody was faster.
 * @throws Error for a launch into a pool that the stack's file does not have
 */
export function changed(
  before: Membership,
  { launches, removals }: MembershipChange,
  launchOf: (pool: string, placement: Placement) => Launch,
): Membership {
  const unknown = launches.map(({ pool }) => pool).filter((pool) => before[pool] === undefined);
  if (unknown.length > 0) throw new Error(`the stack's file has no pool ${[...new Set(unknown)].join(', ')}`);
  return Object.fromEntries(
    Object.entries(before).map(([name, pool]) => {
      const leaving = removals.filter((id) => includes(pool.members, id));
      const made = launches
        .filter((placement) => placement.pool === name)
        .map(({ serverType, location }) => launchOf(name, { serverType, location }));
      return [name, launch(name, remove(pool, leaving), made)];
    }),
  );
}

export function memberIds(membership: Membership): string[] {
  return Object.values(membership).flatMap(({ members }) => members.map(({ id }) => id));
}

function includes(members: readonly MemberRecord[], id: string): boolean {
  return members.some((member) => member.id === id);
}

function serialOf(id: string): number {
  return Number.parseInt(id.slice(id.lastIndexOf('-') + 1), 36);
}
