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
  if (!drift) return 'as it is';
  const whom = `${drift.workers} of ${counted(after ?? 0, 'worker')}`;
  const how = `would be rolled, ${drift.step} at a time, in about ${drift.minutes} min plus the time that their jobs need`;
  const since =
    drift.already === 0
      ? ''
      : drift.already === drift.workers
        ? ' (as before)'
        : ` (${drift.already} of them already)`;
  return `${whom} ${how}${since}`;
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
  return `At max: ${counted(limits.servers, 'server')} and ${limits.primaryIpv4} primary IPv4. The project’s limits are unknown, the API does not tell them: see the Console under Limits.`;
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

/** One line for each thing that people count. */
export function resourceLines(resources: readonly ResourceChange[]): Line[] {
  return units(resources).map(({ worker, action, resources: parts }) => {
    const destructive = action === 'replace' || action === 'delete';
    const [first] = parts;
    const what = worker === undefined ? `${first!.kind} ${first!.name}` : `worker ${worker}`;
    const losses = parts.flatMap(({ takesDown }) => (takesDown === undefined ? [] : [takesDown]));
    const down = destructive && losses.length > 0 ? `, and takes down ${losses.join(' and ')}` : '';
    const whole =
      worker !== undefined && parts.length > 1 ? [`${parts.map(({ kind }) => kind).join(', ')}`] : [];
    return {
      text: `${what} ${PAST[action]}${down}`,
      destructive,
      details: [...whole, ...parts.flatMap(({ properties }) => properties.map(propertyText))],
    };
  });
}

function propertyText({ name, before, after }: ResourceChange['properties'][number]): string {
  if (before === undefined && after === undefined) return name;
  if (before === undefined) return `${name}: ${after}`;
  return after === undefined ? `${name}: ${before} → nothing` : `${name}: ${before} → ${after}`;
}
