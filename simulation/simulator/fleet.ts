import { Fifo } from './fifo';

export interface Server {
  readonly id: string;
  /** Index into the scenario's placements. */
  readonly placement: number;
  readonly created: number;
  ready?: number;
  deleted?: number;
  draining: boolean;
  /** Drains, and is deleted when idle. */
  retiring: boolean;
  /** Start of each running job by its index in the trace. */
  readonly running: Map<number, number>;
  /** Free slots offered before the last change of state are void. */
  epoch: number;
}

interface Offer {
  readonly server: Server;
  readonly epoch: number;
}

/**
 * The servers of one run and their free slots. A job goes to the slot that has waited longest, as with workers that
 * block on a queue; which worker takes a job is not the policy's to choose.
 */
export class Fleet {
  readonly all: Server[] = [];
  readonly existing = new Map<string, Server>();
  readonly #free = new Fifo<Offer>();

  constructor(readonly slots: number) {}

  create(placement: number, now: number): Server {
    const server: Server = {
      id: `s${this.all.length}`,
      placement,
      created: now,
      draining: false,
      retiring: false,
      running: new Map(),
      epoch: 0,
    };
    this.all.push(server);
    this.existing.set(server.id, server);
    return server;
  }

  becomeReady(server: Server, now: number): void {
    server.ready = now;
    if (!server.draining) this.#offerFreeSlots(server);
  }

  /** The server of the next free slot, which is thereby taken. */
  takeSlot(): Server | undefined {
    for (;;) {
      const offer = this.#free.shift();
      if (offer === undefined) return undefined;
      if (offer.epoch === offer.server.epoch) return offer.server;
    }
  }

  releaseSlot(server: Server): void {
    if (!server.draining) this.#free.push({ server, epoch: server.epoch });
  }

  drain(server: Server): void {
    server.draining = true;
    server.epoch += 1;
  }

  retire(server: Server): void {
    this.drain(server);
    server.retiring = true;
  }

  resume(server: Server): void {
    if (!server.draining) return;
    server.draining = false;
    server.retiring = false;
    if (server.ready !== undefined) this.#offerFreeSlots(server);
  }

  remove(server: Server, now: number): void {
    server.deleted = now;
    server.epoch += 1;
    this.existing.delete(server.id);
  }

  #offerFreeSlots(server: Server): void {
    for (let slot = server.running.size; slot < this.slots; slot += 1) this.releaseSlot(server);
  }
}
