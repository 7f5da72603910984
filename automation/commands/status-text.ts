import pc from 'picocolors';
import type { PoolStatus, StackStatus } from '../status';
import type { PublishedStatus } from './admin-client';
import { shortDuration } from './duration';
import { table } from './table';

/** The status as a person reads it: verdict first, then alarms with what to do, then pools. */
export function statusText(
  { status, verdict, now }: PublishedStatus,
  { workers }: { workers: boolean },
): string {
  const line = COLOURS[verdict.level](verdict.text);
  if (!status) return line;
  const pools = Object.entries(status.pools);
  return [
    `${pc.bold(status.environment)}: ${line}`,
    ...status.alarms.map((alarm) => alarmText(alarm, now)),
    '',
    poolTable(pools, now),
    ...pools.flatMap(([name, { reasons }]) =>
      reasons.length === 0 ? [] : [`${pc.bold(name)}: ${reasons.join('; ')}`],
    ),
    '',
    costText(status),
    ...apiText(status, now),
    ...status.deprecations.map(({ what, until }) =>
      pc.yellow(`${what} is deprecated${until === undefined ? '' : ` and ends ${until.slice(0, 10)}`}`),
    ),
    ...(workers ? ['', workerTable(pools, now)] : []),
  ].join('\n');
}

const COLOURS = { ok: pc.green, warning: pc.yellow, critical: pc.red };

function alarmText(
  { severity, pool, message, next, since }: StackStatus['alarms'][number],
  now: number,
): string {
  const colour = severity === 'critical' ? pc.red : pc.yellow;
  const whose = pool === undefined ? '' : `pool ${pool}: `;
  return `${colour(severity === 'critical' ? '✗' : '!')} ${whose}${message} ${pc.dim(`(for ${shortDuration(now - since)})`)}\n  → ${next}`;
}

function poolTable(pools: readonly [string, PoolStatus][], now: number): string {
  const columns = [
    'pool',
    'waiting',
    'oldest',
    'workers',
    'wanted',
    'bounds',
    'ready',
    'busy',
    'drifted',
    'EUR/h',
  ];
  const rows = pools.map(([name, pool]) => {
    const { queue, workers } = pool;
    const count = (status: string): number => workers.filter((worker) => worker.status === status).length;
    const others = (['booting', 'draining', 'silent', 'lost'] as const)
      .map((status) => [count(status), status] as const)
      .filter(([number]) => number > 0)
      .map(([number, status]) => `${number} ${status}`);
    const busy = workers.reduce((sum, worker) => sum + worker.busy, 0);
    const places = workers.reduce((sum, worker) => sum + worker.slots, 0);
    return [
      name,
      queueCell(pool, now),
      queue?.oldestAge === undefined ? '–' : shortDuration(queue.oldestAge),
      [String(workers.length), ...others].join('\n'),
      pool.order ? `${pool.desired} (held)` : String(pool.desired),
      `${pool.min}–${pool.max}`,
      String(count('ready')),
      `${busy}/${places}`,
      String(pool.drifted),
      pool.hourly.toFixed(3),
    ];
  });
  return table(
    columns.map((head, index) => ({ head, align: index === 0 ? 'left' : 'right' })),
    rows,
  );
}

function queueCell({ queue }: PoolStatus, now: number): string {
  if (!queue) return 'no queue';
  if (queue.readAt === undefined) return pc.red('never read');
  const age = now - queue.readAt;
  return queue.error === undefined
    ? String(queue.waiting ?? 0)
    : pc.red(`${queue.waiting ?? 0}, ${shortDuration(age)} ago`);
}

function costText({ cost }: StackStatus): string {
  const of = (amount: number, budget: number | undefined): string =>
    budget === undefined ? amount.toFixed(2) : `${amount.toFixed(2)} of ${budget.toFixed(2)}`;
  const month = cost.month === undefined ? '' : `, EUR ${of(cost.month, cost.monthlyBudget)} this month`;
  return `Cost: EUR ${of(cost.hourly, cost.hourlyBudget)} an hour${month}, gross`;
}

function apiText({ api }: StackStatus, now: number): string[] {
  if (!api) return [];
  const full = api.resetAt > now ? `, full again in ${shortDuration(api.resetAt - now)}` : '';
  return [`Hetzner requests: ${Math.floor(api.remaining)} of ${api.limit} left${full}`];
}

function stateCell({ status, drain, failedStep }: PoolStatus['workers'][number]): string {
  if (drain) return `draining: ${drain.reason}`;
  return failedStep === undefined ? status : `failed in step ${failedStep}`;
}

function workerTable(pools: readonly [string, PoolStatus][], now: number): string {
  const columns = ['worker', 'state', 'type', 'in', 'age', 'jobs', 'address', 'seen', 'EUR/h'];
  const rows = pools
    .flatMap(([, { workers }]) => workers)
    .map((worker) => [
      worker.drifted ? `${worker.id} (drifted)` : worker.id,
      stateCell(worker),
      worker.serverType,
      worker.location,
      shortDuration(now - worker.created),
      `${worker.busy}/${worker.slots}`,
      worker.address ?? '–',
      worker.seenAt === undefined ? 'not yet' : `${shortDuration(now - worker.seenAt)} ago`,
      worker.hourly.toFixed(3),
    ]);
  return table(
    columns.map((head) => ({
      head,
      ...(head === 'state' ? { width: 28 } : {}),
      ...(head === 'EUR/h' ? { align: 'right' } : {}),
    })),
    rows,
  );
}
