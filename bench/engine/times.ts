import type { Membership } from '../../components/model/membership';
import type { Cloud } from '../cloud';
import { seconds, spread } from '../report/statistics';
import type { Table } from '../report/table';
import { BenchStack } from './stack';
import { configureWorkers, resized, type Shape } from './workers';

/** Workers as most pools have them. */
export const SHAPE: Shape = { name: 'group', privateNetwork: false, spread: true, record: false };

export const OPERATIONS = ['create all', 'no-op', '+1', '−1', '+20'] as const;
export type Operation = (typeof OPERATIONS)[number];
export type Mode = 'cold' | 'inline';

/** How the size changes with each operation, from `size` workers. */
const STEPS: readonly { operation: Operation; change: number }[] = [
  { operation: 'no-op', change: 0 },
  { operation: '+1', change: 1 },
  { operation: '−1', change: -1 },
  { operation: '+20', change: 20 },
];

/** Milliseconds of every measurement, in order. */
export interface Times {
  size: number;
  mode: Mode;
  durations: Record<Operation, number[]>;
  /** From the call of `up()` until Hetzner is asked for the new server, inline only. */
  firstPost: number[];
}

/** Fast polls: actions end at once here, so that the engine is measured and not the vendor. */
export const PROVIDER = { 'hcloud:pollInterval': '100ms', 'hcloud:pollFunction': 'constant' };

export interface TimedRuns {
  size: number;
  mode: Mode;
  runs: number;
  /** Looks at each stack when all its workers are there; not part of the measured time. */
  inspect?: (stack: BenchStack) => Promise<void>;
}

/** Goes through all operations `runs` times, each time on a stack of its own. */
export async function timeRuns(
  folder: string,
  cloud: Cloud,
  { size, mode, runs, inspect }: TimedRuns,
  progress: (line: string) => void,
): Promise<Times> {
  const times: Times = {
    size,
    mode,
    durations: { 'create all': [], 'no-op': [], '+1': [], '−1': [], '+20': [] },
    firstPost: [],
  };
  for (let run = 1; run <= runs; run += 1) {
    await cloud.reset();
    const stack = await BenchStack.create(folder, cloud);
    const up = await updater(stack, mode);
    const measure = async (operation: Operation, change: number): Promise<void> => {
      await cloud.clearRequests();
      const started = Date.now();
      await up(change);
      const took = Date.now() - started;
      times.durations[operation].push(took);
      if (mode === 'inline' && operation === '+1') times.firstPost.push((await firstServer(cloud)) - started);
      progress(`${mode}, ${size} workers, run ${run} of ${runs}: ${operation} ${(took / 1000).toFixed(1)} s`);
    };
    await measure('create all', size);
    await inspect?.(stack);
    for (const { operation, change } of STEPS) await measure(operation, change);
  }
  return times;
}

/** Changes the size by running the command line with another file, or the program here with another membership. */
async function updater(stack: BenchStack, mode: Mode): Promise<(change: number) => Promise<void>> {
  let size = 0;
  let membership: Membership = {};
  configureWorkers(stack, SHAPE, size, PROVIDER);
  if (mode === 'inline') await stack.openInline();
  return async (change) => {
    size += change;
    if (mode === 'inline') {
      membership = resized(membership, change, SHAPE, new Date());
      await stack.upInline(membership);
    } else {
      configureWorkers(stack, SHAPE, size, PROVIDER);
      await stack.up();
    }
  };
}

/** Milliseconds since the epoch. */
async function firstServer(cloud: Cloud): Promise<number> {
  const request = (await cloud.requests()).find(
    ({ method, path }) => method === 'POST' && path === '/v1/servers',
  );
  if (!request) throw new Error('nobody asked Hetzner for a server');
  return Date.parse(request.wallTime);
}

/** Times by size, and how the reaction grows with the stack. */
export function timeTables(results: readonly Times[]): Table[] {
  const inline = results.filter(({ mode }) => mode === 'inline');
  const smallest = inline[0];
  return [
    {
      title: 'Time of an update',
      note: 'Median (fastest–slowest). The local cloud’s actions end at once, so this is the engine without the vendor. "Cold" is the command line, one process after another; "inline" is the same program called by a process that stays. Each worker: tailnet key, server, a tenth of a placement group.',
      head: ['workers', 'how', 'runs', ...OPERATIONS],
      rows: results.map(({ size, mode, durations }) => [
        String(size),
        mode,
        String(durations['create all'].length),
        ...OPERATIONS.map((operation) => seconds(durations[operation])),
      ]),
    },
    {
      title: 'Reaction, inline',
      note: 'How long after calling `up()` Hetzner is asked for the new server, and how +1 grows with the stack.',
      head: [
        'workers',
        'until POST /servers',
        'until up() returns',
        `+1 against ${smallest?.size ?? 0} workers`,
      ],
      rows: inline.map(({ size, durations, firstPost }) => [
        String(size),
        seconds(firstPost),
        seconds(durations['+1']),
        `${(spread(durations['+1']).median / spread(smallest!.durations['+1']).median).toFixed(2)} ×`,
      ]),
    },
  ];
}
