import type { Log } from '../log';
import type { StackStatus } from '../status';
import type { ReadStatus } from './published';
import type { ServedStacks } from './stacks';

/** One pool at one time. */
export interface HistoryPoint {
  /** Seconds since 1970. */
  readonly at: number;
  /** Absent where the queue could not be read. */
  readonly waiting?: number;
  readonly workers: number;
  readonly desired: number;
}

export interface History {
  /** By pool, oldest first. */
  of(environment: string): Record<string, readonly HistoryPoint[]>;
  stop(): void;
}

interface HistoryArgs {
  readonly stacks: ServedStacks;
  readonly status: ReadStatus;
  readonly log: Log;
}

/** Milliseconds between looks at what was published. */
const LOOK = 2000;
/** Seconds between points, and back to the oldest: an hour in at most 240 points. */
const STEP = 15;
const SPAN = 3600;

/** The last hour of every pool, in memory: what the page draws. Gone with the process, as metrics are there for more. */
export function keepHistory({ stacks, status, log }: HistoryArgs): History {
  const points = new Map<string, Record<string, readonly HistoryPoint[]>>();
  const look = async (): Promise<void> => {
    for (const environment of stacks().keys()) {
      const published = await status(environment);
      if (published) points.set(environment, withStatus(points.get(environment) ?? {}, published));
    }
  };
  const logged = (): void => void look().catch((error: unknown) => log.debug('history-not-read', { error }));
  logged();
  const timer = setInterval(logged, LOOK);
  return { of: (environment) => points.get(environment) ?? {}, stop: () => clearInterval(timer) };
}

/** The history with one status more: pools that are gone leave it, and so does what is older than an hour. */
export function withStatus(
  history: Record<string, readonly HistoryPoint[]>,
  { at, pools }: StackStatus,
): Record<string, readonly HistoryPoint[]> {
  return Object.fromEntries(
    Object.entries(pools).map(([pool, { queue, workers, desired }]) => {
      const known = (history[pool] ?? []).filter((point) => point.at > at - SPAN);
      const last = known.at(-1);
      if (last && at < last.at + STEP) return [pool, known];
      const waiting = queue?.error === undefined ? queue?.waiting : undefined;
      const point = { at, ...(waiting === undefined ? {} : { waiting }), workers: workers.length, desired };
      return [pool, [...known, point]];
    }),
  );
}
