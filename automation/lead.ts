import { z } from 'zod';
import type { StackRunner } from './apply/types';
import { INITIAL_STACK_MEMORY, parseStackMemory } from './decide/memory';
import type { Log } from './log';
import type { Registry } from './registry/types';
import type { StackSettings } from './stack-file';
import type { Term } from './term';

export const NotLeading = Symbol('not leading');

export interface LeadParts {
  readonly environment: string;
  readonly name: string;
  readonly dryRun: boolean;
  readonly runner: StackRunner;
  readonly registry: Registry;
  readonly now: () => number;
  readonly log: Log;
}

/** Key under which the registry's memory holds since when it is kept. */
const SINCE_KEY = 'since';
/** The record is read again this often, seconds: a person's run may have changed it. */
const RECORD_VALIDITY = 300;

/** The stack was never up: there is nothing yet that could be scaled. */
export class StackNotUpError extends Error {
  override name = 'StackNotUpError';
}

/** One process leads a stack; the others wait for it to end. */
export class Lead {
  private held: Term | undefined;

  constructor(private readonly parts: LeadParts) {}

  /**
   * What this process knows as the leader; taken over from the one before where it just became it.
   * @throws StackBusyError while somebody's update is in the way of taking over; StackNotUpError
   */
  async term(settings: StackSettings): Promise<Term | typeof NotLeading> {
    const { registry, environment, log } = this.parts;
    const { leadership } = registry;
    if (this.held && leadership.holds(environment)) return this.held;
    if (this.held) {
      log.warn('leadership-lost', { environment });
      this.held = undefined;
    }
    if (!leadership.holds(environment) && !(await leadership.acquire(environment))) return NotLeading;
    this.held = await this.begin(settings);
    return this.held;
  }

  /** Reads the record again where it is old. Not to be called while an update runs. */
  async refreshRecord(term: Term, now: number): Promise<void> {
    if (now - term.recordReadAt < RECORD_VALIDITY) return;
    term.record = await this.readRecord();
    term.recordReadAt = now;
  }

  private async begin({ config }: StackSettings): Promise<Term> {
    const { registry, runner, environment, name, dryRun, now, log } = this.parts;
    if (config.autoscaling.enabled && !dryRun) {
      for (const summary of await runner.recover()) {
        log.warn('recovered', { environment, summary });
        await registry.audit.append({
          at: now(),
          environment,
          actor: 'scaler',
          kind: 'recovery',
          summary,
          detail: {},
        });
      }
    }
    const record = await this.readRecord();
    const memory = parseStackMemory(await registry.memory.get(environment, 'decide'));
    const since = now();
    const registrySince = await this.registrySince(since);
    await registry.audit.append({
      at: since,
      environment,
      actor: 'scaler',
      kind: 'leadership',
      summary: `${name} leads`,
      detail: { how: registry.leadership.kind },
    });
    log.info('leading', { environment, name, how: registry.leadership.kind });
    return {
      since,
      registrySince,
      record,
      recordReadAt: since,
      memory: memory ?? INITIAL_STACK_MEMORY,
      decidedAt: since,
      failed: new Set(),
      undeleted: new Set(),
      news: {},
      update: { attempts: 0, notBefore: since },
    };
  }

  private async registrySince(since: number): Promise<number> {
    const { memory } = this.parts.registry;
    const { environment } = this.parts;
    const known = z.number().safeParse(await memory.get(environment, SINCE_KEY));
    if (known.success) return known.data;
    await memory.set(environment, SINCE_KEY, since);
    return since;
  }

  private async readRecord(): Promise<Term['record']> {
    const record = await this.parts.runner.readRecord();
    if (record) return record;
    throw new StackNotUpError(
      `stack ${this.parts.environment} was never up: run \`pulumi up --stack ${this.parts.environment}\` once, then the service follows its queues`,
    );
  }
}
