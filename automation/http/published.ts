import { stackStatusSchema, STATUS_KEY, type StackStatus } from '../status';
import type { Memory } from '../registry/types';

/** What the leader last published; undefined before its first tick, or where an older version wrote something else. */
export type ReadStatus = (environment: string) => Promise<StackStatus | undefined>;

export function statusReader(memory: Memory): ReadStatus {
  return async (environment) => stackStatusSchema.safeParse(await memory.get(environment, STATUS_KEY)).data;
}
