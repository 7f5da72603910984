import type { ServerRecord, Trace } from '../types';

/** Percentages of the time, after SPEC-RG-2016-01 (Herbst et al., "Ready for Rain?"). */
export interface Elasticity {
  /** Servers that were missing, relative to the demand, averaged over time. */
  readonly underProvisioned: number;
  /** Servers that were too many, relative to the demand, averaged over time. */
  readonly overProvisioned: number;
  /** As above, but only servers in a paid hour in which none of it was needed: an hour once paid is free to keep. */
  readonly overProvisionedPaid: number;
  readonly timeUnder: number;
  readonly timeOver: number;
}

const HOUR = 3600;
/** Seconds between two looks: the service's tick. */
const STEP = 10;

/**
 * How closely the ready servers follow the demand. Demand is what would run if no job ever waited, in servers;
 * a demand of none counts as one in denominators.
 */
export function elasticity(trace: Trace, servers: readonly ServerRecord[], slots: number): Elasticity {
  const looks = Math.max(1, Math.ceil(trace.horizon / STEP));
  const running = occupancy(
    trace.jobs.map(({ arrival, service }) => [arrival, arrival + service]),
    looks,
  );
  const ready = servers.flatMap(({ ready: from, deleted, created }) =>
    from === undefined ? [] : [{ created, ready: from, deleted }],
  );
  const supply = occupancy(
    ready.map((server) => [server.ready, server.deleted]),
    looks,
  );
  const demand = running.map((jobs) => Math.ceil(jobs / slots));
  const unneeded = occupancy(unneededHours(ready, demand), looks);
  const share = (of: (look: number) => number): number => {
    let sum = 0;
    for (let look = 0; look < looks; look += 1) sum += of(look);
    return (100 * sum) / looks;
  };
  const excess = (look: number): number => supply[look]! - demand[look]!;
  const relative = (count: number, look: number): number => Math.max(0, count) / Math.max(1, demand[look]!);
  return {
    underProvisioned: share((look) => relative(-excess(look), look)),
    overProvisioned: share((look) => relative(excess(look), look)),
    overProvisionedPaid: share((look) => relative(unneeded[look]!, look)),
    timeUnder: share((look) => (excess(look) < 0 ? 1 : 0)),
    timeOver: share((look) => (excess(look) > 0 ? 1 : 0)),
  };
}

/** How many of the spans hold at each look. */
function occupancy(spans: readonly (readonly [from: number, to: number])[], looks: number): number[] {
  const changes = new Array<number>(looks + 1).fill(0);
  const lookAt = (seconds: number): number => Math.min(looks, Math.max(0, Math.ceil(seconds / STEP)));
  for (const [from, to] of spans) {
    changes[lookAt(from)]! += 1;
    changes[lookAt(to)]! -= 1;
  }
  let count = 0;
  return changes.slice(0, looks).map((change) => (count += change));
}

/** The paid hours of servers in which the demand never reached them; the oldest servers are needed first. */
function unneededHours(
  servers: readonly { created: number; ready: number; deleted: number }[],
  demand: readonly number[],
): [number, number][] {
  const oldestFirst = [...servers].sort((a, b) => a.created - b.created);
  return oldestFirst.flatMap(({ created, ready, deleted }, index) => {
    const elders = oldestFirst.slice(0, index);
    const hours: [number, number][] = [];
    for (let hour = created; hour < deleted; hour += HOUR) {
      const [from, to] = [Math.max(ready, hour), Math.min(deleted, hour + HOUR)];
      const alive = elders.filter((elder) => elder.ready < to && elder.deleted > from);
      const highest = demand
        .slice(Math.ceil(from / STEP), Math.ceil(to / STEP))
        .reduce((most, needed) => Math.max(most, needed), 0);
      // A server that is needed at the peak only because an elder was gone by then is counted as unneeded: rare, and small.
      if (from < to && alive.length >= highest) hours.push([from, to]);
    }
    return hours;
  });
}
