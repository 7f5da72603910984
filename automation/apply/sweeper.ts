import { resourceName } from '../../components/model/names';
import type { Log } from '../log';
import type { Sight } from '../observe/observer';
import type { Vendors } from '../observe/vendors';
import type { Registry } from '../registry/types';
import type { Term } from '../term';
import { sweep } from './sweep';
import { NO_SWEEP_MEMORY, planSweep, type StackState, type SweepMemory, type SweepPlan } from './sweep-plan';
import type { StackRunner } from './types';

/** Key under which the registry's memory holds the latest plan. */
export const SWEEP_KEY = 'sweep';
/** Seconds between two sweeps. */
const INTERVAL = 60;

export interface SweeperParts {
  readonly environment: string;
  readonly runner: StackRunner;
  readonly registry: Registry;
  readonly now: () => number;
  readonly log: Log;
}

/** Looks once a minute for what no record knows, and takes away what is provably left over. */
export class Sweeper {
  private memory: SweepMemory = NO_SWEEP_MEMORY;
  private lastAt = -Infinity;
  private published = '';

  constructor(private readonly parts: SweeperParts) {}

  /** @param acting false: only says what it would do, as while the service is switched off */
  async round(sight: Sight, term: Term, vendors: Vendors, { acting }: { acting: boolean }): Promise<void> {
    const { now } = sight.observation;
    if (now - this.lastAt < INTERVAL || term.update.runningSince !== undefined) return;
    this.lastAt = now;
    const plan = await this.plan(sight, term);
    this.memory = plan.memory;
    await this.publish(plan);
    if (!acting) return;
    const undeleted = plan.undeleted.map((worker) => resourceName(worker, 'server'));
    term.undeleted = new Set([...term.undeleted, ...undeleted]);
    await this.carryOut(plan, vendors);
  }

  /** The stack's state is read only where something hangs on it: that costs a process. */
  private async plan(sight: Sight, term: Term): Promise<SweepPlan> {
    const { registry, environment } = this.parts;
    const intent = await registry.intents.open(environment);
    const input = {
      now: sight.observation.now,
      environment,
      servers: sight.servers,
      membership: term.record.membership,
      state: undefined as StackState | undefined,
      intent: intent?.membership,
      registered: await registry.workers.list(environment),
      devices: sight.devices,
      memory: this.memory,
    };
    const first = planSweep(input);
    return first.needsState ? planSweep({ ...input, state: await this.readState() }) : first;
  }

  private async readState(): Promise<StackState | undefined> {
    const { runner, now } = this.parts;
    const at = now();
    const [record, state] = [await runner.readRecord(), await runner.readState()];
    return record && { at, membership: record.membership, ...state };
  }

  private async publish(plan: SweepPlan): Promise<void> {
    const { registry, environment, now } = this.parts;
    const { deletions, drains, devices, reasons } = plan;
    const told = { deletions, drains, devices, reasons };
    const text = JSON.stringify(told);
    if (text === this.published) return;
    this.published = text;
    await registry.memory.set(environment, SWEEP_KEY, { at: now(), plan: told });
  }

  private async carryOut(plan: SweepPlan, { cloud, tailnet }: Vendors): Promise<void> {
    const { registry, environment, now, log } = this.parts;
    const { workers, audit } = registry;
    const report = await sweep(plan, { environment, cloud, tailnet, workers, audit, now });
    if (report.servers.length + report.devices.length + report.failures.length > 0) {
      log.info('swept', { environment, ...report });
    }
  }
}
