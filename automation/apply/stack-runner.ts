import { readConfigValues } from '../../components/config-values';
import { parseStackConfig } from '../../components/model/config';
import { urnName, workersOf } from '../../components/model/names';
import { preflight, type PlanQuestion } from '../../components/preflight';
import { readCredentials } from '../../components/preflight/credentials';
import type { StackOutputs } from '../../components/stack-record';
import type { Intent } from '../registry/types';
import { CliError } from './cli';
import { EngineNotes } from './engine-notes';
import { EngineStack, type EngineStackOptions } from './engine-stack';
import { breakLock, holderIn, isDead, isOurs, readLocks, stackBusy, startOf, type Holder } from './lock';
import { LostCreates } from './lost-creates';
import { keepsItsName, settle } from './pending-creates';
import { describeRecovery } from './recovery-report';
import { changed, rollForward } from './roll-forward';
import { type Change, StackBusyError, type StackRunner, UpdateFailedError, type UpdateReport } from './types';
import { UpdateEvents, type Plan } from './update-events';
import { UpdateProgram, type Decide, type RunOptions } from './update-program';

export interface StackRunnerOptions extends Omit<EngineStackOptions, 'lockerStarted'>, RunOptions {
  /** Told what the engine warns of, without secrets. */
  readonly log?: (line: string) => void;
}

/** What came of an update, with what is gone though the state has it. */
type Declared = UpdateReport & { readonly gone: readonly string[] };

/**
 * Opens one stack for the service. The engine runs `deploy()` inline, in this process. Nothing is written into the
 * checkout.
 * @throws ConfigError with what is missing: the command line, the project, the passphrase, the backend, the stack
 */
export async function openStack(options: StackRunnerOptions): Promise<StackRunner> {
  const { pulumiHome, holder } = options;
  const notes = new EngineNotes(pulumiHome, options.stack);
  const lockerStarted = (pid: number): void => notes.write({ host: holder.host, pid });
  const stack = await EngineStack.open({ ...options, lockerStarted });
  const record = await stack.readRecord();
  return new EngineStackRunner(stack, notes, Object.keys(record?.membership ?? {}), options);
}

class EngineStackRunner implements StackRunner {
  private running: Promise<unknown> | undefined;
  /** An update of this process ended without a record. */
  private interrupted = false;
  private readonly lost = new LostCreates();

  constructor(
    private readonly stack: EngineStack,
    private readonly notes: EngineNotes,
    /** Pools that the record had when it was last seen. */
    private knownPools: string[],
    private readonly options: StackRunnerOptions,
  ) {}

  get environment(): string {
    return this.stack.name;
  }

  readConfig(): Promise<ReadonlyMap<string, string>> {
    return this.stack.readConfig();
  }

  readRecord(): Promise<StackOutputs | undefined> {
    return this.stack.readRecord();
  }

  async readState(): Promise<{ ids: ReadonlySet<string>; settled: boolean }> {
    const { ids, settled } = await this.stack.exportState();
    return { ids, settled: settled === undefined && this.running === undefined };
  }

  /** A second one while one runs is refused at once: by the time it had waited, what it was decided on would be old. */
  update(change: Change): Promise<UpdateReport> {
    return this.alone(async () => {
      if (this.interrupted) await this.recoverNow();
      return this.declare(async ({ recorded, existing, launchOf }) => {
        const before = rollForward({ recorded, existing });
        return changed(before, await change(before, existing), launchOf);
      });
    });
  }

  recover(): Promise<string[]> {
    return this.alone(() => this.recoverNow());
  }

  /** Waits for the update that runs: one that is cancelled may leave a machine that nobody knows. */
  async close(): Promise<void> {
    await this.running?.catch(() => undefined);
  }

  private async alone<T>(work: () => Promise<T>): Promise<T> {
    if (this.running)
      throw new StackBusyError(`an update of ${this.environment} runs in this process already`);
    const running = work();
    this.running = running;
    try {
      return await running;
    } finally {
      this.running = undefined;
    }
  }

  private async recoverNow(): Promise<string[]> {
    const intent = await this.options.intents.open(this.environment);
    const done = this.breakDeadLocks(intent);
    if (!intent) {
      this.interrupted = false;
      return done;
    }
    const state = await this.stack.exportState();
    this.lost.follow(state.pendingCreates.filter(keepsItsName), this.options.now());
    const settled = await settle(this.stack, state, await this.question(), this.options.pulumiHome);
    done.push(...settled.map((line) => this.options.censor.text(line)));
    let plan: Plan | undefined;
    const report = await this.declare(async ({ recorded, existing }) => {
      const inState = Object.entries(intent.membership).flatMap(([pool, { members }]) =>
        members.filter(({ id }) => state.workers.has(id)).map((member) => ({ pool, member })),
      );
      const after = rollForward({
        recorded,
        intended: intent.membership,
        existing: [...existing, ...inState],
      });
      plan = { before: recorded, after };
      return after;
    });
    this.interrupted = false;
    return [...done, ...describeRecovery(plan!, report)];
  }

  /**
   * On a `file://` backend locks can be read before anything is run. For others the engine tells of them when it fails.
   * @throws StackBusyError for one that is not provably ours and dead
   */
  private breakDeadLocks(intent: Intent | undefined): string[] {
    if (this.stack.backend === undefined) return [];
    return readLocks(this.stack.backend, this.stack.project, this.stack.name).map((lock) => {
      if (!this.isOursAndDead(lock, intent)) throw stackBusy(this.environment, lock);
      breakLock(lock);
      return `broke the lock that process ${lock.pid} of this service left on ${lock.host}`;
    });
  }

