import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startCloud } from '../cloud';
import { BenchStack } from '../engine/stack';
import { configureWorkers, type Shape } from '../engine/workers';
import { measureReactions, type Reaction } from './reaction';

export interface ReactionBenchmark {
  sizes: readonly number[];
  /** Times that each size is measured. */
  runs: number;
  progress: (line: string) => void;
}

/** Everything that a real worker has. */
const SHAPE: Shape = { name: 'complete', privateNetwork: true, spread: true, record: true };

/** Fast polls: actions end at once here, so that the engine is measured and not the vendor. */
const PROVIDER = { 'hcloud:pollInterval': '100ms', 'hcloud:pollFunction': 'constant' };

/** Measures how soon the warm service asks for a server, and how long its updates take, by size of the stack. */
export async function benchmarkReaction({ sizes, runs, progress }: ReactionBenchmark): Promise<Reaction[]> {
  const folder = mkdtempSync(join(tmpdir(), 'worker-pools-bench-'));
  const remove = (): void => rmSync(folder, { recursive: true, force: true });
  process.on('exit', remove);
  const cloud = await startCloud(folder, { durationFactor: 0, clockRate: 1 });
  try {
    const reactions: Reaction[] = [];
    for (const size of sizes) {
      await cloud.reset();
      const stack = await BenchStack.create(folder, cloud);
      configureWorkers(stack, SHAPE, 0, PROVIDER);
      reactions.push(await measureReactions(stack.place, cloud, { size, runs, progress }));
    }
    return reactions;
  } finally {
    await cloud.stop();
    process.off('exit', remove);
    remove();
  }
}
