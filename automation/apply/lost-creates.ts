import type { PreflightQuestion } from '../../components/preflight';
import { VendorError } from '../../components/preflight/http';
import type { ExportedState, PendingCreate } from './exported-state';
import { clear } from './pending-creates';

/** Seconds that a vendor's clock may be behind ours. */
const CLOCK_SKEW = 60;

/** What the latest update of a stack could not create: its answer may have been lost on the way. */
export class LostCreates {
  private creates: readonly PendingCreate[] = [];

  /** Their logical names. */
  get names(): ReadonlySet<string> {
    return new Set(this.creates.map(({ name }) => name));
  }

  /**
   * Remembers what an update could not create instead of what one before it could not.
   * @param began when the update did, in seconds; what failed before, too, was asked for as early as then
   */
  follow(failed: readonly PendingCreate[], began: number): void {
    this.creates = failed.map((create) => ({
      ...create,
      since: this.creates.find(({ name }) => name === create.name)?.since ?? began - CLOCK_SKEW,
    }));
  }

  /**
   * Makes room for the next try. To be called under the stack's lock, where nobody else is making the same. Where a vendor
   * does not answer, the create fails once more, and is looked for again.
   * @returns one sentence for each thing done
   */
  async clear(readState: () => Promise<ExportedState>, question: PreflightQuestion): Promise<string[]> {
    if (this.creates.length === 0) return [];
    return clear(this.creates, await readState(), question).catch((error: unknown) => {
      if (!(error instanceof VendorError)) throw error;
      return [`what the latest update may have left could not be looked for: ${error.message}`];
    });
  }
}
