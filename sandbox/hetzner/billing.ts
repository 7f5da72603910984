import { IPV4_PRICE } from './catalogue';
import type { Cloud } from './cloud';
import { gross } from './money';
import type { Bill, Labels, PrimaryIp, Project, Server } from './state';

const HOUR_MS = 3_600_000;

/** A stretch of time that is charged: every started hour, at most the monthly price per calendar month. */
export type Charge = Pick<Bill, 'from' | 'until' | 'hourly' | 'monthly'>;

/** Started hours between two instants, calendar months (UTC) apart; a month's first hour may be a part of one. */
export function startedHours(charge: Pick<Charge, 'from' | 'until'>, now: number): number {
  return monthsOf(charge.from, charge.until ?? now).reduce((sum, hours) => sum + hours, 0);
}

/** Net EUR for a stretch: hours times the hourly price, capped in each calendar month (UTC). */
export function netCost(charge: Charge, now: number): number {
  return monthsOf(charge.from, charge.until ?? now).reduce(
    (sum, hours) => sum + Math.min(hours * charge.hourly, charge.monthly),
    0,
  );
}

/** Hours per calendar month; an hour belongs to the month in which it starts. A stretch costs an hour at once. */
function monthsOf(from: number, until: number): number[] {
  const end = from + Math.max(1, Math.ceil((until - from) / HOUR_MS)) * HOUR_MS;
  const hours: number[] = [];
  for (let start = from; start < end;) {
    const date = new Date(start);
    const nextMonth = Date.UTC(date.getUTCFullYear(), date.getUTCMonth() + 1, 1);
    const count = Math.ceil((Math.min(nextMonth, end) - start) / HOUR_MS);
    hours.push(count);
    start += count * HOUR_MS;
  }
  return hours;
}

/** Starts to charge for a server, at the price of this instant: existing ones keep theirs when prices change. */
export function billServer(cloud: Cloud, project: Project, server: Server, at: number): void {
  const offer = cloud.state.catalogue.serverTypes[server.serverType]?.locations[server.location];
  project.bills.push({
    kind: 'server',
    resource: server.id,
    name: server.name,
    labels: { ...server.labels },
    type: server.serverType,
    location: server.location,
    from: at,
    until: null,
    hourly: offer?.hourly ?? 0,
    monthly: offer?.monthly ?? 0,
  });
}

/** Starts to charge for a primary IP, as part of what these labels name; IPv6 is free. */
export function billPrimaryIp(cloud: Cloud, project: Project, ip: PrimaryIp, labels: Labels): void {
  if (ip.type === 'ipv6') return;
  project.bills.push({
    kind: 'primary_ip',
    resource: ip.id,
    name: ip.name,
    labels: { ...labels },
    type: ip.type,
    location: ip.location,
    from: cloud.kernel.clock.now(),
    until: null,
    ...IPV4_PRICE,
  });
}

export function endBill(project: Project, kind: Bill['kind'], resource: number, at: number): void {
  for (const bill of project.bills) {
    if (bill.kind === kind && bill.resource === resource && bill.until === null) bill.until = at;
  }
}

export interface CostItem {
  id: number;
  name: string;
  type: string;
  location: string;
  createdAt: string;
  deletedAt?: string;
  hoursStarted: number;
  /** EUR. */
  net: number;
  gross: number;
}

export interface ProjectCost {
  projectId: string;
  currency: 'EUR';
  net: number;
  gross: number;
  /** One line per server and price: a rescaled server has several. */
  servers: CostItem[];
  primaryIps: CostItem[];
}

/** What everything that a project ever had has cost until now. */
export function projectCost(project: Project, now: number): ProjectCost {
  const items = (kind: Bill['kind']): CostItem[] =>
    project.bills.filter((bill) => bill.kind === kind).map((bill) => costItem(bill, now));
  const servers = items('server');
  const primaryIps = items('primary_ip');
  const net = [...servers, ...primaryIps].reduce((sum, item) => sum + item.net, 0);
  return {
    projectId: project.id,
    currency: 'EUR',
    net: round(net),
    gross: round(gross(net)),
    servers,
    primaryIps,
  };
}

function costItem(bill: Bill, now: number): CostItem {
  const net = netCost(bill, now);
  return {
    id: bill.resource,
    name: bill.name,
    type: bill.type,
    location: bill.location,
    createdAt: new Date(bill.from).toISOString(),
    ...(bill.until === null ? {} : { deletedAt: new Date(bill.until).toISOString() }),
    hoursStarted: startedHours(bill, now),
    net: round(net),
    gross: round(gross(net)),
  };
}

const round = (euros: number): number => Number(euros.toFixed(6));
