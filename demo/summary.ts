import Table from 'cli-table3';
import type { Outcome } from './play';
import { time } from './view';

/** Requests that a Hetzner project may send an hour (docs.hetzner.cloud, "Rate Limiting"). */
const CALLS_AN_HOUR = 3600;

/** How the story went, as a table. @param left names of what is still there; undefined where nobody has looked yet */
export function summaryTable(
  { jobs, fleet, target, calls, seconds }: Outcome,
  left?: readonly string[],
): string {
  const table = new Table({ style: { head: [], border: [] }, colAligns: ['left', 'right', 'left'] });
  table.push(
    ['jobs done', jobs.done, `in ${time(seconds)} h`],
    ['jobs lost', jobs.lost, 'to workers that were deleted under them'],
    ['longest wait', duration(jobs.waits.max), `target: ${duration(target)}`],
    ['p95 wait', duration(jobs.waits.p95), ''],
    ['servers used', fleet.servers, `at most ${fleet.peak} at once, ${fleet.hoursStarted} started hours`],
    ['spent for them', `EUR ${fleet.gross.toFixed(2)}`, ''],
    ['Hetzner API calls', calls, `${CALLS_AN_HOUR} an hour are allowed`],
  );
  if (left) table.push(['left behind', left.length === 0 ? 'nothing' : left.length, left.join(', ')]);
  return table.toString();
}

function duration(seconds: number): string {
  const whole = Math.round(seconds);
  return whole < 60 ? `${whole} s` : `${Math.floor(whole / 60)} min ${whole % 60} s`;
}
