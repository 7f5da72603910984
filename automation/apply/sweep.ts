import type { Cloud } from '../observe/cloud';
import type { Tailnet } from '../observe/tailnet';
import type { AuditTrail, WorkerBook } from '../registry/types';
import { BUSY_SILENCE, type SweepPlan } from './sweep-plan';

export interface SweepParts {
  readonly environment: string;
  readonly cloud: Cloud;
  /** Undefined where workers are reached directly. */
  readonly tailnet: Tailnet | undefined;
  readonly workers: WorkerBook;
  readonly audit: AuditTrail;
  readonly now: () => number;
}

/** What a sweep came to; ids of servers and devices. */
export interface SweepReport {
  readonly servers: readonly number[];
  readonly devices: readonly string[];
  /** What did not work, one sentence each; the next sweep tries again. */
  readonly failures: readonly string[];
}

/** Carries a plan out and writes it into the audit trail. One failure stops nothing else. */
export async function sweep(plan: SweepPlan, parts: SweepParts): Promise<SweepReport> {
  const { environment, cloud, tailnet, workers, audit, now } = parts;
  const failures: string[] = [];
  const attempt = async (what: string, act: () => Promise<boolean>): Promise<boolean> =>
    act().catch((error: unknown) => {
      failures.push(`${what}: ${error instanceof Error ? error.message : String(error)}`);
      return false;
    });

  for (const { worker, reason } of plan.drains) {
    await attempt(worker, async () => {
      await workers.drain(environment, [worker], { cause: 'excess', reason }, now());
      return true;
    });
  }
  const servers: number[] = [];
  for (const { id, name, worker } of plan.deletions) {
    const isDeleted = await attempt(name, async () => {
      const row = (await workers.list(environment)).find((candidate) => candidate.worker === worker);
      if (row && row.busy > 0 && now() - row.seenAt < BUSY_SILENCE) {
        throw new Error('it has taken a job meanwhile; it was left alone');
      }
      await cloud.deleteServer(id, { worker });
      await workers.forget(environment, [worker]);
      return true;
    });
    if (isDeleted) servers.push(id);
  }
  const devices: string[] = [];
  for (const { id, hostname } of plan.devices) {
    const isRemoved = await attempt(hostname, async () => {
      await tailnet?.remove(id, hostname);
      return tailnet !== undefined;
    });
    if (isRemoved) devices.push(id);
  }
  if (plan.drains.length + plan.deletions.length + plan.devices.length > 0) {
    await audit.append({
      at: now(),
      environment,
      actor: 'scaler',
      kind: 'sweep',
      summary: `swept ${servers.length} servers and ${devices.length} tailnet devices that no record knows`,
      detail: { ...plan, failures },
    });
  }
  return { servers, devices, failures };
}
