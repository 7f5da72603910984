import type { WorkerView } from '../observe/types';
import type { WorkerObservation } from './types';

/** A pool's members by what they are to a decision. All of them count against the greatest size until they are gone. */
export interface Members {
  /** Boot, are ready, or drain only for as long as the policy says so. */
  readonly serving: readonly WorkerView[];
  /** Drain for good: neither capacity nor in the way of any. */
  readonly leaving: readonly WorkerView[];
  /** Silent or lost. */
  readonly away: readonly WorkerView[];
}

/** @param presumedAlive silent workers that are taken for what they last said */
export function membersOf(workers: readonly WorkerView[], presumedAlive: ReadonlySet<string>): Members {
  const away = workers.filter(
    ({ id, status }) => status === 'lost' || (status === 'silent' && !presumedAlive.has(id)),
  );
  const present = workers.filter((worker) => !away.includes(worker));
  return {
    serving: present.filter((worker) => !isLeaving(worker)),
    leaving: present.filter(isLeaving),
    away,
  };
}

const isDraining = ({ status, registered }: WorkerView): boolean =>
  status === 'draining' || registered?.drain !== undefined;

const isLeaving = (worker: WorkerView): boolean =>
  isDraining(worker) && worker.registered?.drain?.cause !== 'policy';

/** Takes jobs now. */
export function isReady(worker: WorkerView): boolean {
  return worker.status !== 'booting' && !isDraining(worker);
}

export function isBusy({ registered }: WorkerView): boolean {
  return registered !== undefined && (registered.busy > 0 || registered.running.length > 0);
}

/** What the policy sees of a worker that serves. */
export function observationOf(worker: WorkerView): WorkerObservation {
  const { id, member, status, created, bootingSince, failedStep, registered } = worker;
  return {
    id,
    serverType: member.serverType,
    location: member.location,
    created,
    ...(bootingSince === undefined ? {} : { bootingSince }),
    ...(failedStep === undefined ? {} : { failedStep }),
    state: status === 'booting' ? 'booting' : isDraining(worker) ? 'draining' : 'ready',
    running: registered?.running ?? [],
  };
}
