import { Agent, request } from 'undici';
import type { Work } from '../kernel/lifecycle';
import type { Kernel } from '../kernel/vendor';
import { BEAT_SECONDS, beatBody, type HeartbeatProgram, registrationBody } from './heartbeat-program';
import { type Heartbeat, type Machine, serverIdOf, subjectOf, writeLog } from './machine';

const BEAT = 'machine.beat';

/** Seconds until the beat after the one whose answer was the order to drain. */
const SOON_SECONDS = 2;
/** Longest pause of a machine that nobody answers. */
const LONGEST_PAUSE_SECONDS = 60;
/** What curl calls a failure: `-f` without `-L`. */
const FIRST_ERROR_STATUS = 400;

/**
 * The machines' heartbeats: real posts to the service that a document names, on virtual time. One post at a time
 * per machine, over connections that stay open.
 */
export class Beats {
  private readonly agent = new Agent();
  private readonly inFlight = new Map<number, { abort: AbortController; done: Promise<void> }>();

  constructor(
    private readonly kernel: Kernel,
    private readonly outside: {
      machine: (serverId: number) => Machine | undefined;
      work: Work;
      timeoutSeconds: () => number;
    },
  ) {
    kernel.schedule.on(BEAT, (subject, at) => this.beat(serverIdOf(subject), at));
  }

  /** The machine's boot has ended. What it knew of a drain was in memory. */
  start(machine: Machine, at: number): void {
    const { heartbeat } = machine;
    if (!heartbeat) return;
    Object.assign(heartbeat, { registered: false, draining: false, pause: BEAT_SECONDS });
    this.kernel.schedule.at(at, BEAT, subjectOf(machine));
  }

  /** At once, also in the middle of a post. */
  stop(machine: Machine): void {
    this.kernel.schedule.cancel(subjectOf(machine), BEAT);
    const id = machine.server.serverId;
    this.inFlight.get(id)?.abort.abort();
    this.inFlight.delete(id);
  }

  /** Resolves when the posts that are under way now have been answered or given up. */
  async answered(): Promise<void> {
    await Promise.all([...this.inFlight.values()].map(({ done }) => done));
  }

  /** Gives up what is under way. */
  async reset(): Promise<void> {
    const ended = this.answered();
    for (const { abort } of this.inFlight.values()) abort.abort();
    this.inFlight.clear();
    await ended;
  }

  async close(): Promise<void> {
    await this.reset();
    await this.agent.destroy();
  }

  private beat(id: number, at: number): void {
    const machine = this.outside.machine(id);
    if (!machine?.heartbeat) return;
    // Planned before the answer is there, so that a snapshot taken meanwhile goes on beating.
    this.kernel.schedule.at(at + BEAT_SECONDS * 1000, BEAT, subjectOf(machine));
    if (this.inFlight.has(id)) return;
    const abort = new AbortController();
    const done = this.talk(machine, machine.heartbeat, at, abort.signal);
    this.inFlight.set(id, { abort, done });
  }

  private async talk(machine: Machine, heartbeat: Heartbeat, at: number, signal: AbortSignal): Promise<void> {
    const { kernel, outside } = this;
    const id = machine.server.serverId;
    const outcome = await this.post(machine, heartbeat, signal);
    if (signal.aborted) return;
    this.inFlight.delete(id);
    kernel.schedule.runDue();
    const pause = heard(machine, heartbeat, outcome);
    if (outcome.kind === 'answer') outside.work.drain(id, heartbeat.draining);
    kernel.schedule.cancel(subjectOf(machine), BEAT);
    kernel.schedule.at(Math.max(at + pause * 1000, kernel.clock.now()), BEAT, subjectOf(machine));
  }

  private async post(machine: Machine, heartbeat: Heartbeat, signal: AbortSignal): Promise<Outcome> {
    const { program } = heartbeat;
    const { device, server } = machine;
    const addresses = {
      tailnet: device?.addresses[0],
      own: server.publicIpv4 ?? server.privateIps[0] ?? server.publicIpv6,
    };
    try {
      if (!heartbeat.registered) {
        await this.send(
          program,
          'register',
          registrationBody(program, this.tick(heartbeat), addresses),
          signal,
        );
        heartbeat.registered = true;
      }
      const jobs = this.outside.work.running(server.serverId);
      const text = await this.send(
        program,
        'heartbeat',
        beatBody(program, this.tick(heartbeat), jobs),
        signal,
      );
      return { kind: 'answer', text };
    } catch (error) {
      return { kind: 'failure', reason: error instanceof Error ? error.message : String(error) };
    }
  }

  /** The time for a post: a real clock has moved on since the one before, a stepped one may not have. */
  private tick(heartbeat: Heartbeat): number {
    heartbeat.lastAt = Math.max(this.kernel.clock.now(), heartbeat.lastAt + 1);
    return heartbeat.lastAt;
  }

  private async send(
    program: HeartbeatProgram,
    what: string,
    body: string,
    signal: AbortSignal,
  ): Promise<string> {
    const url = new URL(program.url + what);
    // The local cloud reaches nothing outside this computer.
    if (!/^(localhost|127(\.\d+){3}|\[::1\])$/.test(url.hostname))
      throw new Error(`curl: (6) Could not resolve host: ${url.hostname}`);
    // Not `AbortSignal.timeout`: Node 20 collects one that only `AbortSignal.any` knows of, and it never fires.
    const late = new AbortController();
    const timer = setTimeout(
      () => late.abort(new Error('curl: (28) Operation timed out')),
      this.outside.timeoutSeconds() * 1000,
    );
    try {
      const { statusCode, body: answer } = await request(url, {
        method: 'POST',
        headers: program.headers,
        body,
        signal: AbortSignal.any([signal, late.signal]),
        dispatcher: this.agent,
      });
      const text = await answer.text();
      if (statusCode >= FIRST_ERROR_STATUS)
        throw new Error(`curl: (22) The requested URL returned error: ${statusCode}`);
      return text;
    } finally {
      clearTimeout(timer);
    }
  }
}

type Outcome = { kind: 'answer'; text: string } | { kind: 'failure'; reason: string };

/** What the program does with an outcome; returns the seconds until its next beat. */
function heard(machine: Machine, heartbeat: Heartbeat, outcome: Outcome): number {
  if (outcome.kind === 'failure') {
    if (heartbeat.pause === BEAT_SECONDS) writeLog(machine, `no answer, trying on: ${outcome.reason}`);
    heartbeat.registered = false;
    heartbeat.pause = heartbeat.pause < 30 ? heartbeat.pause * 2 : LONGEST_PAUSE_SECONDS;
    return heartbeat.pause;
  }
  if (heartbeat.pause !== BEAT_SECONDS) writeLog(machine, 'the service answers');
  heartbeat.pause = BEAT_SECONDS;
  const before = heartbeat.draining;
  if (outcome.text.includes('"drain":true')) heartbeat.draining = true;
  else if (outcome.text.includes('"drain":false')) heartbeat.draining = false;
  return heartbeat.draining && !before ? SOON_SECONDS : BEAT_SECONDS;
}
