import { Gauge, type Registry } from 'prom-client';
import type { PoolStatus, StackStatus } from '../status';

interface Sample {
  readonly labels: Readonly<Record<string, string>>;
  readonly value: number;
}

/** One gauge as a view of a stack's status. Absent facts give no sample: an unknown depth is not 0. */
interface View {
  readonly name: string;
  readonly help: string;
  readonly labels: readonly string[];
  readonly samples: (status: StackStatus) => Sample[];
}

const WORKER_STATES = ['booting', 'ready', 'draining', 'silent', 'lost'] as const;

const VIEWS: readonly View[] = [
  ofPool('queue_waiting_jobs', 'Jobs that wait in the queue, as last read.', ({ queue }) => queue?.waiting),
  ofPool('queue_running_jobs', 'Jobs that run, as the queue says.', ({ queue }) => queue?.running),
  ofPool(
    'queue_oldest_waiting_seconds',
    'Time that the oldest waiting job has waited.',
    ({ queue }) => queue?.oldestAge,
  ),
  ofPool(
    'queue_read_timestamp_seconds',
    'When the queue was last read well, since 1970.',
    ({ queue }) => queue?.readAt,
  ),
  {
    ...ofPool('pool_workers', 'Workers of the pool, by state.', () => undefined),
    labels: ['environment', 'pool', 'state'],
    samples: ({ environment, pools }) =>
      Object.entries(pools).flatMap(([pool, { workers }]) =>
        WORKER_STATES.map((state) => ({
          labels: { environment, pool, state },
          value: workers.filter(({ status }) => status === state).length,
        })),
      ),
  },
  ofPool('pool_desired_workers', 'Workers that the pool should have.', ({ desired }) => desired),
  ofPool('pool_min_workers', 'Fewest workers that the pool may have.', ({ min }) => min),
  ofPool('pool_max_workers', 'Most workers that the pool may have.', ({ max }) => max),
  ofPool('pool_drifted_workers', 'Workers of an older template.', ({ drifted }) => drifted),
  ofPool('pool_busy_slots', 'Jobs that run on the workers, as they say.', ({ workers }) =>
    workers.reduce((sum, { busy }) => sum + busy, 0),
  ),
  ofPool('pool_cost_eur_per_hour', 'What the pool costs, EUR gross.', ({ hourly }) => hourly),
  ofStack('cost_eur_per_hour', 'What the stack costs, EUR gross.', ({ cost }) => cost.hourly),
  ofStack('cost_month_eur', 'What this month has cost so far, EUR gross.', ({ cost }) => cost.month),
  ofStack('budget_eur_per_hour', 'Most that the stack may cost, EUR gross.', ({ cost }) => cost.hourlyBudget),
  ofStack('budget_month_eur', 'Most that a month may cost, EUR gross.', ({ cost }) => cost.monthlyBudget),
  ofStack('api_requests_remaining', 'Hetzner API requests left.', ({ api }) => api?.remaining),
  ofStack('api_requests_limit', 'Hetzner API requests when none are used.', ({ api }) => api?.limit),
  ofStack('enabled', 'Whether autoscaling is switched on.', ({ enabled }) => Number(enabled)),
  ofStack('paused', 'Whether a person paused the stack.', ({ paused }) => Number(paused !== undefined)),
  ofStack('update_running', 'Whether an update runs.', ({ update }) =>
    Number(update.runningSince !== undefined),
  ),
  ofStack('status_timestamp_seconds', 'When the leader last published, since 1970.', ({ at }) => at),
  ofStack(
    'deprecated_in_use',
    'Server types, placements and images in use whose end is announced.',
    ({ deprecations }) => deprecations.length,
  ),
  {
    name: 'worker_pools_alarms',
    help: 'Alarms that stand, by code and severity.',
    labels: ['environment', 'code', 'severity'],
    samples: ({ environment, alarms }) =>
      counted(alarms).map(({ code, severity, count }) => ({
        labels: { environment, code, severity },
        value: count,
      })),
  },
];

/** Gauges that follow the published status. */
export function publisher(registry: Registry): {
  publish: (status: StackStatus) => void;
  retire: (environment: string) => void;
} {
  const gauges = VIEWS.map(({ name, help, labels, samples }) => ({
    samples,
    gauge: new Gauge({ name, help, labelNames: [...labels], registers: [registry] }),
    shown: new Map<string, Sample[]>(),
  }));
  const show = (environment: string, samplesOf: (view: View['samples']) => Sample[]): void => {
    for (const { samples, gauge, shown } of gauges) {
      for (const { labels } of shown.get(environment) ?? []) gauge.remove(labels);
      const next = samplesOf(samples);
      for (const { labels, value } of next) gauge.set(labels, value);
      shown.set(environment, next);
    }
  };
  return {
    publish: (status) => show(status.environment, (samples) => samples(status)),
    retire: (environment) => show(environment, () => []),
  };
}

function ofPool(name: string, help: string, value: (pool: PoolStatus) => number | undefined): View {
  return {
    name: `worker_pools_${name}`,
    help,
    labels: ['environment', 'pool'],
    samples: ({ environment, pools }) =>
      Object.entries(pools).flatMap(([pool, status]) => sample({ environment, pool }, value(status))),
  };
}

function ofStack(name: string, help: string, value: (status: StackStatus) => number | undefined): View {
  return {
    name: `worker_pools_${name}`,
    help,
    labels: ['environment'],
    samples: (status) => sample({ environment: status.environment }, value(status)),
  };
}

function sample(labels: Sample['labels'], value: number | undefined): Sample[] {
  return value === undefined ? [] : [{ labels, value }];
}

function counted(
  alarms: StackStatus['alarms'],
): { code: string; severity: 'warning' | 'critical'; count: number }[] {
  const groups = new Map<string, { code: string; severity: 'warning' | 'critical'; count: number }>();
  for (const { code, severity } of alarms) {
    const group = groups.get(`${code} ${severity}`) ?? { code, severity, count: 0 };
    groups.set(`${code} ${severity}`, { ...group, count: group.count + 1 });
  }
  return [...groups.values()];
}
