import { setTimeout as sleep } from 'node:timers/promises';
import type { AdminClient } from '../automation/commands/admin-client';
import type { CloudClock } from './cloud-clock';
import {
  addJobs,
  countHetznerCalls,
  type FleetReport,
  type JobsReport,
  readFleet,
  readJobs,
} from './control';
import { STACK } from './engine';
import { type Scene, sceneOf } from './scene';
import type { Arrival } from './story';

/** The pool that the jobs are for. */
export const POOL = 'ci';
/** Real milliseconds between two looks. */
const LOOK_MS = 250;
/** Real milliseconds after which something is wrong: several times what a slow machine needs. */
const PATIENCE_MS = 600_000;
/** More than a story has. */
const AUDIT_LIMIT = '500';

/** How it went. */
export interface Outcome {
  jobs: JobsReport;
  fleet: FleetReport;
  /** Seconds that a job may wait. */
  target: number;
  /** Calls that Hetzner got in that time. */
  calls: number;
  /** Seconds on the cloud's clock. */
  seconds: number;
}

export interface Stage {
  control: string;
  client: Pick<AdminClient, 'status' | 'audit'>;
  /** The local cloud's time, read anew before each look: its rate changes. */
  readClock: () => Promise<Pick<CloudClock, 'now'>>;
  show: (scene: Scene) => void;
  signal: AbortSignal;
}

/**
 * Puts each job into the queue when its time has come, and looks on until all are done and the pool is empty again.
 * @throws Error when it takes too long; the signal's reason
 */
export async function play(arrivals: readonly Arrival[], stage: Stage): Promise<Outcome> {
  const { control, signal } = stage;
  const began = (await stage.readClock()).now();
  const callsBefore = await countHetznerCalls(control);
  const deadline = performance.now() + PATIENCE_MS;
  let added = 0;
  for (;;) {
    const now = (await stage.readClock()).now();
    const due = arrivals.slice(added).filter(({ at }) => began + at <= now);
    if (due.length > 0) await addJobs(control, POOL, due);
    added += due.length;

    const { scene, jobs, fleet } = await look(stage, began, arrivals.length);
    if (scene) stage.show(scene);
    const over = added === arrivals.length && jobs.done === added && fleet.alive === 0;
    // The servers are gone before the update that removes them has ended, and before the service has told of it.
    if (scene && over && scene.workers.length === 0 && !scene.updating) {
      const calls = (await countHetznerCalls(control)) - callsBefore;
      return { jobs, fleet, target: scene.target, calls, seconds: scene.elapsed };
    }
    if (performance.now() > deadline)
      throw new Error(
        `after ten minutes ${jobs.done} of ${added} jobs are done and ${fleet.alive} servers are there`,
      );
    await sleep(LOOK_MS, undefined, { signal });
  }
}

/** The scene is missing until the service has made its first round. */
async function look(
  { control, client, readClock }: Stage,
  began: number,
  all: number,
): Promise<{ scene?: Scene; jobs: JobsReport; fleet: FleetReport }> {
  const [jobs, fleet, { status }, audit, clock] = await Promise.all([
    readJobs(control, POOL),
    readFleet(control, POOL),
    client.status(STACK),
    client.audit(STACK, { limit: AUDIT_LIMIT }),
    readClock(),
  ]);
  if (!status?.pools[POOL]) return { jobs, fleet };
  return { scene: sceneOf(POOL, { now: clock.now(), began, all, jobs, fleet, status, audit }), jobs, fleet };
}
