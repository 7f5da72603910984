import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startCloud, type Cloud } from '../cloud';
import type { Table } from '../report/table';
import { callTables, CLOCK_RATE, countCalls } from './calls';
import type { BenchStack } from './stack';
import { measureState, stateTables, type StateSize } from './state';
import { timeRuns, timeTables, type Mode, type Times } from './times';

export interface EngineBenchmark {
  sizes: number[];
  /** Times that each size is gone through; fewer for larger ones where it is not given. */
  runs: number | undefined;
  progress: (line: string) => void;
}

/** Measures calls, times and state of the program on the real engine. */
export async function benchmarkEngine({ sizes, runs, progress }: EngineBenchmark): Promise<Table[]> {
  const folder = mkdtempSync(join(tmpdir(), 'worker-pools-bench-'));
  const remove = (): void => rmSync(folder, { recursive: true, force: true });
  process.on('exit', remove);
  try {
    const calls = await withCloud(folder, { durationFactor: 1, clockRate: CLOCK_RATE }, (cloud) =>
      countCalls(folder, cloud, progress),
    );
    const { times, states } = await withCloud(folder, { durationFactor: 0, clockRate: 1 }, (cloud) =>
      measureSizes(folder, cloud, sizes, runs, progress),
    );
    return [...callTables(calls), ...timeTables(times), ...stateTables(states)];
  } finally {
    process.off('exit', remove);
    remove();
  }
}

const MODES: readonly Mode[] = ['cold', 'inline'];

async function measureSizes(
  folder: string,
  cloud: Cloud,
  sizes: readonly number[],
  runs: number | undefined,
  progress: (line: string) => void,
): Promise<{ times: Times[]; states: StateSize[] }> {
  progress('one worker first, so that nothing is measured that happens once in a process');
  await timeRuns(folder, cloud, { size: 1, mode: 'inline', runs: 1 }, () => undefined);
  const times: Times[] = [];
  const states = new Map<number, StateSize>();
  for (const size of sizes) {
    const inspect = async (stack: BenchStack): Promise<void> => {
      if (!states.has(size)) states.set(size, await measureState(folder, cloud, stack, size));
    };
    for (const mode of MODES) {
      const plan = { size, mode, runs: runs ?? runsFor(size), inspect };
      times.push(await timeRuns(folder, cloud, plan, progress));
    }
  }
  return { times, states: [...states.values()] };
}

/** So that the whole stays under a quarter of an hour. */
function runsFor(size: number): number {
  return size <= 100 ? 3 : 1;
}

async function withCloud<T>(
  folder: string,
  pace: { durationFactor: number; clockRate: number },
  use: (cloud: Cloud) => Promise<T>,
): Promise<T> {
  const cloud = await startCloud(folder, pace);
  try {
    return await use(cloud);
  } finally {
    await cloud.stop();
  }
}
