import type { WorkerView } from '../observe/types';
import { isBusy } from './members';
import type { StackParameters } from './stack-parameters';
import type { Alarm, StackObservation } from './stack-types';

/** What the workers' silence means. */
export interface Health {
  /** Why the silence is rather ours than theirs: no worker is given up for it. */
  readonly suspicion?: string;
  /** Silent workers that are taken for what they last said, while nothing shows that they do not work. */
  readonly presumedAlive: ReadonlySet<string>;
  readonly alarms: readonly Alarm[];
}

/** A server that is listed as gone but spoke this lately is there after all, seconds. */
const SPOKE_LATELY = 60;

/**
 * Judges silence over the whole stack. When half of the workers fall silent at once, or this process has only just
 * begun to listen, the fault is rather on the way to us: to replace them all would double the bill, or end jobs.
 * @param late pools whose jobs wait too long, which shows that their silent workers do not take them
 */
export function judgeSilence(
  { now, pools, listeningSince }: StackObservation,
  late: ReadonlySet<string>,
  parameters: StackParameters,
): Health {
  const known = Object.values(pools).flatMap(({ workers }) =>
    workers.filter(({ status }) => status !== 'booting' && status !== 'lost'),
  );
  const silent = known.filter(({ status }) => status === 'silent');
  const listened = now - listeningSince;
  const share = `${silent.length} of ${known.length} workers are silent`;
  const heardLong = listened >= parameters.listening;
  const many = silent.length >= 2 && 2 * silent.length >= known.length;
  const suspected = silent.length > 0 && (many || !heardLong);
  const tooEarly = silent.some((worker) => {
    const limit = patience(worker, parameters);
    return silence(worker, now) > limit && listened <= limit;
  });
  return {
    ...(suspected ? { suspicion: many ? `${share} at once` : share } : {}),
    presumedAlive: new Set(suspected ? silent.filter(({ pool }) => !late.has(pool)).map(({ id }) => id) : []),
    alarms:
      heardLong && (many || tooEarly)
        ? [
            {
              code: 'workers-silent',
              severity: 'critical',
              message: many
                ? `${share} at once; none of them is replaced`
                : `${share}; this service listens only for ${Math.round(listened)} s and waits before it replaces any`,
              next: "check that workers reach the service's worker API (address, certificate, firewall); those that are really broken can be removed at the vendor",
            },
          ]
        : [],
  };
}

/** Members that are given up: gone by the vendor's word, or silent for long; of the latter one a tick. */
export function givenUp(
  workers: readonly WorkerView[],
  { now, listeningSince }: StackObservation,
  { suspicion }: Health,
  parameters: StackParameters,
): { worker: WorkerView; reason: string }[] {
  const lost = workers
    .filter(({ status, registered }) => status === 'lost' && now - (registered?.seenAt ?? 0) > SPOKE_LATELY)
    .map((worker) => ({
      worker,
      reason: worker.server === undefined ? 'it has no server' : `its server is ${worker.server.status}`,
    }));
  if (suspicion !== undefined) return lost;
  const silent = workers
    .filter((worker) => {
      const limit = patience(worker, parameters);
      return worker.status === 'silent' && silence(worker, now) > limit && now - listeningSince > limit;
    })
    .toSorted((a, b) => silence(b, now) - silence(a, now))
    .slice(0, 1)
    .map((worker) => ({ worker, reason: `silent for ${Math.round(silence(worker, now))} s` }));
  return [...lost, ...silent];
}

function silence({ registered, created }: WorkerView, now: number): number {
  return now - (registered?.seenAt ?? created);
}

/** One that this registry has never heard of may run a job. */
function patience(worker: WorkerView, { silence: { idle, busy } }: StackParameters): number {
  return worker.registered === undefined || isBusy(worker) ? busy : idle;
}
