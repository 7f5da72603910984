import type { PoolConfig } from '../../components/model/config-schema';
import type { Membership } from '../../components/model/membership';
import type { Alarm, PoolFacts, StackObservation, StackPolicy } from '../decide/stack-types';
import type { RegisteredWorker, Registry } from '../registry/types';
import { monthSpend, monthStart } from '../spend';
import type { StackSettings } from '../stack-file';
import { stackPolicy } from '../stack-policy';
import type { StackStatus } from '../status';
import type { Term } from '../term';
import type { QueueReadings, QueueState } from './queue-readings';
import type { CloudServer, WorkerView } from './types';
import type { Vendors } from './vendors';

/** All that one round goes by. */
export interface Sight {
  readonly settings: StackSettings;
  readonly observation: StackObservation;
  readonly policy: StackPolicy;
  readonly workers: readonly WorkerView[];
  /** Servers of ours by label that are no members. */
  readonly strangers: readonly CloudServer[];
  readonly queues: ReadonlyMap<string, QueueState>;
  readonly api: StackStatus['api'];
  readonly deprecations: StackStatus['deprecations'];
  /** What could not be seen. */
  readonly alarms: readonly Alarm[];
}

export interface ObserverParts {
  readonly environment: string;
  readonly registry: Registry;
  readonly queues: QueueReadings;
  readonly vendors: (settings: StackSettings) => Vendors;
  /** Seconds between two rounds. */
  readonly tick: number;
}
