import { setImmediate as turn } from 'node:timers/promises';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

/** Bytes that a process holds. */
export interface Memory {
  /** Objects of JavaScript. */
  readonly heap: number;
  /** Buffers and the embedded database, outside of the heap. */
  readonly external: number;
  /** All that the process has in memory, with what it has freed and not given back. */
  readonly resident: number;
}

setFlagsFromString('--expose-gc');
const collect = runInNewContext('gc') as () => void;

/** Twice: what the first one finalizes only the second one frees. */
export async function collectGarbage(): Promise<void> {
  collect();
  await turn();
  collect();
}

export function memoryNow(): Memory {
  const { heapUsed, external, rss } = process.memoryUsage();
  return { heap: heapUsed, external, resident: rss };
}
