import type { CostReport, Money, PoolReport, Report, ResourceChange } from './report';
import { units } from './assemble';

/** The report's sentences, as every format says them. */

export const VERDICT_SIGN: Record<Report['verdict'], string> = {
  unchanged: '✅',
  changes: '🔷',
  dangerous: '⛔',
  failed: '❌',
};

export function verdict({ verdict: kind, changes, violations, dangers }: Report): string {
  switch (kind) {
    case 'unchanged':
      return 'nothing changes';
    case 'changes':
      return counted(changes, 'change');
    case 'dangerous': {
      const broken = violations.filter(({ level }) => level === 'mandatory').length;
      const reasons = [
        ...(dangers.length > 0 ? ['dangerous'] : []),
        ...(broken > 0 ? [`${counted(broken, 'policy violation')}`] : []),
      ];
      return `${reasons.join(', ')} (${counted(changes, 'change')})`;
    }
    case 'failed':
      return 'failed: a merge would stop before it changes anything';
  }
}

export const ROLLING =
  'Rolling: a new worker boots, then an old one takes no further job and goes when its jobs have ended. The minutes are for the booting.';

export function counted(count: number, thing: string): string {
  return `${count} ${thing}${count === 1 ? '' : 's'}`;
}

/** `3–20`, or `3–20 → 3–40`. */
export function bounds({ min, max, fixed }: PoolReport): { before: string | undefined; after: string } {
  const range = (side: 'before' | 'after'): string | undefined =>
    min[side] === null || max[side] === null
      ? undefined
      : min[side] === max[side] && fixed
        ? `fixed ${min[side]}`
        : `${min[side]}–${max[side]}`;
  const [before, after] = [range('before'), range('after')];
  if (after === undefined) return { before, after: 'gone' };
  const known = (before ?? '').replace('fixed ', '') === after.replace('fixed ', '') ? undefined : before;
  return { before: before === undefined ? 'new' : known, after };
}

/** How many workers it has, and how many it will. */
export function size({ size: { before, after } }: PoolReport): string {
  if (after === null) return `${before ?? 0} → 0`;
  return before === null || before === after ? `${after}` : `${before} → ${after}`;
}

export function template({ drift, size: { after } }: PoolReport): string {
  if (!drift) return 'unchanged';
  const { workers, already, step, minutes } = drift;
  const known = already === 0 ? '' : already === workers ? ', as before' : `; ${already} of them already`;
  return `${workers} of ${counted(after ?? 0, 'worker')} would be rolled, ${step} at a time, in about ${minutes} min${known}`;
}

/** What a merge comes down to, in half a line; empty where nothing changes. */
export function headline({ pools, resources, cost }: Report): string {
  const rolled = pools.reduce((sum, { drift }) => sum + (drift ? drift.workers - drift.already : 0), 0);
  const moved = (action: ResourceChange['action']): number =>
    units(resources).filter((unit) => unit.worker !== undefined && unit.action === action).length;
  const parts = [
    ...pools
      .filter(hasNewMax)
      .map(({ name, max }) => `${name} may have ${max.after} instead of ${max.before}`),
    ...some(moved('create'), (count) => `${counted(count, 'worker')} would come`),
    ...some(moved('delete'), (count) => `${counted(count, 'worker')} would go`),
    ...some(moved('replace'), (count) => `${counted(count, 'worker')} would be replaced`),
    ...some(rolled, (count) => `${counted(count, 'worker')} would be rolled`),
    ...(cost ? difference(cost) : []),
  ];
  return parts.join(', ');
}

function some(count: number, say: (count: number) => string): string[] {
  return count === 0 ? [] : [say(count)];
}

function difference({ now, after }: CostReport): string[] {
  const more = after.hourly - now.hourly;
  if (Math.abs(more) < 0.0005) return [];
  return [`${euro(Math.abs(more))} an hour ${more > 0 ? 'more' : 'less'}`];
}

function hasNewMax({ max }: PoolReport): boolean {
  return max.before !== null && max.after !== null && max.before !== max.after;
}

