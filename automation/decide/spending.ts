import type { Placement } from '../../components/model/config-schema';
import { apiAllowance } from './limits';
import type { StackObservation, StackPolicy } from './stack-types';

/** Launches that a pool asks for. */
export interface Ask {
  readonly pool: string;
  readonly count: number;
  /** So many of them only bring it to its minimum. */
  readonly essential: number;
  /** EUR an hour of each. */
  readonly price: number;
  readonly alternatives: readonly (Placement & { readonly price: number })[];
}

/** What a pool gets of it. */
export interface Grant {
  readonly count: number;
  readonly alternatives: readonly Placement[];
  /** What stopped the rest. */
  readonly stop?: Stop;
}

export interface Stop {
  readonly code: 'budget-reached' | 'spend-unknown' | 'api-budget-low';
  readonly reason: string;
}

/** Something that all pools of a stack share, and of which each launch takes some. */
interface Ceiling extends Stop {
  left: number;
  readonly unit: 'EUR' | 'requests';
  /** Whether it stops only what goes beyond the pools' minimum. */
  readonly sparesMinimum: boolean;
}

/** Sums of prices are not exact: a budget of exactly n workers must hold n. */
const ROUNDING = 1e-9;

/**
 * Shares the stack's budgets out: first what the pools' minimums need, then the rest, both in the file's order. Money is
 * a harder limit than a minimum, so a ceiling stops both; it never stops a worker that is there.
 */
export function share(asks: readonly Ask[], observation: StackObservation, policy: StackPolicy): Grant[] {
  const ceilings = ceilingsOf(observation, policy);
  const counts = asks.map(() => 0);
  const stops: (Stop | undefined)[] = asks.map(() => undefined);
  for (const minimumOnly of [true, false]) {
    asks.forEach(({ count, essential, price }, index) => {
      const wanted = (minimumOnly ? Math.min(count, essential) : count) - (counts[index] ?? 0);
      const binding = ceilings.filter(({ sparesMinimum }) => !(minimumOnly && sparesMinimum));
      const rooms = binding.map((ceiling) => ({ ceiling, room: roomIn(ceiling, price) }));
      const tightest = rooms.reduce<(typeof rooms)[number] | undefined>(
        (least, one) => (least === undefined || one.room < least.room ? one : least),
        undefined,
      );
      const granted = Math.min(wanted, tightest?.room ?? Infinity);
      if (granted < wanted) stops[index] ??= tightest?.ceiling;
      for (const ceiling of ceilings) ceiling.left -= granted * costIn(ceiling, price);
      counts[index] = (counts[index] ?? 0) + granted;
    });
  }
  return asks.map((ask, index) => {
    const count = counts[index] ?? 0;
    const stop = stops[index];
    const alternatives = affordable(ask, count, ceilings);
    return {
      count,
      alternatives,
      ...(stop === undefined ? {} : { stop: { code: stop.code, reason: stop.reason } }),
    };
  });
}

/** An alternative may be dearer than what it stands in for: it is named only where the budgets hold that as well. */
function affordable({ price, alternatives }: Ask, count: number, ceilings: Ceiling[]): Placement[] {
  const money = ceilings.filter(({ unit, sparesMinimum }) => unit === 'EUR' && !sparesMinimum);
  const named = alternatives.filter((other) =>
    money.every(({ left }) => count * (other.price - price) <= left + ROUNDING),
  );
  const dearest = Math.max(price, ...named.map((other) => other.price));
  for (const ceiling of money) ceiling.left -= count * (dearest - price);
  return named.map(({ serverType, location }) => ({ serverType, location }));
}

function ceilingsOf(
  { pools, api, spentThisMonth, gatewayHourly = 0 }: StackObservation,
  { hourlyBudget, monthlyBudget }: StackPolicy,
): Ceiling[] {
  const workers = Object.values(pools).flatMap((facts) => facts.workers);
  const hourly = workers.reduce((sum, worker) => sum + worker.hourly, gatewayHourly);
  const machines = `${workers.length} workers${gatewayHourly > 0 ? ' and the NAT machine' : ''}`;
  const ceilings: Ceiling[] = [];
  if (api !== undefined)
    ceilings.push({
      code: 'api-budget-low',
      left: apiAllowance(api),
      unit: 'requests',
      sparesMinimum: false,
      reason: `${api.remaining} of ${api.limit} requests are left, and the rest is kept for deletions`,
    });
  if (hourlyBudget !== undefined)
    ceilings.push({
      code: 'budget-reached',
      left: hourlyBudget - hourly,
      unit: 'EUR',
      sparesMinimum: false,
      reason: `the budget is ${euro(hourlyBudget)} EUR an hour, of which ${machines} cost ${euro(hourly)}`,
    });
  if (monthlyBudget !== undefined && spentThisMonth !== undefined) {
    // Launched and not in the vendor's list yet, so not in the month's sum either.
    const coming = workers.filter(({ server }) => server === undefined);
    const committed = spentThisMonth + coming.reduce((sum, worker) => sum + worker.hourly, 0);
    ceilings.push({
      code: 'budget-reached',
      left: monthlyBudget - committed,
      unit: 'EUR',
      sparesMinimum: false,
      reason:
        `the budget is ${euro(monthlyBudget)} EUR a month, of which ${euro(committed)} are spent; ` +
        `${machines} go on for ${euro(hourly)} an hour`,
    });
  }
  if (monthlyBudget !== undefined && spentThisMonth === undefined)
    ceilings.push({
      code: 'spend-unknown',
      left: 0,
      unit: 'EUR',
      sparesMinimum: true,
      reason: `the budget is ${euro(monthlyBudget)} EUR a month, and what is spent of it is not known`,
    });
  return ceilings;
}

function costIn({ unit }: Ceiling, price: number): number {
  return unit === 'EUR' ? price : 1;
}

function roomIn(ceiling: Ceiling, price: number): number {
  const cost = costIn(ceiling, price);
  return cost === 0 ? Infinity : Math.max(0, Math.floor(ceiling.left / cost + ROUNDING));
}

function euro(amount: number): string {
  return amount.toFixed(amount < 10 ? 4 : 2);
}
