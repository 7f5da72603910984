import type { Placement } from '../../components/model/config-schema';
import type { PolicyState } from './state';
import type { LaunchFailure, PricedPlacement } from './types';

/** A placement that had no capacity, and how often in a row. */
export interface SoldOut {
  readonly serverType: string;
  readonly location: string;
  readonly times: number;
  readonly until: number;
  /** Whether the vendor's list has it; absent where that was never said. */
  readonly offered?: boolean;
}

/** A sold-out placement is left alone for this long, twice as long each further time. Shortages last hours. */
const FIRST_PENALTY = 600;
const LONGEST_PENALTY = 1800;
/** Where every placement is sold out, one launch finds out after this long when that ends, and then after twice as long each time. */
const FIRST_PROBE = 60;
const LONGEST_PROBE = 600;
/** After the account's limit was met or the vendor asked for patience. */
export const LIMIT_HOLD = 600;
export const RATE_HOLD = 60;

const same = (a: Placement, b: Placement): boolean =>
  a.serverType === b.serverType && a.location === b.location;

/** What became of launches since the last decision. */
export interface LaunchNews {
  readonly failures?: readonly LaunchFailure[];
  readonly launched?: readonly Placement[];
}

/** Remembers what was sold out, and forgets it where a launch succeeds; a placement whose penalty is long over starts afresh. */
export function rememberSoldOut(
  memory: readonly SoldOut[],
  { failures = [], launched = [] }: LaunchNews,
  now: number,
): readonly SoldOut[] {
  const failed = soldOutNow(failures);
  const others = memory.filter(
    (entry) => ![...failed, ...launched].some((placement) => same(entry, placement)),
  );
  return [
    ...others,
    ...failed.map(({ serverType, location }) => {
      const before = memory.find((entry) => same(entry, { serverType, location }));
      const times = before !== undefined && now < before.until + LONGEST_PENALTY ? before.times + 1 : 1;
      const penalty = Math.min(LONGEST_PENALTY, FIRST_PENALTY * 2 ** (times - 1));
      return { serverType, location, times, until: now + penalty };
    }),
  ];
}

/** A placement that the vendor's list lacked and has again is worth a try, whatever is left of its penalty. */
export function followOffers(
  memory: readonly SoldOut[],
  placements: readonly PricedPlacement[],
): readonly SoldOut[] {
  return memory.flatMap((entry) => {
    const available = placements.find((placement) => same(entry, placement))?.available;
    if (entry.offered === false && available === true) return [];
    return available === undefined ? [entry] : [{ ...entry, offered: available }];
  });
}

/**
 * When a launch is next to find out whether there is anything left where everything is sold out.
 * @param luck in [0, 1): so that not all who wait for the same servers ask at the same moments
 */
export function nextProbe(
  memory: readonly SoldOut[],
  { failures = [] }: LaunchNews,
  now: number,
  luck: number,
): number | undefined {
  const failed = soldOutNow(failures);
  const tries = memory
    .filter((entry) => failed.some((placement) => same(entry, placement)))
    .map(({ times }) => times);
  if (tries.length === 0) return undefined;
  return now + Math.min(LONGEST_PROBE, FIRST_PROBE * 2 ** (Math.min(...tries) - 1)) * (0.75 + luck / 2);
}

function soldOutNow(failures: readonly LaunchFailure[]): Placement[] {
  const failed = failures.filter(({ kind }) => kind === 'sold-out').map(({ placement }) => placement);
  return failed.filter((placement, index) => failed.findIndex((other) => same(other, placement)) === index);
}

export interface PlacementChoice {
  /** Placements to try, in the configured order. */
  readonly order: readonly PricedPlacement[];
  /** Most launches now: one where this only probes a placement that was sold out. */
  readonly most: number;
}

/** Where to launch now. All sold out: one probe when it is due, in the order in which they failed. */
export function choosePlacements(
  placements: readonly PricedPlacement[],
  { soldOut, soldOutProbeAt = 0 }: Pick<PolicyState, 'soldOut' | 'soldOutProbeAt'>,
  now: number,
): PlacementChoice {
  const open = placements.filter((placement) => penaltyOf(placement, soldOut, now) === undefined);
  if (open.length > 0) return { order: open, most: Infinity };
  const until = (placement: Placement): number => penaltyOf(placement, soldOut, now)?.until ?? 0;
  return {
    order: placements.toSorted((a, b) => until(a) - until(b)),
    most: now >= soldOutProbeAt ? 1 : 0,
  };
}

/** Whether nothing is left to launch in, as far as is known. */
export function allSoldOut(
  placements: readonly PricedPlacement[],
  { soldOut }: Pick<PolicyState, 'soldOut'>,
  now: number,
): boolean {
  return placements.every((placement) => penaltyOf(placement, soldOut, now) !== undefined);
}

function penaltyOf(placement: Placement, memory: readonly SoldOut[], now: number): SoldOut | undefined {
  return memory.find((entry) => same(entry, placement) && now < entry.until);
}
