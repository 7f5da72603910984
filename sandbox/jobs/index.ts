import type { JobHost, Work } from '../kernel/lifecycle';
import type { Kernel } from '../kernel/vendor';
import { type PoolReport, poolReport } from './report';
import { emptyJobs, emptyPool, type Host, type JobsState, type PoolState, type RunningJob } from './state';

export type { PoolReport };

/** A job to be added; how long it takes in virtual seconds. */
export interface NewJob {
  /** `job-1`, `job-2`, … when left out. */
  id?: string | undefined;
  seconds: number;
}

/** The tenant's queue, one line of jobs per pool, and what the machines do with it. */
export interface Jobs extends Work {
  /** Puts jobs at the end of the pool's line; free places take them at once. @throws DuplicateJobError, and nothing is added */
  add(pool: string, jobs: NewJob[]): void;
  /** By pool, of all that ever had a job or a machine. */
  report(): Record<string, PoolReport>;
  /** Of one pool; of one that the queue has never heard of, an empty one. */
  poolReport(pool: string): PoolReport;
  snapshot(): unknown;
  restore(data: unknown): void;
  reset(): void;
}

export class DuplicateJobError extends Error {
  override name = 'DuplicateJobError';
}

const END = 'jobs.end';

export function createJobs(kernel: Kernel): Jobs {
  return new TenantQueue(kernel);
}

class TenantQueue implements Jobs {
  private state: JobsState = emptyJobs();

  constructor(private readonly kernel: Kernel) {
    kernel.schedule.on(END, (subject) => this.end(subject.slice(subjectOf('').length)));
  }

  add(pool: string, jobs: NewJob[]): void {
    this.kernel.schedule.runDue();
    const named = jobs.flatMap(({ id }) => id ?? []);
    const known = named.find((id, index) => this.isKnown(id) || named.indexOf(id) < index);
    if (known !== undefined)
      throw new DuplicateJobError(`there is a job "${known}" already; leave the id out to have one made`);
    const addedAt = this.kernel.clock.now();
    for (const { id, seconds } of jobs)
      this.poolNamed(pool).waiting.push({ id: this.newId(id), seconds, addedAt });
    this.handOut(pool);
  }

  report(): Record<string, PoolReport> {
    return Object.fromEntries(Object.keys(this.state.pools).map((pool) => [pool, this.poolReport(pool)]));
  }

  poolReport(pool: string): PoolReport {
    this.kernel.schedule.runDue();
    return poolReport(this.state.pools[pool] ?? emptyPool(), this.kernel.clock.now());
  }

  up(host: JobHost): void {
    this.state.hosts.push({ ...host, draining: false, hung: false });
    this.handOut(host.pool);
  }

  drain(serverId: number, draining: boolean): void {
    const host = this.host(serverId);
    if (!host || host.draining === draining) return;
    host.draining = draining;
    this.handOut(host.pool);
  }

  hung(serverId: number): void {
    const host = this.host(serverId);
    if (!host) return;
    host.hung = true;
    for (const job of this.jobsOn(host)) this.kernel.schedule.cancel(subjectOf(job.id), END);
  }

  down(serverId: number): void {
    const host = this.host(serverId);
    if (!host) return;
    this.state.hosts = this.state.hosts.filter((other) => other !== host);
    const pool = this.poolNamed(host.pool);
    const jobs = this.jobsOn(host);
    for (const { id, seconds, addedAt } of jobs.toReversed()) {
      this.kernel.schedule.cancel(subjectOf(id), END);
      delete pool.running[id];
      pool.waiting.unshift({ id, seconds, addedAt });
    }
    pool[host.hung ? 'abandoned' : 'lost'] += jobs.length;
    this.handOut(host.pool);
  }

  running(serverId: number): number[] {
    const host = this.host(serverId);
    return host ? this.jobsOn(host).map(({ startedAt }) => startedAt) : [];
  }

  snapshot(): unknown {
    return structuredClone(this.state);
  }

  restore(data: unknown): void {
    // A snapshot is this code's own data, read back from a file that only this program writes.
    this.state = structuredClone(data) as JobsState;
  }

  reset(): void {
    this.state = emptyJobs();
  }

  private end(id: string): void {
    for (const [name, pool] of Object.entries(this.state.pools)) {
      const job = pool.running[id];
      if (!job) continue;
      delete pool.running[id];
      pool.done++;
      pool.waits.push((job.startedAt - job.addedAt) / 1000);
      this.handOut(name);
    }
  }

  /** First come, first served; the machine that is up longest takes first. */
  private handOut(name: string): void {
    const pool = this.poolNamed(name);
    const now = this.kernel.clock.now();
    for (const host of this.state.hosts.filter((candidate) => candidate.pool === name)) {
      if (host.draining || host.hung) continue;
      for (let free = host.slots - this.jobsOn(host).length; free > 0; free--) {
        const job = pool.waiting.shift();
        if (!job) return;
        pool.running[job.id] = { ...job, startedAt: now, serverId: host.serverId };
        this.kernel.schedule.at(now + Math.round(job.seconds * 1000), END, subjectOf(job.id));
      }
    }
  }

  private jobsOn(host: Host): RunningJob[] {
    return Object.values(this.poolNamed(host.pool).running)
      .filter((job) => job.serverId === host.serverId)
      .sort((left, right) => left.startedAt - right.startedAt || left.addedAt - right.addedAt);
  }

  private host(serverId: number): Host | undefined {
    return this.state.hosts.find((host) => host.serverId === serverId);
  }

  private poolNamed(name: string): PoolState {
    return (this.state.pools[name] ??= emptyPool());
  }

  private newId(wanted: string | undefined): string {
    let id = wanted ?? '';
    if (wanted === undefined)
      do id = `job-${++this.state.lastId}`;
      while (this.isKnown(id));
    this.state.ids[id] = true;
    return id;
  }

  private isKnown(id: string): boolean {
    return Object.hasOwn(this.state.ids, id);
  }
}

/** Kept apart from other parts' subjects in the schedule. */
const subjectOf = (id: string): string => `job/${id}`;
