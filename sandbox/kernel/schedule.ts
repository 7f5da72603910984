import type { Clock } from './clock';

/** One thing that will happen: plain data, so that a snapshot can keep it. */
export interface ScheduledEvent {
  /** Virtual milliseconds since the epoch. */
  at: number;
  /** Which handler takes it, e.g. `hetzner.action.finish`. */
  kind: string;
  /** What it is about, usually the id of an action, a server or a device. */
  subject: string;
}

export type EventHandler = (subject: string, at: number) => void;

/**
 * What will happen in the local cloud and when. Events are data; handlers are registered once by kind.
 * Handlers are synchronous: the state changes at one virtual instant.
 */
export class Schedule {
  private events: ScheduledEvent[] = [];
  private readonly handlers = new Map<string, EventHandler>();
  private timer: NodeJS.Timeout | undefined;
  private afterEvent: () => void = () => {};

  constructor(private readonly clock: Clock) {}

  on(kind: string, handler: EventHandler): void {
    if (this.handlers.has(kind)) throw new Error(`event kind "${kind}" already has a handler`);
    this.handlers.set(kind, handler);
  }

  /** Calls the listener after each event: what a snapshot holds may have changed. */
  onEvent(listener: () => void): void {
    this.afterEvent = listener;
  }

  at(at: number, kind: string, subject: string): void {
    const index = this.events.findIndex((event) => event.at > at);
    this.events.splice(index === -1 ? this.events.length : index, 0, { at, kind, subject });
    this.arm();
  }

  after(delayMs: number, kind: string, subject: string): void {
    this.at(this.clock.now() + delayMs, kind, subject);
  }

  /** Drops what was planned for this subject (of one kind, or of all). */
  cancel(subject: string, kind?: string): void {
    this.events = this.events.filter(
      (event) => event.subject !== subject || (kind !== undefined && event.kind !== kind),
    );
    this.arm();
  }

  /** Runs everything that is due by now, in order. Called by the timer and before each request. */
  runDue(): void {
    this.runUntil(this.clock.now());
    this.arm();
  }

  /** Moves virtual time forward by `ms`, running each event at its own instant. */
  advance(ms: number): void {
    const target = this.clock.now() + ms;
    while (this.step(target));
    this.clock.moveTo(target);
    this.arm();
  }

  /** The same, and waits at each instant that had events until `settled` resolves: what they began belongs to it. */
  async advanceSettling(ms: number, settled: () => Promise<void>): Promise<void> {
    const target = this.clock.now() + ms;
    await settled();
    while (this.step(target)) await settled();
    this.clock.moveTo(target);
    this.arm();
  }

  snapshot(): ScheduledEvent[] {
    return structuredClone(this.events);
  }

  restore(events: ScheduledEvent[]): void {
    this.events = structuredClone(events);
    this.arm();
  }

  /** Forgets everything planned. */
  clear(): void {
    this.restore([]);
  }

  /** Sets the timer anew; to be called after the clock's mode was changed. */
  arm(): void {
    clearTimeout(this.timer);
    const next = this.events[0];
    const delay = next && this.clock.wallDelay(next.at);
    if (delay === undefined) return;
    this.timer = setTimeout(() => this.runDue(), Math.min(delay, 0x7fffffff));
    this.timer.unref();
  }

  stop(): void {
    clearTimeout(this.timer);
    this.events = [];
  }

  /** Goes to the next event's instant and runs what is due then; false when there is none by `target`. */
  private step(target: number): boolean {
    const [next] = this.events;
    if (!next || next.at > target) return false;
    this.clock.moveTo(next.at);
    this.runUntil(next.at);
    return true;
  }

  private runUntil(instant: number): void {
    for (let next = this.events[0]; next && next.at <= instant; next = this.events[0]) {
      this.events.shift();
      const handler = this.handlers.get(next.kind);
      if (!handler) throw new Error(`no handler for event kind "${next.kind}"`);
      handler(next.subject, next.at);
      this.afterEvent();
    }
  }
}
