import type { Placement } from '../components/model/config-schema';
import type { StackOutputs } from '../components/stack-record';
import type { StackMemory } from './decide/stack-types';
import type { LaunchFailure } from './decide/types';

/** What the process that leads a stack knows between two ticks, from taking the lead until it loses it. */
export interface Term {
  /** When it began: silence of workers before that says nothing about them. */
  readonly since: number;
  /** When the first process led this stack with this registry: it knows nobody who registered before. */
  readonly registrySince: number;
  record: StackOutputs;
  recordReadAt: number;
  memory: StackMemory;
  /** When the last decision was made; what workers said since is new. */
  decidedAt: number;
  /** Members that the latest update could not make: recorded, without a server, and to be taken out again. */
  failed: ReadonlySet<string>;
  /** Resources that the latest update could not delete, or that a sweep found to be left in the state. */
  undeleted: ReadonlySet<string>;
  /** What became of launches since the last decision, by pool. */
  news: Readonly<Record<string, LaunchNews>>;
  update: UpdateState;
}

export interface LaunchNews {
  readonly failures: readonly LaunchFailure[];
  readonly launched: readonly Placement[];
}

export interface UpdateState {
  runningSince?: number;
  lastAt?: number;
  lastSeconds?: number;
  lastOutcome?: 'succeeded' | 'failed' | 'busy';
  lastProblem?: string;
  /** Updates in a row that changed nothing, because the stack was held or the engine refused. */
  attempts: number;
  /** No update before this. */
  notBefore: number;
}
