import type { Placement, StackConfig } from '../../components/model/config-schema';
import { sizeBounds } from '../../components/model/pool';
import type { ServerType } from '../../components/preflight/hetzner';
import type { PlannedResource } from './plan';
import type { CostReport, Money, Report } from './report';
import { isGateway, isServer } from './resources';

/** What Hetzner asks today, EUR gross. */
export interface Prices {
  serverTypes: readonly Pick<ServerType, 'name' | 'prices'>[];
  /** For one primary IPv4 address, by location. IPv6 is free. */
  ipv4: ReadonlyMap<string, Money>;
}

const FREE: Money = { hourly: 0, monthly: 0 };

/**
 * What the stack costs: as it runs, as the plan leaves it, and with every pool at its largest size. Prices by the hour, and by
 * the month where a server stays all month (Hetzner caps it). Traffic beyond what is included is not in it.
 */
export function costReport(
  config: StackConfig,
  resources: readonly PlannedResource[],
  prices: Prices,
): CostReport {
  const servers = resources.filter(isServer);
  const now = sum(servers.flatMap(({ before }) => (before ? [serverPrice(before, prices)] : [])));
  const after = sum(
    servers.flatMap(({ op, after: inputs }) =>
      inputs && op !== 'delete' ? [serverPrice(inputs, prices)] : [],
    ),
  );
  const gateways = servers.filter((server) => isGateway(server) && server.after && server.op !== 'delete');
  const atMax = sum([
    ...gateways.map(({ after: inputs }) => serverPrice(inputs!, prices)),
    ...Object.values(config.pools).map((pool) => {
      const each = pool.placements.map((placement) =>
        machinePrice(placement, pool.publicNetwork.ipv4, prices),
      );
      return times(dearest(each), sizeBounds(pool).max);
    }),
  ]);
  const { hourly, monthly } = config.budget;
  return {
    now,
    after,
    atMax,
    budget: { ...(hourly === undefined ? {} : { hourly }), ...(monthly === undefined ? {} : { monthly }) },
    exceeded: exceeded(config.budget, after, atMax),
  };
}

/** What the plan would need of the project at its largest. */
export function limitsReport(config: StackConfig, resources: readonly PlannedResource[]): Report['limits'] {
  const gateways = resources.filter(
    (server) => isServer(server) && isGateway(server) && server.op !== 'delete',
  );
  const pools = Object.values(config.pools);
  const most = (wanted: typeof pools): number =>
    wanted.reduce((count, pool) => count + sizeBounds(pool).max, gateways.length);
  return {
    servers: most(pools),
    primaryIpv4: most(pools.filter(({ publicNetwork }) => publicNetwork.ipv4)),
    project: null,
  };
}

function exceeded({ hourly, monthly }: StackConfig['budget'], after: Money, atMax: Money): string[] {
  return (
    [
      ['hour', hourly, after.hourly, atMax.hourly],
      ['month', monthly, after.monthly, atMax.monthly],
    ] as const
  ).flatMap(([span, budget, cost, most]) => {
    if (budget === undefined) return [];
    if (cost > budget) {
      return [
        `€${cost.toFixed(2)} an ${span} is beyond the budget of €${budget.toFixed(2)}`.replace('an m', 'a m'),
      ];
    }
    if (most <= budget) return [];
    const stop = 'the scaling service stops growing at the budget';
    return [
      `at max, €${most.toFixed(2)} an ${span} would be beyond the budget of €${budget.toFixed(2)}: ${stop}`.replace(
        'an m',
        'a m',
      ),
    ];
  });
}

function serverPrice(inputs: Record<string, unknown>, prices: Prices): Money {
  const placement = { serverType: String(inputs['serverType']), location: String(inputs['location']) };
  const [publicNet] = Array.isArray(inputs['publicNets']) ? (inputs['publicNets'] as unknown[]) : [];
  const hasIpv4 = (publicNet as { ipv4Enabled?: boolean } | undefined)?.ipv4Enabled ?? true;
  return machinePrice(placement, hasIpv4, prices);
}

/** A type that Hetzner no longer lists has no price any more, and counts as free. */
function machinePrice({ serverType, location }: Placement, hasIpv4: boolean, prices: Prices): Money {
  const price = prices.serverTypes
    .find(({ name }) => name === serverType)
    ?.prices.find((candidate) => candidate.location === location);
  const server = price
    ? { hourly: Number(price.price_hourly.gross), monthly: Number(price.price_monthly.gross) }
    : FREE;
  return sum([server, hasIpv4 ? (prices.ipv4.get(location) ?? FREE) : FREE]);
}

function dearest(prices: readonly Money[]): Money {
  return prices.reduce((most, price) => (price.hourly > most.hourly ? price : most), FREE);
}

function times({ hourly, monthly }: Money, count: number): Money {
  return { hourly: hourly * count, monthly: monthly * count };
}

function sum(prices: readonly Money[]): Money {
  const total = (span: keyof Money): number => rounded(prices.reduce((all, price) => all + price[span], 0));
  return { hourly: total('hourly'), monthly: total('monthly') };
}

/** Prices have four digits; what adding makes of the rest means nothing. */
function rounded(amount: number): number {
  return Math.round(amount * 1e6) / 1e6;
}
