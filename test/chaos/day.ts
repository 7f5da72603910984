import assert from 'node:assert/strict';
import { appendFileSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { z } from 'zod';
import { paidTimeLeft } from '../../automation/decide/release';
import type { LoggedRequest } from '../../sandbox/control/request-log';
import { STACK } from '../engine/harness';
import { KillableService } from './killable';
import { ADMIN_TOKEN, type ChaosPlace, MOST } from './place';
import type { Word } from './protocol';
import type { Burst, Kill } from './script';

/** A file that gets what happens as it happens. */
const JOURNAL = process.env['CHAOS_JOURNAL'];

/** Seconds between two rounds: as often as in production while something goes on or a paid hour ends, less often while jobs run, and when nothing is there. */
const ROUND = 10;
const STEADY_ROUND = 30;
const QUIET_ROUND = 60;
/** So long before a paid hour ends it may be decided who goes with it, seconds. */
const HOUR_END = 2 * 60;
/** The service's clock follows the cloud's in steps of so many seconds. */
const CLOCK_STEP = 2;
/** Virtual seconds in a real one while the service does something: an update takes as long as at the vendor. */
const RATE = 4;
/** So long after the last job and the last kill nothing is left: an hour is paid for, and what is left over is swept after 15 minutes. */
const AFTERMATH = 75 * 60;
/** Where a vendor fails in the last minutes of a paid hour, the next one is paid for: so long all the same at most. */
const LONGEST_AFTERMATH = 6 * 3600;
/** So long after the last fault everything that was refused has been tried again: the longest wait between two tries is a minute. */
const AFTERWORD = 2 * 60;
/** Far longer than the jobs of any day take. */
const LONGEST = 48 * 3600;
/** A kill waits for its moment no longer than this, seconds: machines leave at the end of their hour. */
const PATIENCE = 65 * 60;
/** Tries to start a service before a day is given up. */
const MOST_STARTS = 20;

const checkpointSchema = z.object({
  checkpoint: z.object({
    latest: z.object({ pending_operations: z.array(z.unknown()).default([]) }).nullish(),
  }),
});

/** What becomes of a day. */
export interface DayReport {
  readonly kills: number;
  readonly starts: number;
  readonly updates: number;
  readonly servers: number;
  readonly jobs: number;
  /** Requests to Hetzner that were refused because of a name that is taken. */
  readonly nameTaken: number;
  readonly faults: number;
  /** How long it took to play. */
  readonly wallSeconds: number;
}

/** One scripted day: jobs come, the service is killed and started again, and what may never be is watched. */
export class Day {
  /** What happened, one line each; for whoever looks for a failure's cause. */
  readonly journal: string[] = [];
  private service: KillableService | undefined;
  private next: KillableService;
  private readonly begun: number;
  private readonly wallBegun = performance.now();
  private startAt = 0;
  private starts = 0;
  private failedStarts = 0;
  private killed = 0;
  private updates = 0;
  private updatesBefore = 0;
  private updating = false;
  private nameTaken = 0;
  private faulty = 0;
  private readonly requested = new Set<LoggedRequest>();
  /** Kills whose moment is awaited. */
  private armed: Kill[] = [];
  private dying: Promise<void> | undefined;

  constructor(
    private readonly place: ChaosPlace,
    private readonly bursts: readonly Burst[],
    private readonly kills: Kill[],
    private readonly orders: readonly { at: number; run: (day: Day) => Promise<void> | void }[] = [],
  ) {
    this.begun = this.now;
    this.next = this.spawn();
    const { requests } = place.environment.sandbox;
    const add = requests.add.bind(requests);
    requests.add = (entry) => {
      add(entry);
      this.requested.add(entry);
      this.asked(entry);
    };
  }

  get now(): number {
    return this.place.environment.sandbox.clock.now() / 1000;
  }

  /** Seconds since the day began. */
  get time(): number {
    return this.now - this.begun;
  }

  /** Plays it to the end, and checks at every step what has to hold all day. */
  async play(): Promise<DayReport> {
    const { jobs } = this.place.environment.sandbox;
    const bursts = [...this.bursts];
    const orders = [...this.orders];
    let quietSince = Infinity;
    while (!this.isOver(quietSince)) {
      for (const burst of take(bursts, this.time)) {
        this.note(`${burst.jobs.length} jobs for ${burst.pool}`);
        jobs.add(
          burst.pool,
          burst.jobs.map((seconds) => ({ seconds })),
        );
      }
      if (this.service) for (const order of take(orders, this.time)) await order.run(this);
      await this.step();
      this.check();
      const ahead = bursts.length + this.kills.length + this.armed.length;
      if (this.place.environment.sandbox.verdict().unfinished + ahead > 0) quietSince = Infinity;
      else quietSince = Math.min(quietSince, this.time);
      assert.ok(this.time < LONGEST, 'the jobs do not end');
    }
    return this.end();
  }

  /** What an operator asks of the service. */
  async command(path: string, body: object): Promise<void> {
    const response = await fetch(`${this.service!.adminUrl}/v1/stacks/${STACK}${path}`, {
      method: 'POST',
      headers: { authorization: `Bearer ${ADMIN_TOKEN}`, 'content-type': 'application/json' },
      body: JSON.stringify(body),
    });
    this.note(`order ${path}: ${response.status}`);
    assert.equal(response.status, 200, await response.text());
  }

  async close(): Promise<void> {
    for (const service of [this.service, this.next]) {
      service?.kill();
      await service?.ended;
    }
  }

  private spawn(): KillableService {
    return KillableService.spawn(this.place.settings, (word) => this.hear(word));
  }

  private async step(): Promise<void> {
    const { sandbox } = this.place.environment;
    const pause = this.pause();
    for (let passed = 0; passed < pause; passed += CLOCK_STEP) {
      await sandbox.advance(CLOCK_STEP);
      this.service?.clock(this.now, 0);
    }
    this.arm();
    if (!this.service && this.now >= this.startAt) await this.inTime(() => this.start());
    if (this.service) await this.inTime(() => this.rounds());
    this.count();
  }

  /** Seconds until the next round. */
  private pause(): number {
    const { sandbox } = this.place.environment;
    const { servers, devices, unfinished, unregistered } = sandbox.verdict();
    if (servers.length + devices.length + unfinished === 0) return QUIET_ROUND;
    const fleet = sandbox.hetzner.fleetReport('pool');
    const grows = Object.entries(sandbox.jobs.report()).some(
      ([pool, { waiting }]) => waiting > 0 && (fleet[pool]?.alive ?? 0) < MOST[pool]!,
    );
    const hourEnds = sandbox.machines
      .list()
      .some(({ startedAt }) => paidTimeLeft({ created: Date.parse(startedAt) / 1000 }, this.now) < HOUR_END);
    const updated = this.updates > this.updatesBefore;
    const moving = !this.service || grows || unregistered.length > 0 || updated || hourEnds;
    this.updatesBefore = this.updates;
    return moving ? ROUND : STEADY_ROUND;
  }

  /** A kill that has waited long for its moment takes the next best. */
  private arm(): void {
    this.armed.push(...take(this.kills, this.time));
    this.armed = this.armed.map((kill) =>
      this.time - kill.at > PATIENCE ? { ...kill, moment: 'in a round' } : kill,
    );
  }

  /** Time goes on while something is done. */
  private async inTime(work: () => Promise<void>): Promise<void> {
    const { sandbox } = this.place.environment;
    sandbox.setClockMode({ kind: 'real', rate: RATE });
    try {
      await work();
    } finally {
      sandbox.setClockMode({ kind: 'stepped' });
      this.service?.clock(this.now, 0);
    }
  }

  private async start(): Promise<void> {
    this.starts += 1;
    this.updating = false;
    this.note('the service starts');
    const service = this.next;
    service.clock(this.now, RATE);
    this.service = service;
    this.meet('as it starts');
    const listens = await service.begin(this.place.settings);
    this.next = this.spawn();
    if (listens) {
      this.failedStarts = 0;
      return;
    }
    this.failedStarts += 1;
    this.service = undefined;
    this.note('the service did not start');
    assert.ok(this.failedStarts < MOST_STARTS, 'the service does not start any more');
  }

  /** Rounds until none is under way: one that starts an update lasts as long as that, and another comes meanwhile. */
  private async rounds(): Promise<void> {
    const service = this.service!;
    service.clock(this.now, RATE);
    const under = new Set<Promise<void>>();
    const begin = (): void => {
      const round = service.round().then(() => void under.delete(round));
      under.add(round);
    };
    this.meet('in a round');
    do {
      if (!service.isDead && (under.size === 0 || (under.size === 1 && this.updating))) begin();
      const next = new AbortController();
      await Promise.race([
        Promise.all(under),
        delay((ROUND / RATE) * 1000, undefined, { signal: next.signal }).catch(() => undefined),
      ]);
      next.abort();
    } while (under.size > 0);
    // A kill may come just after the round.
    if (this.dying) await this.dying;
    if (!service.isDead) return;
    await service.ended;
    this.service = undefined;
  }

  /** The service does what a kill may wait for. */
  private meet(moment: Kill['moment']): void {
    const kill = this.armed.find((armed) => armed.moment === moment);
    if (!kill || this.dying || !this.service || this.service.isDead) return;
    this.armed = this.armed.filter((armed) => armed !== kill);
    this.dying = this.kill(this.service, kill).finally(() => (this.dying = undefined));
  }

  private async kill(service: KillableService, kill: Kill): Promise<void> {
    if (kill.delay > 0) await delay(kill.delay);
    service.kill();
    if (kill.withEngine) this.place.endEngine();
    this.killed += 1;
    this.startAt = this.now + kill.outage;
    this.note(
      `killed ${kill.moment}, ${Math.round(kill.delay)} ms later${kill.withEngine ? ', with its engine' : ''}; away for ${kill.outage} s`,
    );
  }

  private hear(word: Word): void {
    if (word.word === 'intent') this.meet('as the intent is written');
    if (word.word !== 'log') return;
    this.note(word.line.trim());
    if (/"event":"update-(finished|put-off|crashed)"/.test(word.line)) this.updating = false;
    if (!word.line.includes('"event":"update-started"')) return;
    this.updating = true;
    this.updates += 1;
    this.meet('in an update');
  }

  private asked(entry: LoggedRequest): void {
    if (entry.vendor !== 'hetzner' || !/^\/v1\/servers(\/\d+)?$/.test(entry.path)) return;
    if (entry.method === 'POST') {
      this.meet('as a server is asked for');
      this.meetWhenAnswered(entry);
    }
    if (entry.method === 'DELETE') this.meet('as a server is about to be deleted');
  }

  private meetWhenAnswered(entry: LoggedRequest): void {
    if (!this.armed.some(({ moment }) => moment === 'as a server is made')) return;
    if (entry.status !== null) this.meet('as a server is made');
    else setImmediate(() => this.meetWhenAnswered(entry));
  }

  /** What was answered since the last step. */
  private count(): void {
    for (const entry of this.requested) {
      if (entry.status === 409) {
        this.nameTaken += 1;
        this.note(`${entry.method} ${entry.path} was refused: the name is taken`);
      }
      if (entry.fault !== null) this.faulty += 1;
      this.requested.delete(entry);
    }
  }

  /** What has to hold at every moment. */
  private check(): void {
    const { lost, peaks, doubles } = this.place.environment.sandbox.verdict();
    assert.equal(lost, 0, 'a machine was taken away under a job');
    assert.deepEqual(doubles, []);
    for (const [pool, most] of Object.entries(MOST))
      assert.ok((peaks[pool] ?? 0) <= most, `${pool} had too many`);
  }

  private isOver(quietSince: number): boolean {
    const quiet = this.time - quietSince;
    if (quiet < AFTERMATH) return false;
    const { servers, devices } = this.place.environment.sandbox.verdict();
    return servers.length + devices.length === 0 || quiet >= LONGEST_AFTERMATH;
  }

  /** What has to hold when everybody has gone. */
  private async end(): Promise<DayReport> {
    const { environment } = this.place;
    const { sandbox } = environment;
    sandbox.faults.clear();
    // What a vendor refused a moment ago is done with the next tries.
    for (let passed = 0; passed < AFTERWORD; passed += QUIET_ROUND) await this.step();
    await this.service?.end();
    this.service = undefined;
    const { unfinished, servers, devices, done } = sandbox.verdict();
    assert.deepEqual({ unfinished, servers, devices }, { unfinished: 0, servers: [], devices: [] });
    assert.deepEqual(
      Object.values(environment.record().membership).flatMap(({ members }) => members),
      [],
    );
    assert.deepEqual(this.pendingOperations(), []);
    assert.equal(await this.place.openIntent(), undefined);
    const { changes, finished } = await environment.preview();
    assert.equal(finished.code, 0, finished.text);
    assert.deepEqual(changes, {});
    const made = Object.values(sandbox.hetzner.fleetReport('pool')).reduce(
      (sum, pool) => sum + pool.servers,
      0,
    );
    return {
      kills: this.killed,
      starts: this.starts,
      updates: this.updates,
      servers: made,
      jobs: done,
      nameTaken: this.nameTaken,
      faults: this.faulty,
      wallSeconds: this.wallSeconds(),
    };
  }

  private pendingOperations(): unknown[] {
    const file = join(this.place.environment.backend, '.pulumi', 'stacks', 'worker-pools', `${STACK}.json`);
    const { checkpoint } = checkpointSchema.parse(JSON.parse(readFileSync(file, 'utf8')));
    return checkpoint.latest?.pending_operations ?? [];
  }

  private wallSeconds(): number {
    return Math.round((performance.now() - this.wallBegun) / 100) / 10;
  }

  private note(line: string): void {
    const clock = new Date(this.time * 1000).toISOString().slice(8, 19);
    const entry = `${clock} (${this.wallSeconds()} s) ${line}`;
    this.journal.push(entry);
    if (JOURNAL !== undefined) appendFileSync(JOURNAL, `${entry}\n`);
  }
}

/** Those that are due, taken out of the list, which is in order of time. */
function take<T extends { at: number }>(items: T[], time: number, most = Infinity): T[] {
  const due = items.findIndex(({ at }) => at > time);
  return items.splice(0, Math.min(most, due === -1 ? items.length : due));
}
