/** What a queue said at one moment. */
export interface QueueReading {
  /** Jobs that wait for a worker. */
  readonly waiting: number;
  /** Jobs that run now, where the queue knows. */
  readonly running?: number;
  /** Seconds that the oldest waiting job has waited, where the queue knows; absent when nothing waits. */
  readonly oldestAge?: number;
}

/** One pool's queue. Its connection is made with the first reading and again after a failure. */
export interface QueueSource {
  /** @throws QueueError; never an answer that is a guess */
  read(signal: AbortSignal): Promise<QueueReading>;
  close(): Promise<void>;
}

/**
 * Why a queue could not be read. The message is for the operator: what happened, where (host and name, never a password),
 * and what to do next.
 */
export class QueueError extends Error {
  override name = 'QueueError';

  constructor(
    /** `unreachable`: nothing answers in time; `refused`: it does, and does not let us in; `wrong`: what it says is not a queue's state. */
    readonly kind: 'unreachable' | 'refused' | 'wrong',
    message: string,
    options?: ErrorOptions,
  ) {
    super(message, options);
  }
}
