import type { Alarm, StackPlan } from './decide/stack-types';
import type { UpdateOutcome, UpdateOrder } from './apply/update-stack';
import type { Metrics } from './http/metrics';
import type { Log } from './log';
import type { Sight } from './observe/observer';
import { recordDecision, recordUpdate } from './record';
import type { Registry } from './registry/types';
import { type StackStatus, STATUS_KEY } from './status';
import { reportStatus, standing } from './status-report';
import type { Term } from './term';
import { troubleOf } from './trouble';

export interface ReporterParts {
  readonly environment: string;
  /** Host and process, as shown to people. */
  readonly name: string;
  readonly dryRun: boolean;
  readonly registry: Registry;
  readonly metrics: Metrics;
  readonly log: Log;
}

/** Tells what the rounds of one stack see and do: status, metrics, log and audit trail. */
export class Reporter {
  private status: StackStatus | undefined;
  private audited = '';
  private trouble: string | undefined;

  constructor(private readonly parts: ReporterParts) {}

  /** @param alarms what stands besides what the plan tells */
  async round(sight: Sight, term: Term, plan: StackPlan, alarms: readonly Alarm[]): Promise<void> {
    const { registry, environment, name, dryRun, metrics } = this.parts;
    const all = [...plan.alarms, ...sight.alarms, ...alarms];
    this.trouble = undefined;
    metrics.leader.set({ environment }, 1);
    for (const [pool, { error }] of sight.queues) {
      if (error !== undefined) metrics.queueReadFailures.inc({ environment, pool });
    }
    for (const pool of Object.keys(plan.pools)) metrics.decisions.inc({ environment, pool });
    await this.publish(
      reportStatus({
        environment,
        now: sight.observation.now,
        leader: name,
        dryRun,
        config: sight.settings.config,
        orders: sight.observation.orders,
        workers: sight.workers,
        queues: sight.queues,
        plan: { pools: plan.pools, alarms: all },
        update: term.update,
        api: sight.api,
        spentThisMonth: sight.observation.spentThisMonth,
        gatewayHourly: sight.observation.gatewayHourly ?? 0,
        deprecations: sight.deprecations,
        before: this.status?.alarms ?? [],
      }),
    );
    this.audited = await recordDecision(registry, environment, sight, plan, all, this.audited);
  }

  /** A round that could not be made: said once, and shown as long as it stays so. */
  async failed(error: unknown, now: number): Promise<void> {
    const { registry, environment, log } = this.parts;
    const alarm = troubleOf(error);
    if (!alarm || alarm.message !== this.trouble) log.error('round-failed', { environment, error });
    this.trouble = alarm?.message;
    if (!alarm || !registry.leadership.holds(environment)) return;
    const before = this.status ?? this.emptyStatus();
    await this.publish({ ...before, at: now, alarms: standing([alarm], before.alarms, now) });
  }

  /** Another process leads: what this one knew is not so any more. */
  standsBy(): void {
    const { metrics, environment } = this.parts;
    metrics.leader.set({ environment }, 0);
    metrics.retire(environment);
    this.status = undefined;
  }

  updateStarted({ launches, removals }: UpdateOrder): void {
    const { log, environment } = this.parts;
    log.info('update-started', {
      environment,
      launches,
      removals: removals.map(({ id, because }) => ({ id, because })),
    });
  }

  async updateEnded(order: UpdateOrder, outcome: UpdateOutcome, now: number): Promise<void> {
    const { log, environment, registry, metrics } = this.parts;
    if (outcome.kind !== 'done') {
      log.warn('update-put-off', { environment, why: outcome.kind, problem: outcome.problem });
      return;
    }
    const { report, spared } = outcome;
    const { outcome: result, launched, removed, failedLaunches, problems, seconds } = report;
    log.info('update-finished', {
      environment,
      outcome: result,
      launched,
      removed,
      failedLaunches,
      problems,
      seconds,
      spared,
    });
    metrics.updateDuration.observe({ environment, outcome: result }, seconds);
    for (const [pool, { members }] of Object.entries(report.outputs.membership)) {
      const count = members.filter(({ id }) => launched.includes(id)).length;
      if (count > 0) metrics.launches.inc({ environment, pool, outcome: 'succeeded' }, count);
    }
    for (const { pool, kind } of failedLaunches) metrics.launches.inc({ environment, pool, outcome: kind });
    for (const { id, pool, because } of order.removals) {
      if (removed.includes(id)) metrics.removals.inc({ environment, pool, because });
    }
    await recordUpdate(registry, environment, report, spared, now);
  }

  updateCrashed(error: unknown): void {
    this.parts.log.error('update-crashed', { environment: this.parts.environment, error });
  }

  private async publish(status: StackStatus): Promise<void> {
    this.status = status;
    this.parts.metrics.publish(status);
    await this.parts.registry.memory.set(this.parts.environment, STATUS_KEY, status);
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
}
