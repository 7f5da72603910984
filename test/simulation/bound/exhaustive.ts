import type { Service } from '../../../simulation/bound';
import { GRACE } from '../../../simulation/simulator';
import type { Trace } from '../../../simulation/types';

const HOUR = 3600;

/**
 * Fewest paid hours over all starts on a grid of `step` seconds and all ways to share the jobs among servers, each
 * launched just in time. Tries everything: for a handful of jobs only.
 */
export function exhaustiveHours(trace: Trace, service: Service, step: number): number {
  const { jobs } = trace;
  let best = Infinity;
  place(0, [], []);
  return best;

  function place(index: number, starts: number[], servers: number[]): void {
    const job = jobs[index];
    if (!job) {
      best = Math.min(best, cost(starts, servers));
      return;
    }
    for (let start = job.arrival; start <= job.arrival + service.targetWait; start += step) {
      for (let server = 0; server <= Math.max(-1, ...servers) + 1; server += 1) {
        place(index + 1, [...starts, start], [...servers, server]);
      }
    }
  }

  function cost(starts: number[], servers: number[]): number {
    return [...new Set(servers)].reduce((hours, server) => {
      const own = jobs
        .map((job, index) => ({
          from: starts[index]!,
          to: starts[index]! + job.service,
          server: servers[index],
        }))
        .filter((job) => job.server === server);
      const busy = (at: number): number => own.filter(({ from, to }) => from <= at && at < to).length;
      if (own.some(({ from }) => busy(from) > service.slots)) return Infinity;
      const launched = Math.min(...own.map(({ from }) => from)) - service.boot;
      const needed = Math.min(trace.horizon + GRACE, Math.max(...own.map(({ to }) => to))) - launched;
      return hours + (launched >= trace.horizon + GRACE ? 0 : Math.max(1, Math.ceil(needed / HOUR)));
    }, 0);
  }
}
