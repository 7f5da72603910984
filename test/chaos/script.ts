import type { Random } from '../../sandbox/kernel/random';

/** Seconds of virtual time since the day began. */
export interface Burst {
  readonly at: number;
  readonly pool: string;
  /** Seconds that each of its jobs takes. */
  readonly jobs: readonly number[];
}

/** Ways in which the service is killed. */
export const KILLS = [
  'in a round',
  'in an update',
  'as it starts',
  'as the intent is written',
  'as a server is asked for',
  'as a server is made',
  'as a server is about to be deleted',
] as const;

/** One SIGKILL: from `at` on, the next time that the service does what `moment` says. */
export interface Kill {
  readonly at: number;
  readonly moment: (typeof KILLS)[number];
  /** Real milliseconds from that moment on. */
  readonly delay: number;
  /** The engine dies with the service, as when the machine does; else it goes on by itself. */
  readonly withEngine: boolean;
  /** Until the service is started again, seconds. */
  readonly outage: number;
}

const HOUR = 3600;
const MINUTE = 60;

/** Hours at which jobs come; the fifth and the sixth are close, so that one begins while the other leaves. */
const BURSTS = [0.05, 2, 4.5, 7, 9, 10.1, 13, 16, 19, 21.5];

/** The jobs of a day's first hours, of a minute to forty each. A burst goes to every pool, to the later ones later. */
export function jobsOfDay(random: Random, pools: readonly string[], hours: number): Burst[] {
  return BURSTS.filter((hour) => hour < hours)
    .flatMap((hour) =>
      pools.map((pool, index) => ({
        at: Math.round(hour * HOUR + index * random.between(0, 40 * MINUTE)),
        pool,
        jobs: Array.from({ length: Math.floor(random.between(3, 16)) }, () =>
          Math.round(random.between(1, random.next() < 0.25 ? 40 : 8) * MINUTE),
        ),
      })),
    )
    .sort((left, right) => left.at - right.at);
}

/** So many kills, spread over the hours in which there is something to kill. */
export function killsOfDay(random: Random, count: number, bursts: readonly Burst[]): Kill[] {
  const pick = <T>(items: readonly T[]): T => items[Math.floor(random.next() * items.length)]!;
  return Array.from({ length: count }, () => ({
    at: pick(bursts).at + Math.round(random.between(0, random.next() < 0.5 ? 15 * MINUTE : 90 * MINUTE)),
    moment: pick(KILLS),
    delay: random.next() < 0.3 ? 0 : random.between(0, 3000),
    withEngine: random.next() < 0.25,
    outage: pick([0, 0, 0, 20, 60, 300, 1200]),
  })).sort((left, right) => left.at - right.at);
}
