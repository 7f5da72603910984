import type { JobHost } from '../kernel/lifecycle';

/** Everything that the queue remembers; plain data, so that a snapshot can keep it. Times are virtual milliseconds. */
export interface JobsState {
  /** Ids given so far. */
  lastId: number;
  /** All ids ever used. */
  ids: Record<string, true>;
  pools: Record<string, PoolState>;
  /** Machines that take jobs, the one that came up first in front. */
  hosts: Host[];
}

export interface Job {
  id: string;
  seconds: number;
  addedAt: number;
}

export interface RunningJob extends Job {
  startedAt: number;
  serverId: number;
}

export interface PoolState {
  /** Next one first. */
  waiting: Job[];
  /** By id. */
  running: Record<string, RunningJob>;
  done: number;
  /** Seconds that each finished job had waited. */
  waits: number[];
  lost: number;
  abandoned: number;
}

export interface Host extends JobHost {
  draining: boolean;
  hung: boolean;
}

export const emptyJobs = (): JobsState => ({ lastId: 0, ids: {}, pools: {}, hosts: [] });

export const emptyPool = (): PoolState => ({
  waiting: [],
  running: {},
  done: 0,
  waits: [],
  lost: 0,
  abandoned: 0,
});
