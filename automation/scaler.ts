import { busyBackoff } from './apply/busy';
import { Leavers } from './apply/leavers';
import { type UpdateOrder, type UpdateOutcome, updateStack } from './apply/update-stack';
import type { StackRunner, UpdateReport } from './apply/types';
import type { Clock } from './clock';
import { decideStack } from './decide/stack';
import type { Alarm, StackDecision, StackPlan } from './decide/stack-types';
import { type Lead, NotLeading } from './lead';
import type { Log } from './log';
import type { Observer, Sight } from './observe/observer';
import { recordDecision, recordUpdate } from './record';
import type { Registry } from './registry/types';
import type { StackFile, StackSettings } from './stack-file';
import { reportStatus, standing } from './status-report';
import { troubleOf } from './trouble';
import { type StackStatus, STATUS_KEY } from './status';
import type { Term } from './term';

export interface ScalerParts {
  readonly environment: string;
  /** Host and process, as shown to people. */
  readonly name: string;
  readonly dryRun: boolean;
  readonly lead: Lead;
  readonly file: StackFile;
  readonly observer: Observer;
  readonly runner: StackRunner;
  readonly registry: Registry;
  readonly clock: Clock;
  readonly random: () => number;
  readonly log: Log;
  /** Asks for the next round at once. */
  readonly wake: () => void;
  /** What the round came to, for metrics. */
  readonly publish: (status: StackStatus) => void;
}

/** Keeps one stack's pools at the size that their queues ask for: observe, decide, apply, record. */
export class Scaler {
  private updating: Promise<void> | undefined;
  private status: StackStatus | undefined;
  private audited = '';
  private trouble: string | undefined;
  private readonly leavers: Leavers;

  constructor(private readonly parts: ScalerParts) {
    this.leavers = new Leavers(parts.environment, parts.registry, parts.log);
  }

  /** One round. An update that it starts goes on after it; until that ends, further rounds only watch. */
  async reconcile(): Promise<void> {
    try {
      await this.round();
      this.trouble = undefined;
    } catch (error) {
      await this.tell(error);
    }
  }

  private async round(): Promise<void> {
    const { lead, file, registry, environment, clock } = this.parts;
    const settings = await file.current();
    const term = await lead.term(settings);
    if (term === NotLeading) return;
    if (!this.updating) await lead.refreshRecord(term, clock.now());

    if (usesSlots(settings)) await registry.slots.settle(environment, clock.now());
    const { sight, plan, memory } = await this.decide(term, settings);
    term.memory = memory;
    term.decidedAt = sight.observation.now;
    term.news = {};
    await registry.memory.set(environment, 'decide', memory);

    await this.report(sight, term, plan);
    if (!this.mayAct(sight)) return;
    await this.order(sight, plan);
    this.startUpdate(sight, term, plan);
    await this.tidy(sight);
  }

  /** A round that could not be made: said once, and shown as long as it stays so. */
  private async tell(error: unknown): Promise<void> {
    const { registry, environment, clock, publish, log } = this.parts;
    const alarm = troubleOf(error);
    if (!alarm || alarm.message !== this.trouble) log.error('round-failed', { environment, error });
    this.trouble = alarm?.message;
    if (!alarm || !registry.leadership.holds(environment)) return;
    const now = clock.now();
    const before = this.status ?? this.emptyStatus();
    this.status = { ...before, at: now, alarms: standing([alarm], before.alarms, now) };
    publish(this.status);
    await registry.memory.set(environment, STATUS_KEY, this.status);
  }

  private emptyStatus(): StackStatus {
    const { environment, name, dryRun } = this.parts;
    return {
      environment,
      at: 0,
      leader: name,
      enabled: false,
      dryRun,
      pools: {},
      update: {},
      cost: { hourly: 0 },
      deprecations: [],
      alarms: [],
    };
  }

  /** What is sold out is looked up anew before the first launch that has a choice. */
  private async decide(term: Term, settings: StackSettings): Promise<{ sight: Sight } & StackDecision> {
    const { observer } = this.parts;
    const sight = await observer.look(term, settings, { launching: false });
    const decision = decideStack(sight.observation, sight.policy, term.memory);
    const choices = decision.plan.launches.map(({ pool }) => sight.policy.pools[pool]!.placements.length);
    if (choices.length === 0 || !observer.needsFreshCatalogue(Math.max(...choices)))
      return { sight, ...decision };
    const again = await observer.look(term, settings, { launching: true });
    return { sight: again, ...decideStack(again.observation, again.policy, term.memory) };
  }

  /** Resolves when the update that runs, if one does, has ended. */
  async settled(): Promise<void> {
    await this.updating;
  }

  private mayAct({ settings, observation }: Sight): boolean {
    return (
      settings.config.autoscaling.enabled && !this.parts.dryRun && observation.orders.pause === undefined
    );
  }

  /** What workers are told with their next heartbeat. */
  private async order({ observation: { now } }: Sight, { drains, resumes }: StackPlan): Promise<void> {
    const { registry, environment } = this.parts;
    for (const { id, cause, reason } of drains) {
      await registry.workers.drain(environment, [id], { cause, reason }, now);
    }
    if (resumes.length > 0) await registry.workers.resume(environment, resumes);
  }

  /** What is left to do after workers are gone. A failure is no reason to stop: it is tried again. */
  private async tidy({ settings, observation: { now } }: Sight): Promise<void> {
    const { observer, environment, log } = this.parts;
    await this.leavers.removeDevices(observer.vendors(settings).tailnet, now).catch((error: unknown) => {
      log.warn('devices-not-removed', { environment, error });
    });
  }

