import { workersOf } from '../components/model/names';
import { busyBackoff } from './apply/busy';
import { Leavers } from './apply/leavers';
import { memberIds } from './apply/roll-forward';
import type { Sweeper } from './apply/sweeper';
import { type Removal, type UpdateOrder, type UpdateOutcome, updateStack } from './apply/update-stack';
import type { StackRunner, UpdateReport } from './apply/types';
import type { Clock } from './clock';
import { paidTimeLeft } from './decide/release';
import { decideStack } from './decide/stack';
import type { StackDecision, StackPlan } from './decide/stack-types';
import { type Lead, NotLeading } from './lead';
import type { Log } from './log';
import type { Observer, Sight } from './observe/observer';
import type { Registry } from './registry/types';
import type { Reporter } from './reporter';
import type { StackFile, StackSettings } from './stack-file';
import type { Term } from './term';
import { standingTrouble } from './trouble';

export interface ScalerParts {
  readonly environment: string;
  readonly dryRun: boolean;
  readonly lead: Lead;
  readonly file: StackFile;
  readonly observer: Observer;
  readonly runner: StackRunner;
  readonly registry: Registry;
  readonly reporter: Reporter;
  readonly sweeper: Sweeper;
  readonly clock: Clock;
  readonly random: () => number;
  readonly log: Log;
  /** Asks for the next round at once. */
  readonly wake: () => void;
}

/** Keeps one stack's pools at the size that their queues ask for: observe, decide, apply, record. */
export class Scaler {
  private updating: Promise<void> | undefined;
  private readonly leavers: Leavers;

  constructor(private readonly parts: ScalerParts) {
    this.leavers = new Leavers(parts.environment, parts.registry, parts.log);
  }

  /** One round. An update that it starts goes on after it; until that ends, further rounds only watch. */
  async reconcile(): Promise<void> {
    try {
      await this.round();
    } catch (error) {
      await this.parts.reporter.failed(error, this.parts.clock.now());
    }
  }

  /** Resolves when the update that runs, if one does, has ended. */
  async settled(): Promise<void> {
    await this.updating;
  }

  private async round(): Promise<void> {
    const { lead, file, registry, reporter, environment, clock } = this.parts;
    const settings = await file.current();
    const term = await lead.term(settings);
    if (term === NotLeading) return reporter.standsBy();
    if (!this.updating) await lead.refreshRecord(term, clock.now());
    if (usesSlots(settings)) await registry.slots.settle(environment, clock.now());

    const { news } = term;
    const { sight, plan, memory } = await this.decide(term, settings);
    term.memory = memory;
    term.decidedAt = sight.observation.now;
    // An update that ended meanwhile has brought news of its own.
    if (term.news === news) term.news = {};
    await registry.memory.set(environment, 'decide', memory);

    await reporter.round(sight, term, plan, standingTrouble(file.fault, term.update, clock.now()));
    const acting = this.mayAct(sight);
    if (acting) {
      await this.order(sight, plan);
      this.startUpdate(sight, term, plan);
    }
    await this.tidy(sight, term, acting);
  }

