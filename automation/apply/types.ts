import type { Membership } from '../../components/model/membership';
import type { Placement } from '../../components/model/config-schema';
import type { StackOutputs } from '../../components/stack-record';
import type { LabelledWorker } from '../../components/model/plan';
import type { LaunchFailure } from '../decide/types';

/** What an update shall change, relative to what is recorded when it holds the stack's lock. */
export interface MembershipChange {
  readonly launches: readonly ({ readonly pool: string } & Placement)[];
  /** Ids of members. One that is not recorded any more is passed over: somebody was faster. */
  readonly removals: readonly string[];
}

export interface FailedLaunch extends LaunchFailure {
  readonly worker: string;
  readonly pool: string;
  /** The vendor's own words. */
  readonly message: string;
}

export interface UpdateReport {
  readonly outcome: 'succeeded' | 'failed';
  /** As recorded after it; members whose launch failed are still in it. */
  readonly outputs: StackOutputs;
  readonly launched: readonly string[];
  /** Also those that an update before this one could not remove. */
  readonly removed: readonly string[];
  /** Names of resources that could not be deleted: the state has them still, and the next update tries again. */
  readonly undeleted: readonly string[];
  readonly failedLaunches: readonly FailedLaunch[];
  /** What else went wrong, one sentence each, without secrets. */
  readonly problems: readonly string[];
  readonly seconds: number;
}

/** Another update holds the stack: not a failure, try again later. */
export class StackBusyError extends Error {
  override name = 'StackBusyError';

  constructor(
    message: string,
    /** Who holds it, where the backend tells. */
    readonly holder?: { host: string; pid: number; user: string; since: number },
  ) {
    super(message);
  }
}

/** The update could not begin or left no record; nothing is known to have changed. */
export class UpdateFailedError extends Error {
  override name = 'UpdateFailedError';
}

/** What an update shall change, by what is recorded and by the workers that Hetzner has, whether they are recorded or not. */
export type Change = (recorded: Membership, existing: readonly LabelledWorker[]) => Promise<MembershipChange>;

/** One stack through the Automation API. One update at a time. */
export interface StackRunner {
  /** The stack's name without organization and project. */
  readonly environment: string;
  /** The stack's whole configuration, decrypted, by full key (`hcloud:token`, `worker-pools:pools`). */
  readConfig(): Promise<ReadonlyMap<string, string>>;
  /** What the last update recorded; undefined for a stack that was never up. */
  readRecord(): Promise<StackOutputs | undefined>;
  /**
   * Runs `deploy()` with what is recorded plus a change.
   * @param change is asked under the stack's lock, at the last moment before resources are declared
   * @throws StackBusyError, UpdateFailedError, ConfigError
   */
  update(change: Change): Promise<UpdateReport>;
  /** Ids of the resources that the state holds; settled when no update runs and none left anything half done. */
  readState(): Promise<{ readonly ids: ReadonlySet<string>; readonly settled: boolean }>;
  /**
   * After a kill: breaks a lock that is provably our own and dead, and rolls an open intent forward.
   * @returns one sentence for each thing done; empty when there was nothing to do
   * @throws StackBusyError when somebody else's lock is in the way
   */
  recover(): Promise<string[]>;
  close(): Promise<void>;
}
