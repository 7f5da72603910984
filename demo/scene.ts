import type { AuditLine } from '../automation/commands/admin-client';
import type { StackStatus } from '../automation/status';
import type { FleetReport, JobsReport } from './control';

/** Everything that is to be seen of a pool at one moment. */
export interface Scene {
  /** Seconds since 1970, on the cloud's clock. */
  now: number;
  /** Seconds since the story began. */
  elapsed: number;
  jobs: JobsReport & { all: number };
  /** Seconds that a job may wait. */
  target: number;
  workers: WorkerState[];
  /** Servers that are no workers: those that the engine is making or deleting. */
  changing: number;
  /** EUR gross. */
  hourly: number;
  spent: number;
  /** The engine is at work for the service. */
  updating: boolean;
  /** What the service decided and did lately, newest last. */
  events: { at: number; text: string }[];
  alarms: string[];
}

export type WorkerState = 'busy' | 'idle' | 'booting' | 'draining' | 'silent';

export interface Facts {
  now: number;
  began: number;
  all: number;
  jobs: JobsReport;
  fleet: FleetReport;
  status: StackStatus;
  audit: readonly AuditLine[];
}

/** @param pool the one that the story is about; it is in the status */
export function sceneOf(pool: string, { now, began, all, jobs, fleet, status, audit }: Facts): Scene {
  const { workers, targetWait, hourly } = status.pools[pool]!;
  const states = workers.toSorted((a, b) => a.id.localeCompare(b.id)).map(stateOf);
  return {
    now,
    elapsed: now - began,
    jobs: { ...jobs, all },
    target: targetWait,
    workers: states,
    changing: Math.max(0, fleet.alive - states.length),
    hourly,
    spent: fleet.gross,
    updating: status.update.runningSince !== undefined,
    events: audit
      .filter((entry) => entry.at >= began && entry.kind !== 'leadership' && (entry.pool ?? pool) === pool)
      .toSorted((a, b) => a.id - b.id)
      .map(({ at, summary }) => ({ at, text: summary })),
    alarms: status.alarms.map(({ message }) => message),
  };
}

function stateOf({ status, busy }: StackStatus['pools'][string]['workers'][number]): WorkerState {
  if (status === 'ready') return busy > 0 ? 'busy' : 'idle';
  return status === 'lost' ? 'silent' : status;
}