  private isOursAndDead(lock: Holder, intent: Intent | undefined): boolean {
    const here = { host: this.options.holder.host, now: this.options.now(), startOf };
    return isOurs(lock, { note: this.notes.read(), intent }) && isDead(lock, here);
  }

  /**
   * Runs an update. A second one follows where the first could not delete what is gone already: once the state has
   * forgotten it, what belongs to it can go.
   */
  private async declare(decide: Decide): Promise<UpdateReport> {
    const { gone, ...first } = await this.declareUnlocked(decide);
    if (gone.length === 0) return first;
    await this.stack.forget(gone).catch((error: unknown) => {
      throw this.refusal(error);
    });
    const names = gone.map(urnName);
    const second = await this.declareUnlocked(async ({ recorded }) => recorded);
    return {
      ...second,
      launched: [...first.launched, ...second.launched],
      removed: [...first.removed, ...workersOf(names), ...second.removed],
      problems: [...new Set([...first.problems.filter((line) => !isOf(line, names)), ...second.problems])],
      seconds: first.seconds + second.seconds,
    };
  }

  /** Runs an update; once more when the lock in its way was our own and dead. */
  private async declareUnlocked(decide: Decide): Promise<Declared> {
    try {
      return await this.declareOnce(decide);
    } catch (error) {
      if (!(error instanceof StackBusyError) || !error.holder) throw error;
      const intent = await this.options.intents.open(this.environment);
      if (!this.isOursAndDead(error.holder, intent)) throw error;
      await this.breakLockOf(error.holder);
      return this.declareOnce(decide);
    }
  }

  private async breakLockOf(holder: Holder): Promise<void> {
    const { backend, project, name } = this.stack;
    if (backend === undefined) return this.stack.cancel();
    readLocks(backend, project, name)
      .filter(({ host, pid }) => host === holder.host && pid === holder.pid)
      .forEach(breakLock);
  }

  private async declareOnce(decide: Decide): Promise<Declared> {
    const { options, stack } = this;
    const began = options.now();
    const question = await this.question();
    // Asked while the command line starts, so that the answers are there when the program wants them.
    const facts = preflight(question);
    facts.catch(() => undefined);
    const events = new UpdateEvents(options.log && ((text) => options.log?.(options.censor.text(text))));
    const decideWithRoom: Decide = async (situation) => {
      for (const line of await this.lost.clear(() => stack.exportState(), question))
        options.log?.(options.censor.text(line));
      return decide(situation);
    };
    const program = new UpdateProgram(options, facts, decideWithRoom, this.lost.names);
    const left = this.notes.read();
    const failure = await stack.up(program.run, events.take).then(
      () => undefined,
      (error: unknown) => error,
    );
    program.isOver = true;
    const { plan, outputs } = program;
    if (plan) this.lost.follow(events.failedCreates, began);
    if (wasKilled(failure) || (outputs && !events.hasRecorded)) {
      // The note stays: it tells whose lock was left.
      this.interrupted = true;
      throw new UpdateFailedError(
        `the engine ended without recording what it did to ${stack.name}; the next update recovers first`,
        { cause: failure },
      );
    }
    if (!plan || !outputs) {
      const refusal = this.refusal(program.error ?? failure);
      if (refusal instanceof StackBusyError && left) this.notes.write(left);
      else this.notes.clear();
      if (plan) await this.clearIntent();
      throw refusal;
    }
    this.notes.clear();
    this.knownPools = Object.keys(outputs.membership);
    const report = events.report(plan, (text) => options.censor.text(text));
    const problems = [...report.problems, ...(await this.clearIntent())];
    const outcome = failure === undefined ? report.outcome : 'failed';
    const seconds = options.now() - began;
    return { ...report, outcome, outputs, problems, seconds, gone: events.gone };
  }

  /** An intent that stays is no harm: it is rolled forward, to what is there, at the next start. */
  private async clearIntent(): Promise<string[]> {
    try {
      await this.options.intents.clear(this.environment);
      return [];
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error);
      return [this.options.censor.text(`the intent could not be cleared: ${reason}`)];
    }
  }

  private async question(): Promise<PlanQuestion> {
    const { environment, projectDirectory, now } = this.options;
    const config = await this.stack.readConfig();
    return {
      environment: this.environment,
      config: parseStackConfig(this.environment, readConfigValues(Object.fromEntries(config))),
      credentials: readCredentials(environment, (provider, key) => config.get(`${provider}:${key}`)),
      directory: projectDirectory,
      now: now() * 1000,
      knownPools: this.knownPools,
      choosesPlacements: true,
    };
  }

  /** Why nothing was declared. */
  private refusal(error: unknown): unknown {
    if (error instanceof CliError) {
      const text = this.options.censor.text(error.text);
      if (/stack is currently locked by|Another update is currently in progress/.test(text)) {
        return stackBusy(this.environment, holderIn(text));
      }
      return new UpdateFailedError(`the engine could not update ${this.environment}: ${text.trim()}`);
    }
    return error;
  }
}

/** By somebody else than us, such as a machine that runs out of memory. */
function wasKilled(failure: unknown): boolean {
  return failure instanceof CliError && failure.code === null;
}

function isOf(problem: string, names: readonly string[]): boolean {
  return names.some((name) => problem.startsWith(`${name}: `));
}
