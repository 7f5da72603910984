/**
 * The sandbox's clock. Everything in the local cloud that has a time reads it here, so that a test can
 * run a day in a second or step through it.
 *
 * - `real`: virtual time is wall time multiplied by `rate` (1 = as the vendors have it).
 * - `stepped`: virtual time stands still until `advance` is called.
 */
export type ClockMode = { kind: 'real'; rate: number } | { kind: 'stepped' };

export interface Clock {
  /** Virtual milliseconds since the epoch. */
  now(): number;
  readonly mode: ClockMode;
  /** Wall milliseconds until virtual time `at`; undefined when only `advance` can get there. */
  wallDelay(at: number): number | undefined;
  /** Moves virtual time forward to `at`; never backward. */
  moveTo(at: number): void;
  setMode(mode: ClockMode): void;
  /** Sets virtual time, also backward: for a restored snapshot only. */
  restore(at: number): void;
}

/** Creates a clock that starts at `startAt` (virtual milliseconds); `wall` is the time source, injected for tests. */
export function createClock(
  mode: ClockMode,
  startAt: number = Date.now(),
  wall: () => number = Date.now,
): Clock {
  let current = mode;
  let virtualBase = startAt;
  let wallBase = wall();
  const now = (): number =>
    current.kind === 'real' ? Math.floor(virtualBase + (wall() - wallBase) * current.rate) : virtualBase;
  const rebase = (at: number): void => {
    virtualBase = at;
    wallBase = wall();
  };
  return {
    now,
    get mode() {
      return current;
    },
    wallDelay: (at) => (current.kind === 'real' ? Math.max(0, (at - now()) / current.rate) : undefined),
    moveTo: (at) => rebase(Math.max(at, now())),
    setMode: (next) => {
      rebase(now());
      current = next;
    },
    restore: rebase,
  };
}
