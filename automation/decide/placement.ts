import type { Placement } from '../../components/model/config-schema';
import type { LaunchFailure, PricedPlacement } from './types';

/** A placement that had no capacity, and how often in a row. */
export interface SoldOut {
  readonly serverType: string;
  readonly location: string;
  readonly times: number;
  readonly until: number;
}

/** A sold-out placement is left alone for this long, twice as long each further time. Shortages last hours. */
const FIRST_PENALTY = 600;
const LONGEST_PENALTY = 1800;
/** Where every placement is sold out, one launch at this interval finds out when that ends. */
const PROBE_INTERVAL = 60;
/** After the account's limit was met or the vendor asked for patience. */
export const LIMIT_HOLD = 600;
export const RATE_HOLD = 60;

const same = (a: Placement, b: Placement): boolean =>
  a.serverType === b.serverType && a.location === b.location;

/** Remembers what was sold out; a placement whose penalty is long over starts afresh. */
export function rememberSoldOut(
  memory: readonly SoldOut[],
  failures: readonly LaunchFailure[],
  now: number,
): readonly SoldOut[] {
  const failed = failures.filter(({ kind }) => kind === 'sold-out').map(({ placement }) => placement);
  if (failed.length === 0) return memory;
  const distinct = failed.filter(
    (placement, index) => failed.findIndex((other) => same(other, placement)) === index,
  );
  const others = memory.filter((entry) => !distinct.some((placement) => same(entry, placement)));
  return [
    ...others,
    ...distinct.map(({ serverType, location }) => {
      const before = memory.find((entry) => same(entry, { serverType, location }));
      const times = before !== undefined && now < before.until + LONGEST_PENALTY ? before.times + 1 : 1;
      const penalty = Math.min(LONGEST_PENALTY, FIRST_PENALTY * 2 ** (times - 1));
      return { serverType, location, times, until: now + penalty };
    }),
  ];
}

export interface PlacementChoice {
  /** Placements to try, in the configured order. */
  readonly order: readonly PricedPlacement[];
  /** Most launches now: one where this only probes a placement that was sold out. */
  readonly most: number;
}

/** Where to launch now. All sold out: one probe a minute, in the order in which they failed. */
export function choosePlacements(
  placements: readonly PricedPlacement[],
  memory: readonly SoldOut[],
  now: number,
  tick: number,
): PlacementChoice {
  const penalty = (placement: Placement): SoldOut | undefined =>
    memory.find((entry) => same(entry, placement) && now < entry.until);
  const open = placements.filter((placement) => penalty(placement) === undefined);
  if (open.length > 0) return { order: open, most: Infinity };
  const soonest = placements.toSorted((a, b) => (penalty(a)?.until ?? 0) - (penalty(b)?.until ?? 0));
  return { order: soonest, most: now % PROBE_INTERVAL < tick ? 1 : 0 };
}