  private startUpdate(sight: Sight, term: Term, { launches, removals }: StackPlan): void {
    const { clock, runner, registry, log } = this.parts;
    const { now } = sight.observation;
    if (this.updating || now < term.update.notBefore) return;
    if (launches.length === 0 && removals.length === 0 && term.failed.size === 0) return;
    term.update.runningSince = now;
    const most = Object.fromEntries(
      Object.entries(sight.policy.pools).map(([pool, { maxSize }]) => [pool, maxSize]),
    );
    log.info('update-started', {
      environment: this.parts.environment,
      launches: launches.length,
      removals: removals.map(({ id }) => id),
    });
    const order: UpdateOrder = { launches, removals, failed: term.failed, most };
    this.updating = updateStack({ runner, registry, now: () => clock.now() }, order)
      .then((outcome) => this.finish(term, order, outcome))
      .catch((error: unknown) => {
        log.error('update-crashed', { environment: this.parts.environment, error });
        this.putOff(
          term,
          'failed',
          'the update ended in a way that nobody expected; the log has the details',
        );
      })
      .finally(() => {
        this.updating = undefined;
        delete term.update.runningSince;
        this.parts.wake();
      });
  }

  private async finish(term: Term, order: UpdateOrder, outcome: UpdateOutcome): Promise<void> {
    const { environment, registry, clock, log } = this.parts;
    if (outcome.kind !== 'done') {
      log.warn('update-put-off', { environment, why: outcome.kind, problem: outcome.problem });
      this.putOff(term, outcome.kind === 'busy' ? 'busy' : 'failed', outcome.problem);
      return;
    }
    const { report, spared } = outcome;
    const now = clock.now();
    term.record = report.outputs;
    term.recordReadAt = now;
    term.failed = new Set(report.failedLaunches.map(({ worker }) => worker));
    term.news = newsOf(report);
    term.update = {
      lastAt: now,
      lastSeconds: report.seconds,
      lastOutcome: report.outcome,
      ...(report.problems[0] === undefined ? {} : { lastProblem: report.problems[0] }),
      attempts: 0,
      notBefore: now,
    };
    if (report.outcome === 'failed' && report.launched.length + report.removed.length === 0) {
      this.putOff(term, 'failed', report.problems[0] ?? 'the update failed');
    }
    await recordUpdate(registry, environment, report, spared, now);
    await this.leavers.left([...report.removed, ...order.failed], now);
    log.info('update-finished', { environment, ...summaryOf(report), spared });
  }

  /** The next try comes later each time, and at different times in different processes. */
  private putOff(term: Term, lastOutcome: 'failed' | 'busy', problem: string): void {
    const now = this.parts.clock.now();
    const { attempts } = term.update;
    term.update = {
      ...term.update,
      lastAt: now,
      lastOutcome,
      lastProblem: problem,
      attempts: attempts + 1,
      notBefore: now + busyBackoff(attempts, this.parts.random),
    };
  }

  private async report(sight: Sight, term: Term, plan: StackPlan): Promise<void> {
    const { registry, environment, name, dryRun, publish } = this.parts;
    const alarms = [...plan.alarms, ...sight.alarms, ...this.ownAlarms(term)];
    const { attempts: _attempts, notBefore: _notBefore, ...update } = term.update;
    this.status = reportStatus({
      environment,
      now: sight.observation.now,
      leader: name,
      dryRun,
      config: sight.settings.config,
      orders: sight.observation.orders,
      workers: sight.workers,
      queues: sight.queues,
      plan: { pools: plan.pools, alarms },
      update,
      api: sight.api,
      spentThisMonth: sight.observation.spentThisMonth,
      deprecations: sight.deprecations,
      before: this.status?.alarms ?? [],
    });
    publish(this.status);
    await registry.memory.set(environment, STATUS_KEY, this.status);
    this.audited = await recordDecision(registry, environment, sight, plan, alarms, this.audited);
  }

  private ownAlarms(term: Term): Alarm[] {
    const { file } = this.parts;
    const { attempts, lastOutcome, lastProblem } = term.update;
    const alarms: Alarm[] = [];
    if (file.fault !== undefined) {
      alarms.push({
        code: 'config-wrong',
        severity: 'critical',
        message: `the stack's file is wrong, and the one before it is used: ${file.fault}`,
        next: 'correct the file; it is read again as soon as it changes',
      });
    }
    if (attempts >= STALLED_AFTER) {
      alarms.push({
        code: lastOutcome === 'busy' ? 'stack-held' : 'updates-fail',
        severity: 'critical',
        message: `${attempts} updates in a row came to nothing: ${lastProblem ?? ''}`,
        next:
          lastOutcome === 'busy'
            ? 'see who holds the stack with `worker-pools doctor`; a run that is dead is released with `pulumi cancel`'
            : 'see `worker-pools explain --kind update`, and try `pulumi preview` with the same stack',
      });
    }
    return alarms;
  }
}

/** Updates in a row that came to nothing before a person is called: about a minute of trying. */
const STALLED_AFTER = 5;

/** What became of launches, by pool, for the next decision. */
function newsOf({ outputs, launched, failedLaunches }: UpdateReport): Term['news'] {
  return Object.fromEntries(
    Object.entries(outputs.membership).map(([pool, { members }]) => [
      pool,
      {
        failures: failedLaunches.filter((failure) => failure.pool === pool),
        launched: members.filter(({ id }) => launched.includes(id)),
      },
    ]),
  );
}

function summaryOf({ outcome, launched, removed, failedLaunches, problems, seconds }: UpdateReport): object {
  return { outcome, launched, removed, failedLaunches, problems, seconds };
}

function usesSlots({ config }: StackSettings): boolean {
  return Object.values(config.pools).some(({ queue }) => queue?.kind === 'slots');
}
