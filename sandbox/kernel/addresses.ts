import { createServer, type Server } from 'node:net';
import type { AddressPool } from './lifecycle';

/** The block's first address carries the listening socket that says "taken"; any fixed port does. */
const CLAIM_PORT = 20177;
const BLOCK_SIZE = 4096;
const CLAIM_TRIES = 64;

export interface AddressSnapshot {
  /** First address of the block, `127.A.B.0`. */
  block: string;
  taken: string[];
}

/** A block of loopback addresses claimed for this process alone. */
export interface ClaimedAddresses extends AddressPool {
  readonly block: string;
  /** False where the system has only 127.0.0.1 (macOS): addresses are handed out, but nothing can listen on them. */
  readonly reachable: boolean;
  snapshot(): AddressSnapshot;
  /** Claims the snapshot's block in place of the present one. Throws AddressesInUseError when another sandbox has it. */
  restore(snapshot: AddressSnapshot): Promise<void>;
  reset(): void;
  close(): Promise<void>;
}

export class AddressesInUseError extends Error {
  override name = 'AddressesInUseError';
}

/**
 * Claims a free block `127.A.B.0/20`: whoever holds the listening socket on its first address owns it, so two
 * sandboxes on one machine never share and a killed one leaves nothing behind.
 */
export async function claimAddresses(drawBlock: () => string = randomBlock): Promise<ClaimedAddresses> {
  for (let attempt = 0; attempt < CLAIM_TRIES; attempt++) {
    const block = drawBlock();
    const claim = await tryClaim(block);
    if (claim !== 'in use') return new Pool(block, claim);
  }
  throw new AddressesInUseError(
    `no free block of loopback addresses after ${CLAIM_TRIES} tries; is something listening on port ${CLAIM_PORT} of all addresses?`,
  );
}

/** Blocks start at 127.2.0.0: lower ones hold what systems use themselves (127.0.0.1, 127.0.0.53, 127.0.1.1). */
function randomBlock(): string {
  const second = 2 + Math.floor(Math.random() * 253);
  const third = 16 * Math.floor(Math.random() * 16);
  return `127.${second}.${third}.0`;
}

async function tryClaim(block: string): Promise<Server | 'in use' | 'unreachable'> {
  const server = createServer((socket) => socket.destroy());
  return new Promise((resolve, reject) => {
    server.once('error', (error: NodeJS.ErrnoException) => {
      if (error.code === 'EADDRINUSE') resolve('in use');
      else if (error.code === 'EADDRNOTAVAIL') resolve('unreachable');
      else reject(error);
    });
    server.listen(CLAIM_PORT, addressAt(block, 1), () => resolve(server.unref()));
  });
}

function addressAt(block: string, offset: number): string {
  const [first, second, third] = block.split('.').map(Number);
  return `${first}.${second}.${(third ?? 0) + (offset >> 8)}.${offset & 255}`;
}

class Pool implements ClaimedAddresses {
  private taken = new Set<string>();
  /** Addresses go round, so that one just released is the last to come back: clients remember host keys. */
  private cursor = 1;

  constructor(
    private currentBlock: string,
    private claim: Server | 'unreachable',
  ) {}

  get block(): string {
    return this.currentBlock;
  }

  get reachable(): boolean {
    return this.claim !== 'unreachable';
  }

  take(): string {
    for (let step = 0; step < BLOCK_SIZE; step++) {
      this.cursor = (this.cursor + 1) % BLOCK_SIZE;
      const address = addressAt(this.currentBlock, this.cursor);
      // As in a real subnet, .0 and .255 are left alone; the first address holds the claim.
      const usable = this.cursor > 1 && (this.cursor & 255) !== 0 && (this.cursor & 255) !== 255;
      if (!usable || this.taken.has(address)) continue;
      this.taken.add(address);
      return address;
    }
    throw new Error(`all addresses of ${this.currentBlock}/20 are in use`);
  }

  release(address: string): void {
    this.taken.delete(address);
  }

  snapshot(): AddressSnapshot {
    return { block: this.currentBlock, taken: [...this.taken] };
  }

  async restore(snapshot: AddressSnapshot): Promise<void> {
    if (snapshot.block !== this.currentBlock) {
      const claim = await tryClaim(snapshot.block);
      if (claim === 'in use')
        throw new AddressesInUseError(
          `the snapshot's addresses (${snapshot.block}/20) belong to a sandbox that is running; stop that one first`,
        );
      await this.close();
      this.currentBlock = snapshot.block;
      this.claim = claim;
    }
    this.taken = new Set(snapshot.taken);
  }

  reset(): void {
    this.taken.clear();
  }

  async close(): Promise<void> {
    const claim = this.claim;
    if (claim !== 'unreachable') await new Promise((resolve) => claim.close(resolve));
  }
}
