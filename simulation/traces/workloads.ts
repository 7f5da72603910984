import { didYouMean } from '../../components/model/near-matches';
import type { Trace } from '../types';
import { periodicArrivals, poissonArrivals, switchingArrivals } from './arrivals';
import { boundedPareto, exponential, geometric, lognormal, type Random, randomStream } from './random';

const MINUTE = 60;
const HOUR = 3600;
const DAY = 86_400;

/** Arrivals in any order, and how long each job runs; both in seconds. */
interface Workload {
  readonly about: string;
  arrivals(random: Random, horizon: number): number[];
  service(random: Random): number;
}

/** Mean of the lognormal service times with median 60 s and sigma 1: what turns offered servers into a rate. */
const SHORT_MEAN = 60 * Math.exp(0.5);
const short = (random: Random): number => lognormal(random, 60, 1);
const regular = (random: Random): number => lognormal(random, 60, 0.5);
const build = (random: Random): number => lognormal(random, 240, 0.9);

/** Days 5 and 6 of each week are its end; traces start on a Monday at midnight. */
const isWeekend = (at: number): boolean => Math.floor(at / DAY) % 7 >= 5;
const constant = (rate: number) => (random: Random, horizon: number) =>
  poissonArrivals(random, horizon, () => rate, rate);

const diurnal = (at: number): number =>
  (5 / SHORT_MEAN) * (1 - 0.9 * Math.cos((2 * Math.PI * at) / DAY)) * (isWeekend(at) ? 0.3 : 1);

/** Offered servers of a crowd that comes within five minutes and loses interest over twenty. */
const crowd = (since: number): number => {
  if (since < 0) return 0;
  if (since < 5 * MINUTE) return (30 * since) / (5 * MINUTE);
  return 30 * Math.exp(-(since - 5 * MINUTE) / (20 * MINUTE));
};

/** Pushes in working hours, each a batch of jobs. */
function pushes(random: Random, horizon: number): number[] {
  const rate = 9 / HOUR;
  const atWork = (at: number): boolean => !isWeekend(at) && at % DAY >= 8 * HOUR && at % DAY < 19 * HOUR;
  return poissonArrivals(random, horizon, (at) => (atWork(at) ? rate : 0), rate).flatMap((at) =>
    new Array<number>(Math.min(20, geometric(random, 0.22))).fill(at),
  );
}

function flash(random: Random, horizon: number): number[] {
  const starts: number[] = [];
  for (let day = 0; day < horizon; day += DAY) starts.push(day + random() * DAY, day + random() * DAY);
  const offered = (at: number): number => 1.5 + starts.reduce((sum, start) => sum + crowd(at - start), 0);
  return poissonArrivals(random, horizon, (at) => offered(at) / SHORT_MEAN, 62 / SHORT_MEAN);
}

/** The shapes of load that the policy is developed with. One set of parameters has to do for all of them. */
export const DEVELOPMENT_WORKLOADS = {
  steady: {
    about: 'Poisson, five servers busy on average',
    arrivals: constant(5 / 120),
    service: (random) => exponential(random, 120),
  },
  diurnal: {
    about: 'a day that swings between half a server and 9.5',
    arrivals: (random, horizon) => poissonArrivals(random, horizon, diurnal, 9.5 / SHORT_MEAN),
    service: short,
  },
  mmpp: {
    about: 'quiet for 90 min on average, then 20 times as much for 15 min',
    arrivals: (random, horizon) =>
      switchingArrivals(random, horizon, [
        { rate: 0.7 / SHORT_MEAN, sojourn: 90 * MINUTE },
        { rate: 15 / SHORT_MEAN, sojourn: 15 * MINUTE },
      ]),
    service: short,
  },
  ci: {
    about: 'nine pushes an hour from 8 to 19, each up to 20 jobs at once',
    arrivals: pushes,
    service: build,
  },
  cron: {
    about: '60 jobs at each full hour over a little background',
    arrivals: (random, horizon) => [
      ...periodicArrivals(random, horizon, { period: HOUR, count: 60, jitter: 20 }),
      ...constant(0.5 / 68)(random, horizon),
    ],
    service: regular,
  },
  sparse: {
    about: 'a job every 90 min',
    arrivals: constant(1 / (90 * MINUTE)),
    service: (random) => lognormal(random, 300, 0.8),
  },
  flash: { about: 'two crowds a day, each of 30 servers, over 1.5', arrivals: flash, service: short },
  heavy: {
    about: 'a job a minute, from seconds to three hours',
    arrivals: constant(1 / MINUTE),
    service: (random) => boundedPareto(random, 1.1, 15, 3 * HOUR),
  },
} satisfies Record<string, Workload>;

/** Shapes that no parameter was chosen with: they show whether the rest was learnt by heart. */
export const CONTROL_WORKLOADS = {
  'cron-5': {
    about: 'six jobs every five minutes',
    arrivals: (random, horizon) =>
      periodicArrivals(random, horizon, { period: 5 * MINUTE, count: 6, jitter: 10 }),
    service: regular,
  },
  nightly: {
    about: '200 jobs at 02:00 over a little background',
    arrivals: (random, horizon) => [
      ...periodicArrivals(random, horizon, { period: DAY, offset: 2 * HOUR, count: 200, jitter: 60 }),
      ...constant(0.3 / SHORT_MEAN)(random, horizon),
    ],
    service: short,
  },
  staircase: {
    about: 'one server more every two hours, up to twelve',
    arrivals: (random, horizon) => {
      const rate = (at: number): number => (1 + Math.floor((at % DAY) / (2 * HOUR))) / SHORT_MEAN;
      return poissonArrivals(random, horizon, rate, 12 / SHORT_MEAN);
    },
    service: short,
  },
} satisfies Record<string, Workload>;

const WORKLOADS: Record<string, Workload> = { ...DEVELOPMENT_WORKLOADS, ...CONTROL_WORKLOADS };

export function workloadNames(): string[] {
  return Object.keys(WORKLOADS);
}

/**
 * The same name, seed and number of days give the same trace everywhere: times are rounded to a millisecond,
 * which is wider than the differences between mathematics libraries.
 * @throws RangeError for a name that is none
 */
export function generateTrace(name: string, seed: number, days = 1): Trace {
  const workload = Object.hasOwn(WORKLOADS, name) ? WORKLOADS[name] : undefined;
  if (!workload) {
    const known = workloadNames();
    throw new RangeError(
      `there is no workload "${name}".${didYouMean(name, known)} There are ${known.join(', ')}.`,
    );
  }
  const horizon = days * DAY;
  const arrivals = workload.arrivals(randomStream(seed, name, 'arrivals'), horizon);
  const random = randomStream(seed, name, 'service');
  const jobs = arrivals
    .map(milliseconds)
    .sort((a, b) => a - b)
    .map((arrival) => ({ arrival, service: Math.max(0.001, milliseconds(workload.service(random))) }));
  return { jobs, horizon };
}

function milliseconds(value: number): number {
  return Math.round(value * 1000) / 1000;
}
