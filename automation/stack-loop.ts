import { hostname } from 'node:os';
import { openStack } from './apply/stack-runner';
import { Sweeper } from './apply/sweeper';
import type { Metrics } from './http/metrics';
import { type Check, roundCheck } from './http/readiness';
import type { ServedStack } from './http/stacks';
import { Lead } from './lead';
import { Observer } from './observe/observer';
import { QueueReadings } from './observe/queue-readings';
import { openQueue } from './observe/queues';
import type { Registry } from './registry/types';
import { Reporter } from './reporter';
import { Scaler } from './scaler';
import { sizeBounds } from '../components/model/pool';
import { registrationSecrets } from '../components/model/worker-machine';
import type { Settings } from './settings';
import { StackFile } from './stack-file';
import type { Surroundings } from './service';

/** Seconds between two rounds. */
export const TICK = 10;
/** Seconds after which a round is missing: vendors that do not answer delay one by less. */
const ROUND_PATIENCE = 120;
/** Real time that one reading of a queue may take. */
const QUEUE_TIMEOUT_MS = 8_000;

export interface StackLoopParts {
  readonly settings: Settings;
  readonly surroundings: Surroundings;
  readonly registry: Registry;
  readonly metrics: Metrics;
}

/** One stack that this process serves: its rounds, and what the HTTP side may know of it. */
export class StackLoop {
  private lastRound: number | undefined;
  private woken = new AbortController();

  private constructor(
    readonly environment: string,
    private readonly parts: StackLoopParts,
    private readonly scaler: Scaler,
    private readonly file: StackFile,
    private readonly closers: readonly (() => Promise<void>)[],
  ) {}

  /** @throws ConfigError when the stack cannot be opened, or its file is wrong */
  static async open(stack: string, parts: StackLoopParts): Promise<StackLoop> {
    const { settings, surroundings, registry, metrics } = parts;
    const { clock, random, log, censor } = surroundings;
    const now = (): number => clock.now();
    const holder = { host: hostname(), pid: process.pid, startedAt: Date.now() / 1000 - process.uptime() };
    const runner = await openStack({
      stack,
      projectDirectory: settings.project,
      pulumiHome: `${settings.data}/pulumi`,
      environment: settings.environment,
      intents: registry.intents,
      holder,
      now,
      censor,
      log: (line) => log.warn('engine', { environment: stack, line }),
    });
    const { environment } = runner;
    const file = new StackFile({
      environment,
      project: settings.project,
      variables: settings.environment,
      readConfig: () => runner.readConfig(),
    });
    const queues = new QueueReadings({
      environment,
      open: (queue) => openQueue(queue, { directory: settings.project }),
      slots: registry.slots,
      timeoutMs: QUEUE_TIMEOUT_MS,
      now,
    });
    const name = `${holder.host}/${holder.pid}`;
    const { dryRun } = settings;
    let loop: StackLoop | undefined = undefined;
    try {
      const first = await file.current();
      censor.add(...first.secrets);
      const scaler = new Scaler({
        environment,
        dryRun,
        lead: new Lead({ environment, name, dryRun, runner, registry, now, log }),
        file,
        observer: new Observer({ environment, registry, queues, now, tick: TICK }),
        runner,
        registry,
        clock,
        random,
        log,
        wake: () => loop?.wake(),
        sweeper: new Sweeper({ environment, runner, registry, now, log }),
        reporter: new Reporter({ environment, name, dryRun, registry, metrics, log }),
      });
      loop = new StackLoop(environment, parts, scaler, file, [() => runner.close(), () => queues.close()]);
      return loop;
    } catch (error) {
      await runner.close();
      throw error;
    }
  }

  /** What the HTTP side may know, as the file says now. */
  served(): ServedStack {
    const { config } = this.file.latest;
    return {
      registrationSecrets: registrationSecrets(config),
      pools: new Map(
        Object.entries(config.pools).map(([name, pool]) => [
          name,
          { slots: pool.slots, kind: pool.queue?.kind, ...sizeBounds(pool) },
        ]),
      ),
    };
  }

  /** The next round begins now. */
  wake(): void {
    this.woken.abort();
  }

  /** Whether its rounds still come, as leader or standing by. */
  health(): Check {
    const { clock } = this.parts.surroundings;
    return roundCheck(this.environment, {
      lastRound: this.lastRound,
      now: clock.now(),
      patience: ROUND_PATIENCE,
    });
  }

  /** Rounds until the signal; resolves when the last update has ended. */
  async run(signal: AbortSignal): Promise<void> {
    const { clock } = this.parts.surroundings;
    while (!signal.aborted) {
      this.woken = new AbortController();
      const began = clock.now();
      await this.reconcile();
      const rest = TICK - (clock.now() - began);
      if (rest > 0) await clock.sleep(rest, AbortSignal.any([signal, this.woken.signal]));
    }
    await this.scaler.settled();
  }

  /** One round, and whatever it started. */
  async round(): Promise<void> {
    await this.reconcile();
    await this.scaler.settled();
  }

  /** A round that fails is told and tried again with the next one: nothing may end the service but its operator. */
  private async reconcile(): Promise<void> {
    const { log } = this.parts.surroundings;
    const began = performance.now();
    try {
      await this.scaler.reconcile();
    } catch (error) {
      log.error('round-failed', { environment: this.environment, error });
    }
    this.lastRound = this.parts.surroundings.clock.now();
    this.parts.metrics.tickDuration.observe(
      { environment: this.environment },
      (performance.now() - began) / 1000,
    );
  }

  async close(): Promise<void> {
    await this.scaler.settled();
    for (const closer of this.closers) await closer();
  }
}
