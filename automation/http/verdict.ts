import type { StackStatus } from '../status';

/** How a stack does, in one line. */
export interface Verdict {
  readonly level: 'ok' | 'warning' | 'critical';
  readonly text: string;
}

/** A status older than this is no news: seconds. The longest update fits in. */
const STALE = 900;

/** What a person should know first. The worst wins. */
export function verdict(status: StackStatus | undefined, now: number): Verdict {
  if (!status) return { level: 'warning', text: 'No process has led this stack yet.' };
  const { at, leader, alarms, paused, enabled, dryRun } = status;
  const age = now - at;
  if (age > STALE) {
    return {
      level: 'critical',
      text: `Nothing heard from ${leader} for ${Math.round(age / 60)} min: is the service running?`,
    };
  }
  const critical = alarms.filter(({ severity }) => severity === 'critical');
  if (critical.length > 0)
    return { level: 'critical', text: several(critical.length, 'critical alarm', critical) };
  if (paused) return { level: 'warning', text: `Paused by ${paused.by}: ${paused.reason}` };
  if (!enabled)
    return { level: 'warning', text: 'Autoscaling is switched off: it watches and changes nothing.' };
  if (dryRun) return { level: 'warning', text: 'Dry run: it decides and changes nothing.' };
  if (alarms.length > 0) return { level: 'warning', text: several(alarms.length, 'alarm', alarms) };
  return { level: 'ok', text: `All is well: ${summary(status)}.` };
}

function several(count: number, what: string, alarms: StackStatus['alarms']): string {
  return `${amount(count, what)}: ${alarms[0]!.message}`;
}

function summary({ pools }: StackStatus): string {
  const all = Object.values(pools);
  const workers = all.reduce((sum, pool) => sum + pool.workers.length, 0);
  const waiting = all.reduce((sum, { queue }) => sum + (queue?.waiting ?? 0), 0);
  const jobs = waiting === 0 ? 'nothing waits' : waiting === 1 ? '1 job waits' : `${waiting} jobs wait`;
  return `${amount(workers, 'worker')} in ${amount(all.length, 'pool')}, ${jobs}`;
}

function amount(count: number, what: string): string {
  return count === 1 ? `1 ${what}` : `${count} ${what}s`;
}
