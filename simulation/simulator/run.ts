import type { LaunchFailure, Observation, QueueObservation } from '../../automation/decide/types';
import type { Commands, Outcome, PolicyRun, Scenario, Trace } from '../types';
import { Agenda } from './agenda';
import { ApiBucket } from './api-bucket';
import { Fifo } from './fifo';
import { Fleet, type Server } from './fleet';
import { sumUp } from './outcome';
import { draw } from './random';

type Event = { kind: 'ready'; server: Server } | { kind: 'end'; server: Server; job: number; start: number };

const STREAM = { boot: 1, fate: 2 } as const;

/** What happened since the policy was last asked. */
interface News {
  waits: number[];
  served: number[];
  booted: number[];
  failures: LaunchFailure[];
}
const noNews = (): News => ({ waits: [], served: [], booted: [], failures: [] });

/** One policy's run of one trace. Within one moment: ends and boots first, then arrivals, then the decision. */
export class Run {
  readonly #agenda = new Agenda<Event>();
  readonly #queue = new Fifo<number>();
  readonly #fleet: Fleet;
  readonly #bucket: ApiBucket;
  readonly #starts: (number | undefined)[];
  /** Readings of the queue that are not older than the metric delay, for policies that see them late. */
  readonly #readings: QueueObservation[] = [];
  #news = noNews();
  #arrived = 0;
  #ended = 0;
  #busyDeletes = 0;
  #apiWrites = 0;
  #now = 0;

  constructor(
    readonly trace: Trace,
    readonly policy: PolicyRun,
    readonly scenario: Scenario,
  ) {
    this.#fleet = new Fleet(scenario.slots);
    this.#bucket = new ApiBucket(scenario.apiLimit);
    this.#starts = trace.jobs.map(() => undefined);
  }

  play(latest: number): Outcome {
    const { jobs, horizon } = this.trace;
    let decision = 0;
    while (this.#now < latest && (this.#now < horizon || this.#ended < jobs.length)) {
      const arrival = jobs[this.#arrived]?.arrival ?? Infinity;
      const over = this.#ended < jobs.length ? latest : Math.max(this.#now, horizon);
      this.#now = Math.min(this.#agenda.next, arrival, decision, over);
      if (this.#now === over) break;
      if (this.#agenda.next === this.#now) this.#happen();
      else if (arrival === this.#now) this.#queue.push(this.#arrived++);
      else {
        this.#obey(this.policy.decide(this.#observe()));
        decision += this.policy.interval;
      }
      this.#startJobs();
    }
    return sumUp(
      this.trace,
      this.scenario.targetWait,
      this.#starts,
      this.#fleet.all,
      {
        busyDeletes: this.#busyDeletes,
        apiWrites: this.#apiWrites,
        unfinished: jobs.length - this.#ended,
      },
      this.#now,
    );
  }

  #happen(): void {
    const event = this.#agenda.take();
    if (event === undefined || event.server.deleted !== undefined) return;
    const { server } = event;
    if (event.kind === 'ready') {
      this.#fleet.becomeReady(server, this.#now);
      this.#news.booted.push(this.#now - server.created);
      if (server.retiring) this.#delete(server);
      return;
    }
    server.running.delete(event.job);
    this.#ended += 1;
    this.#news.served.push(this.#now - event.start);
    this.#fleet.releaseSlot(server);
    if (server.retiring && server.running.size === 0) this.#delete(server);
  }

  #startJobs(): void {
    while (this.#queue.length > 0) {
      const server = this.#fleet.takeSlot();
      if (server === undefined) return;
      const job = this.#queue.shift();
      const record = job === undefined ? undefined : this.trace.jobs[job];
      if (job === undefined || record === undefined) return;
      server.running.set(job, this.#now);
      this.#starts[job] = this.#now;
      this.#news.waits.push(this.#now - record.arrival);
      this.#agenda.add(this.#now + record.service, { kind: 'end', server, job, start: this.#now });
    }
  }

  #observe(): Observation {
    const { placements, apiLimit } = this.scenario;
    const news = this.#news;
    this.#news = noNews();
    const workers = [...this.#fleet.existing.values()].map((server) => ({
      id: server.id,
      serverType: placements[server.placement]?.serverType ?? '',
      location: placements[server.placement]?.location ?? '',
      created: server.created,
      state: server.draining
        ? ('draining' as const)
        : server.ready === undefined
          ? ('booting' as const)
          : ('ready' as const),
      running: [...server.running.values()],
    }));
    return {
      now: this.#now,
      queue: this.#readQueue(),
      workers,
      ...news,
      ...(apiLimit === undefined
        ? {}
        : { api: { limit: apiLimit, remaining: this.#bucket.remaining(this.#now) } }),
    };
  }

  #readQueue(): QueueObservation {
    const arrivals = this.#queue.map((job) => this.trace.jobs[job]?.arrival ?? 0);
    const reading = { observedAt: this.#now, depth: arrivals.length, arrivals };
    if (this.scenario.metricDelay === 0) return reading;
    this.#readings.push(reading);
    const newest = this.#now - this.scenario.metricDelay;
    while ((this.#readings[1]?.observedAt ?? Infinity) <= newest) this.#readings.shift();
    return this.#readings[0] ?? reading;
  }

  #obey({ launches, removals, drains, retirements, resumes }: Commands): void {
    const named = (ids: readonly string[]): Server[] =>
      ids.flatMap((id) => this.#fleet.existing.get(id) ?? []);
    for (const server of named(resumes)) this.#fleet.resume(server);
    for (const server of named(removals)) this.#delete(server);
    for (const server of named(drains)) this.#fleet.drain(server);
    for (const server of named(retirements)) {
      this.#fleet.retire(server);
      if (server.running.size === 0) this.#delete(server);
    }
    for (const placement of launches) this.#launch(placement);
  }

  #launch(index: number): void {
    const placement = this.scenario.placements[index];
    if (placement === undefined)
      throw new RangeError(`the policy launched in placement ${index}, which does not exist`);
    if (this.#fleet.existing.size >= this.scenario.maxSize) return;
    const refuse = (kind: LaunchFailure['kind']): void => void this.#news.failures.push({ placement, kind });
    if (!this.#bucket.take(this.#now)) return refuse('rate');
    this.#apiWrites += 1;
    if (this.#isSoldOut(index)) return refuse('sold-out');
    const { seed, boot, neverReadyShare } = this.scenario;
    const serial = this.#fleet.all.length;
    const server = this.#fleet.create(index, this.#now);
    if (draw(seed, STREAM.fate, serial) < neverReadyShare) return;
    const duration = boot.min + draw(seed, STREAM.boot, serial) * (boot.max - boot.min);
    this.#agenda.add(this.#now + duration, { kind: 'ready', server });
  }

  #isSoldOut(index: number): boolean {
    return this.scenario.outages.some(
      ({ placement, from, to }) => placement === index && from <= this.#now && this.#now < to,
    );
  }

  /** Where the vendor refuses the request, the server stays and is billed; its policy will have to ask again. */
  #delete(server: Server): void {
    if (!this.#bucket.take(this.#now)) return;
    this.#apiWrites += 1;
    if (server.running.size > 0) this.#busyDeletes += 1;
    for (const job of [...server.running.keys()].reverse()) {
      this.#starts[job] = undefined;
      this.#queue.unshift(job);
    }
    server.running.clear();
    this.#fleet.remove(server, this.#now);
  }
}
