import type { MemberRecord } from '../../components/model/membership';
import type { RegisteredWorker } from '../registry/types';

/** Times are seconds since 1970. */

/** A server of ours as the vendor's labelled list has it. */
export interface CloudServer {
  readonly id: number;
  readonly name: string;
  readonly pool: string;
  readonly worker: string;
  readonly created: number;
  /** Hetzner's own word: `initializing`, `starting`, `running`, `off`, `deleting`, … */
  readonly status: string;
  readonly serverType: string;
  readonly location: string;
  readonly configHash: string;
  readonly configHashVersion: number;
  readonly publicIpv4: boolean;
}

/** A device of the tailnet with our tags. */
export interface TailnetDevice {
  readonly id: string;
  readonly hostname: string;
  /** Its first tailnet address. */
  readonly address: string;
  readonly lastSeen: number;
}

/** A list with the time at which it was complete; absent parts could not be read and must not be taken for empty. */
export interface Dated<T> {
  readonly at: number;
  readonly items: readonly T[];
}

export type WorkerStatus =
  /** Launched, has not registered yet. */
  | 'booting'
  | 'ready'
  | 'draining'
  /** Not heard of for longer than a few beats, after it registered or may have done so with a registry that was lost. */
  | 'silent'
  /** Its server is off or gone, or was never made. */
  | 'lost';

/** One member of a pool with all that is known of it. */
export interface WorkerView {
  readonly id: string;
  readonly pool: string;
  readonly member: MemberRecord;
  readonly status: WorkerStatus;
  /** When its server was created; the launch decision's time until the list has it. */
  readonly created: number;
  /** Since when its machine can boot, until it registers: since it was made, or since this process first saw it. */
  readonly bootingSince?: number;
  /** The step in which its set-up failed, as it said; absent once it has registered. */
  readonly failedStep?: string;
  readonly drifted: boolean;
  readonly server?: CloudServer;
  readonly registered?: RegisteredWorker;
  readonly device?: TailnetDevice;
  /** EUR gross an hour. */
  readonly hourly: number;
}
