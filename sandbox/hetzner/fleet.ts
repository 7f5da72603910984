import { netCost, startedHours } from './billing';
import { gross } from './money';
import type { Bill } from './state';

/** What the servers of one group were and cost. */
export interface FleetReport {
  /** Servers that were ever made. */
  servers: number;
  alive: number;
  /** Most that were there at one instant. */
  peak: number;
  /** Names of those that are there. */
  names: string[];
  hoursStarted: number;
  /** EUR, with the addresses that were made with the servers. */
  net: number;
  gross: number;
}

/** Groups what was charged for by a label's value as it was at creation; what lacks the label is left out. */
export function fleetReport(bills: Bill[], label: string, now: number): Record<string, FleetReport> {
  const groups = new Map<string, Bill[]>();
  for (const bill of bills) {
    const value = bill.labels[label];
    if (value !== undefined) groups.set(value, [...(groups.get(value) ?? []), bill]);
  }
  return Object.fromEntries([...groups].map(([value, group]) => [value, reportOf(group, now)]));
}

function reportOf(bills: Bill[], now: number): FleetReport {
  const servers = bills.filter(({ kind }) => kind === 'server');
  const alive = servers.filter(({ until }) => until === null);
  const net = bills.reduce((sum, bill) => sum + netCost(bill, now), 0);
  return {
    servers: new Set(servers.map(({ resource }) => resource)).size,
    alive: alive.length,
    peak: peakOf(servers),
    names: alive.map(({ name }) => name).sort(),
    hoursStarted: servers.reduce((sum, bill) => sum + startedHours(bill, now), 0),
    net: round(net),
    gross: round(gross(net)),
  };
}

/** At one instant ends count before starts: a rescaled server ends one stretch and begins the next. */
function peakOf(servers: Bill[]): number {
  const changes = servers.flatMap(({ from, until }) => [
    { at: from, by: 1 },
    ...(until === null ? [] : [{ at: until, by: -1 }]),
  ]);
  changes.sort((left, right) => left.at - right.at || left.by - right.by);
  let alive = 0;
  return changes.reduce((peak, { by }) => Math.max(peak, (alive += by)), 0);
}

const round = (euros: number): number => Number(euros.toFixed(6));
