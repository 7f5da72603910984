import type { Alarm, StackPlan } from './decide/stack-types';
import type { UpdateReport } from './apply/types';
import type { Sight } from './observe/observer';
import type { Registry } from './registry/types';

/**
 * Puts a decision into the audit trail with its inputs and reasons, unless it is the same as the one before: a round
 * that wants what the last one wanted is no news.
 * @returns what tells this decision from the next
 */
export async function recordDecision(
  registry: Registry,
  environment: string,
  { observation, queues, workers, api }: Sight,
  plan: StackPlan,
  alarms: readonly Alarm[],
  before: string,
): Promise<string> {
  const essence = essenceOf(plan, alarms);
  if (essence === before) return before;
  for (const [pool, { desired, reasons }] of Object.entries(plan.pools)) {
    const own = <T extends { pool?: string }>(items: readonly T[]): T[] =>
      items.filter((item) => item.pool === pool);
    const members = workers.filter((worker) => worker.pool === pool);
    const actions = { launches: own(plan.launches), removals: own(plan.removals), drains: own(plan.drains) };
    const resumes = plan.resumes.filter((id) => members.some((worker) => worker.id === id));
    const summary = [
      ...counted(actions.launches.length, 'launch', 'launches'),
      ...counted(actions.removals.length, 'removal', 'removals'),
      ...counted(actions.drains.length, 'drain', 'drains'),
      ...counted(resumes.length, 'resume', 'resumes'),
    ];
    const raised = own(alarms);
    if (summary.length === 0 && raised.length === 0) continue;
    await registry.audit.append({
      at: observation.now,
      environment,
      pool,
      actor: 'scaler',
      kind: 'decision',
      summary: `${summary.join(', ') || 'nothing to do'} (${members.length} workers, ${desired} wanted): ${reasons.join('; ') || 'no reason needed'}`,
      detail: {
        inputs: {
          queue: queues.get(pool) ?? null,
          workers: members.map(({ id, status, created, drifted, registered }) => ({
            id,
            status,
            created,
            drifted,
            busy: registered?.busy ?? 0,
          })),
          api: api ?? null,
          spentThisMonth: observation.spentThisMonth ?? null,
        },
        actions: { ...actions, resumes },
        reasons,
        alarms: raised,
      },
    });
  }
  return essence;
}

export async function recordUpdate(
  registry: Registry,
  environment: string,
  report: UpdateReport,
  spared: readonly string[],
  now: number,
): Promise<void> {
  const summary = [
    ...counted(report.launched.length, 'worker launched', 'workers launched'),
    ...counted(report.removed.length, 'removed', 'removed'),
    ...counted(report.failedLaunches.length, 'launch failed', 'launches failed'),
    ...counted(
      spared.length,
      'spared, because it is not idle any more',
      'spared, because they are not idle any more',
    ),
  ];
  await registry.audit.append({
    at: now,
    environment,
    actor: 'scaler',
    kind: 'update',
    summary: `${report.outcome} after ${report.seconds.toFixed(1)} s: ${summary.join(', ') || 'nothing changed'}`,
    detail: {
      launched: report.launched,
      removed: report.removed,
      failedLaunches: report.failedLaunches,
      problems: report.problems,
      spared,
    },
  });
}

function essenceOf(
  { launches, removals, drains, resumes, pools }: StackPlan,
  alarms: readonly Alarm[],
): string {
  return JSON.stringify([
    launches,
    removals.map(({ id }) => id),
    drains.map(({ id }) => id),
    resumes,
    Object.values(pools).map(({ desired }) => desired),
    alarms.map(({ code, pool }) => [code, pool]),
  ]);
}

function counted(count: number, one: string, many: string): string[] {
  return count === 0 ? [] : [`${count} ${count === 1 ? one : many}`];
}
