import { ConfigError } from '../../components/model/errors';
import type { Membership } from '../../components/model/membership';
import type { Preflight } from '../../components/preflight';
import { labelledWorkers } from '../../components/preflight/labelled-workers';
import type { StackOutputs } from '../../components/stack-record';
import { deploy, type IntentBase } from '../../deploy';
import type { Intent, IntentBook } from '../registry/types';
import { UpdateFailedError } from './types';
import type { Plan } from './update-events';

/** What an update is decided from, under the stack's lock. */
export interface Situation extends IntentBase {
  /** Workers that Hetzner has, by label. */
  readonly existing: ReturnType<typeof labelledWorkers>;
}

/** The membership that an update shall declare. */
export type Decide = (situation: Situation) => Promise<Membership>;

export interface RunOptions {
  readonly stack: string;
  readonly projectDirectory: string;
  readonly environment: NodeJS.ProcessEnv;
  readonly intents: IntentBook;
  /** This process; `host` as `os.hostname()` tells it, because the engine writes that into its locks. */
  readonly holder: Intent['holder'];
  /** Seconds since 1970. */
  readonly now: () => number;
}

/** The program of one update, and what became of it: the engine hands errors on as text only. */
export class UpdateProgram {
  plan: Plan | undefined;
  outputs: StackOutputs | undefined;
  error: unknown;
  /** The engine has ended: what is decided from now on would be another update's. */
  isOver = false;

  constructor(
    private readonly options: RunOptions,
    private readonly facts: Promise<Preflight>,
    private readonly decide: Decide,
    /** Logical names of what the latest update could not create. */
    private readonly lost: ReadonlySet<string>,
  ) {}

  readonly run = async (): Promise<StackOutputs> => {
    const { environment, projectDirectory, now } = this.options;
    try {
      this.outputs = await deploy({
        facts: this.facts,
        environment,
        directory: projectDirectory,
        now: () => now() * 1000,
        intend: this.intend,
        lost: this.lost,
      });
      return this.outputs;
    } catch (error) {
      this.error ??= error instanceof ConfigError ? error : asUpdateFailed(error);
      throw stopped();
    }
  };

  private readonly intend = async (base: IntentBase): Promise<Membership> => {
    const { intents, stack, now, holder } = this.options;
    const { servers } = await this.facts;
    try {
      const after = await this.decide({ ...base, existing: labelledWorkers(servers) });
      if (this.isOver) throw stopped();
      await intents.write({ environment: stack, membership: after, at: now(), holder });
      this.plan = { before: base.recorded, after };
      return after;
    } catch (error) {
      // The caller's own: it gets it back as it was.
      this.error = error;
      throw error;
    }
  };
}

function asUpdateFailed(error: unknown): UpdateFailedError {
  return new UpdateFailedError(error instanceof Error ? error.message : String(error), { cause: error });
}

/** What the engine is told instead of an error: it would mark every path of a stack trace, for seconds. */
function stopped(): Error {
  const error = new Error('the update was stopped before anything was declared');
  error.stack = error.message;
  return error;
}
