import { deadline } from '../../../components/preflight/deadline';
import { commonFault } from './faults';
import { type Place, queueError } from './place';
import { type QueueReading, type QueueSource } from './types';

/** How one kind of server is spoken to. `C` is its client's connection. */
export interface Connector<C> {
  readonly place: Place;
  /**
   * Connects and logs in. When the signal fires it lets go of what it has opened so far; `lost` tells that the
   * connection has gone by itself, and why where the client knows: the next reading makes a new one instead of failing.
   */
  connect(signal: AbortSignal, lost: (reason?: unknown) => void): Promise<C>;
  read(connection: C, signal: AbortSignal): Promise<QueueReading>;
  /** Says goodbye to a connection that is idle. */
  end(connection: C): Promise<void>;
  /** Lets go of a connection at once, whatever state it is in. */
  destroy(connection: C): void;
  /** What the server itself says, in our words; absent for anything else. */
  explain(error: unknown): Error | undefined;
}

/** Seconds for connecting and logging in, within those of the reading. */
const CONNECT_WITHIN = 5;
/** Seconds that a goodbye may take. */
const END_WITHIN = 1;

/**
 * A source that keeps one connection between readings and drops it after any failure. Readings take turns, so that one
 * that is given up never leaves its answer to the next.
 */
export function readOver<C>(connector: Connector<C>): QueueSource {
  const { place } = connector;
  const closing = new AbortController();
  let kept: C | undefined;
  let lostBecause: unknown;
  let lastTurn: Promise<void> = Promise.resolve();
  let closed: Promise<void> | undefined;

  async function connected(signal: AbortSignal): Promise<C> {
    const given = deadline(CONNECT_WITHIN * 1000, signal);
    let gone = false;
    lostBecause = undefined;
    try {
      const connecting: Promise<C> = connector.connect(given.signal, (reason) => {
        gone = true;
        lostBecause ??= reason;
        void connecting.then(drop, () => {});
      });
      // One that comes too late is let go of.
      void connecting.then(
        (connection) => given.signal.aborted && connector.destroy(connection),
        () => {},
      );
      const connection = await orAbort(given.signal, connecting);
      if (!gone) kept = connection;
      return connection;
    } catch (error) {
      if (!given.signal.aborted || signal.aborted) throw error;
      throw queueError(
        place,
        'unreachable',
        `no connection within ${CONNECT_WITHIN} s. Check that the server is well, and network and firewalls in between.`,
      );
    } finally {
      given.release();
    }
  }

  function drop(connection: C): void {
    if (kept === connection) kept = undefined;
    connector.destroy(connection);
  }

  async function readNow(signal: AbortSignal): Promise<QueueReading> {
    const connection = kept ?? (await connected(signal));
    try {
      return await orAbort(signal, connector.read(connection, signal));
    } catch (error) {
      drop(connection);
      // Clients fail what is under way with "closed", and tell apart what closed them.
      throw lostBecause ?? error;
    }
  }

  async function read(signal: AbortSignal): Promise<QueueReading> {
    const before = lastTurn;
    let finish = () => {};
    const mine = new Promise<void>((resolve) => (finish = resolve));
    lastTurn = before.then(() => mine);
    const given = either(signal, closing.signal);
    try {
      await orAbort(given.signal, before);
      return await readNow(given.signal);
    } catch (error) {
      if (closing.signal.aborted) throw queueError(place, 'unreachable', 'the source was closed.');
      if (signal.aborted) {
        throw queueError(
          place,
          'unreachable',
          'no answer in the time given. Check the server’s load, and network and firewalls in between.',
        );
      }
      throw connector.explain(error) ?? commonFault(place, error);
    } finally {
      given.release();
      finish();
    }
  }

  async function shut(): Promise<void> {
    closing.abort();
    await lastTurn;
    if (kept === undefined) return;
    const connection = kept;
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<void>((resolve) => (timer = setTimeout(resolve, END_WITHIN * 1000)));
    await Promise.race([connector.end(connection).catch(() => {}), late]);
    clearTimeout(timer);
    drop(connection);
  }

  return { read, close: () => (closed ??= shut()) };
}

/** Fires with the first of two; `release` lets go of both, which `AbortSignal.any` does not do in Node 20. */
function either(one: AbortSignal, other: AbortSignal): { signal: AbortSignal; release: () => void } {
  const controller = new AbortController();
  const abort = () => controller.abort();
  for (const signal of [one, other]) {
    if (signal.aborted) abort();
    else signal.addEventListener('abort', abort);
  }
  return {
    signal: controller.signal,
    release: () => [one, other].forEach((signal) => signal.removeEventListener('abort', abort)),
  };
}

/** Settles as the work does, or fails as soon as the signal fires. */
async function orAbort<T>(signal: AbortSignal, work: Promise<T>): Promise<T> {
  let abort = () => {};
  const aborted = new Promise<never>((_, reject) => {
    abort = () => reject(new Error('aborted'));
    if (signal.aborted) abort();
    else signal.addEventListener('abort', abort);
  });
  try {
    return await Promise.race([aborted, work]);
  } finally {
    signal.removeEventListener('abort', abort);
  }
}