  /** What is sold out is looked up anew before the first launch that has a choice, and as long as there is none. */
  private async decide(term: Term, settings: StackSettings): Promise<{ sight: Sight } & StackDecision> {
    const { observer, random } = this.parts;
    const luck = random();
    const decideOn = ({ observation, policy }: Sight): StackDecision =>
      decideStack({ ...observation, luck }, policy, term.memory);
    const sight = await observer.look(term, settings, { launching: false });
    const decision = decideOn(sight);
    const soldOut = decision.plan.alarms.filter(({ code }) => code === 'sold-out-everywhere');
    const choices = [...decision.plan.launches, ...soldOut].map(
      ({ pool = '' }) => sight.policy.pools[pool]?.placements.length ?? 0,
    );
    if (choices.length === 0 || !observer.needsFreshCatalogue(Math.max(...choices)))
      return { sight, ...decision };
    const again = await observer.look(term, settings, { launching: true });
    return { sight: again, ...decideOn(again) };
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

  private startUpdate(sight: Sight, term: Term, { launches, removals }: StackPlan): void {
    const { clock, runner, registry, reporter } = this.parts;
    const { now } = sight.observation;
    if (this.updating || now < term.update.notBefore) return;
    const { failed, undeleted } = term;
    if (launches.length + removals.length + failed.size + undeleted.size === 0) return;
    const most = Object.fromEntries(
      Object.entries(sight.policy.pools).map(([pool, { maxSize }]) => [pool, maxSize]),
    );
    const order: UpdateOrder = {
      decidedAt: now,
      launches,
      removals: removals.map((removal) => withinPaidHour(removal, sight)),
      failed,
      undeleted,
      most,
    };
    term.update.runningSince = now;
    reporter.updateStarted(order);
    this.updating = updateStack({ runner, registry, now: () => clock.now() }, order)
      .then((outcome) => this.finish(term, order, outcome))
      .catch((error: unknown) => {
        reporter.updateCrashed(error);
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
    const now = this.parts.clock.now();
    if (outcome.kind === 'done') this.take(term, outcome.report, now);
    else this.putOff(term, outcome.kind === 'busy' ? 'busy' : 'failed', outcome.problem);
    const { reporter, registry, environment } = this.parts;
    await reporter.updateEnded(order, outcome, now);
    if (outcome.kind !== 'done') return;
    const { removed, undeleted, outputs } = outcome.report;
    const members = new Set(memberIds(outputs.membership));
    const gone = [...removed, ...order.failed].filter((id) => !members.has(id));
    await this.leavers.left(gone, now);
    // One that speaks again before it is gone is to take no job.
    const reason = 'it leaves; its server could not be deleted yet';
    await registry.workers.drain(environment, workersOf(undeleted), { cause: 'excess', reason }, now);
  }

  /** What an update leaves behind is what the next decision goes by. */
  private take(term: Term, report: UpdateReport, now: number): void {
    term.record = report.outputs;
    term.recordReadAt = now;
    term.failed = new Set(report.failedLaunches.map(({ worker }) => worker));
    term.undeleted = new Set(report.undeleted);
    term.news = newsOf(report);
    if (report.outcome === 'failed' && report.launched.length + report.removed.length === 0) {
      this.putOff(term, 'failed', problemOf(report));
    } else {
      term.update = {
        lastAt: now,
        lastOutcome: report.outcome,
        ...(report.outcome === 'failed' ? { lastProblem: problemOf(report) } : {}),
        attempts: 0,
        notBefore: now,
      };
    }
    term.update.lastSeconds = report.seconds;
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

  /** What is left to do besides. A failure is no reason to stop: it is tried again. */
  private async tidy(sight: Sight, term: Term, acting: boolean): Promise<void> {
    const { observer, sweeper, environment, log } = this.parts;
    const vendors = observer.vendors(sight.settings);
    try {
      if (acting) await this.leavers.removeDevices(vendors.tailnet, sight.observation.now);
      await sweeper.round(sight, term, vendors, { acting });
    } catch (error) {
      log.warn('not-tidied', { environment, error });
    }
  }
}

/** A worker that goes because its hour ends is worth keeping once the next hour has begun. */
function withinPaidHour(
  removal: StackPlan['removals'][number],
  { workers, observation: { now } }: Sight,
): Removal {
  const worker = workers.find(({ id }) => id === removal.id);
  if (worker?.registered?.drain?.cause !== 'policy') return removal;
  return { ...removal, notAfter: now + paidTimeLeft(worker, now) };
}

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

function problemOf({ problems, failedLaunches }: UpdateReport): string {
  return problems[0] ?? failedLaunches[0]?.message ?? 'the engine does not say why';
}

function usesSlots({ config }: StackSettings): boolean {
  return Object.values(config.pools).some(({ queue }) => queue?.kind === 'slots');
}