/** Whether the merge has to do with what goes beyond the budget: else it is only good to know. */
export function isBudgetNews({ cost, pools }: Report): boolean {
  if (!cost) return false;
  const { after, now, budget } = cost;
  const beyond = after.hourly > (budget.hourly ?? Infinity) || after.monthly > (budget.monthly ?? Infinity);
  return pools.some(hasNewMax) || after.hourly > now.hourly || beyond;
}

/** EUR with as many digits as matter: prices by the hour are small. */
export function euro(amount: number): string {
  return amount !== 0 && amount < 1 ? `€${amount.toFixed(3)}` : `€${amount.toFixed(2)}`;
}

export function costRows({
  now,
  after,
  atMax,
  budget,
}: CostReport): [string, string, string, string, string][] {
  const row = (span: keyof Money): [string, string, string, string, string] => [
    span === 'hourly' ? 'an hour' : 'a month',
    euro(now[span]),
    euro(after[span]),
    euro(atMax[span]),
    budget[span] === undefined ? 'none' : euro(budget[span]),
  ];
  return [row('hourly'), row('monthly')];
}

export function limitsLine({ limits }: Report): string | undefined {
  if (!limits) return undefined;
  return `At max: ${counted(limits.servers, 'server')} and ${limits.primaryIpv4} primary IPv4. Whether the project may have so many the API does not tell: compare with the Console under Limits.`;
}

/** Whether the merge lets the project need more servers than before. */
export function isLimitsNews({ pools }: Report): boolean {
  return pools.some(({ max }) => (max.after ?? 0) > (max.before ?? 0));
}

export function userDataLine({ pools }: Report): string | undefined {
  const sizes = pools.flatMap(({ name, userData }) =>
    userData ? [`${name} ${userData.bytes} of ${userData.limit} bytes`] : [],
  );
  return sizes.length === 0 ? undefined : `User data: ${sizes.join(', ')}.`;
}

/** `2 created, 5 updated`. */
export function summary(resources: readonly ResourceChange[]): string {
  const counts = (['create', 'update', 'replace', 'delete'] as const).flatMap((action) => {
    const count = resources.filter((resource) => resource.action === action).length;
    return count === 0 ? [] : [`${count} ${PAST[action]}`];
  });
  return counts.join(', ');
}

export const PAST: Record<ResourceChange['action'], string> = {
  create: 'created',
  update: 'updated',
  replace: 'replaced',
  delete: 'deleted',
};

export interface Line {
  /** `worker ci-0006 created`. */
  text: string;
  /** Replaced or deleted. */
  destructive: boolean;
  details: string[];
}

/** One line for each thing that people count; workers to which the same is done share one. */
export function resourceLines(resources: readonly ResourceChange[]): Line[] {
  const alike = new Map<string, { names: string[]; line: (names: string[]) => Line }>();
  for (const { worker, action, resources: parts } of units(resources)) {
    const [first] = parts;
    const details = parts.flatMap(({ properties }) => properties.map(propertyText));
    const destructive = action === 'replace' || action === 'delete';
    if (worker === undefined) {
      const down =
        destructive && first!.takesDown !== undefined ? `, and takes down ${first!.takesDown}` : '';
      const text = `${first!.kind} ${first!.name} ${PAST[action]}${down}`;
      alike.set(first!.urn, { names: [], line: () => ({ text, destructive, details }) });
      continue;
    }
    const made = parts.map(({ kind }) => kind).sort();
    const whole = destructive || action === 'create' ? [made.join(', '), ...details] : details;
    const key = JSON.stringify([action, whole]);
    const names = alike.get(key)?.names ?? [];
    names.push(worker);
    const down = destructive ? ', with the jobs on' : '';
    alike.set(key, {
      names,
      line: (all) => ({
        text: `${all.length === 1 ? 'worker' : `${all.length} workers`} ${[...all].sort().join(', ')} ${PAST[action]}${down && `${down} ${all.length === 1 ? 'it' : 'them'}`}`,
        destructive,
        details: whole,
      }),
    });
  }
  return [...alike.values()].map(({ names, line }) => line(names));
}

function propertyText({ name, before, after }: ResourceChange['properties'][number]): string {
  if (before === undefined && after === undefined) return name;
  if (before === undefined) return `${name}: ${after}`;
  return after === undefined ? `${name}: no longer ${before}` : `${name}: ${before} → ${after}`;
}
