import { Counter, Gauge, Histogram, Registry } from 'prom-client';
import type { StackStatus } from '../status';
import { publisher } from './status-gauges';

/** `scale-out` and so on are counted where they happen; what a status says becomes gauges through `publish`. */
export interface Metrics {
  readonly registry: Registry;
  /** Sets every gauge of this stack; series of pools and alarms that are gone end. */
  publish(status: StackStatus): void;
  /** Ends every gauge of a stack that this process leads no longer. */
  retire(environment: string): void;
  readonly leader: Gauge<'environment'>;
  readonly queueReadFailures: Counter<'environment' | 'pool'>;
  readonly launches: Counter<'environment' | 'pool' | 'outcome'>;
  readonly removals: Counter<'environment' | 'pool' | 'because'>;
  readonly decisions: Counter<'environment' | 'pool'>;
  readonly updateDuration: Histogram<'environment' | 'outcome'>;
  readonly tickDuration: Histogram<'environment'>;
  readonly heartbeats: Counter<'outcome'>;
  readonly registrations: Counter<'outcome'>;
  readonly slotRequests: Counter<'outcome'>;
  readonly slotStreams: Gauge;
  readonly refusals: Counter<'listener' | 'reason'>;
  readonly requestDuration: Histogram<'listener' | 'method' | 'route' | 'status'>;
}

/** A registry of its own, so that two services in one process do not share figures. Never a label per worker. */
export function createMetrics(): Metrics {
  const registry = new Registry();
  const at = { registers: [registry] };
  return {
    registry,
    ...publisher(registry),
    leader: new Gauge({
      name: 'worker_pools_leader',
      help: 'Whether this process leads the environment (1) or stands by (0).',
      labelNames: ['environment'],
      ...at,
    }),
    queueReadFailures: new Counter({
      name: 'worker_pools_queue_read_failures_total',
      help: 'Readings of a queue that failed.',
      labelNames: ['environment', 'pool'],
      ...at,
    }),
    launches: new Counter({
      name: 'worker_pools_launches_total',
      help: 'Workers that were launched or could not be, by outcome.',
      labelNames: ['environment', 'pool', 'outcome'],
      ...at,
    }),
    removals: new Counter({
      name: 'worker_pools_removals_total',
      help: 'Workers that were removed, by reason.',
      labelNames: ['environment', 'pool', 'because'],
      ...at,
    }),
    decisions: new Counter({
      name: 'worker_pools_decisions_total',
      help: 'Decisions on the size of a pool.',
      labelNames: ['environment', 'pool'],
      ...at,
    }),
    updateDuration: new Histogram({
      name: 'worker_pools_update_duration_seconds',
      help: 'Time that updates of the stack took, by outcome.',
      labelNames: ['environment', 'outcome'],
      buckets: [1, 2.5, 5, 10, 20, 40, 80, 160, 320, 640],
      ...at,
    }),
    tickDuration: new Histogram({
      name: 'worker_pools_tick_duration_seconds',
      help: 'Time from observing to having decided, without the update.',
      labelNames: ['environment'],
      buckets: [0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30],
      ...at,
    }),
    heartbeats: new Counter({
      name: 'worker_pools_heartbeats_total',
      help: 'Heartbeats of workers, by outcome.',
      labelNames: ['outcome'],
      ...at,
    }),
    registrations: new Counter({
      name: 'worker_pools_registrations_total',
      help: 'Registrations of workers, by outcome.',
      labelNames: ['outcome'],
      ...at,
    }),
    slotRequests: new Counter({
      name: 'worker_pools_slot_requests_total',
      help: 'Requests for a slot, by outcome: granted at once, waiting, or refused.',
      labelNames: ['outcome'],
      ...at,
    }),
    slotStreams: new Gauge({
      name: 'worker_pools_slot_streams',
      help: 'Callers that follow their slot by server-sent events now.',
      ...at,
    }),
    refusals: new Counter({
      name: 'worker_pools_http_refusals_total',
      help: 'Requests that were refused, by listener and reason.',
      labelNames: ['listener', 'reason'],
      ...at,
    }),
    requestDuration: new Histogram({
      name: 'worker_pools_http_request_duration_seconds',
      help: 'Time until a request was answered; streams are not counted.',
      labelNames: ['listener', 'method', 'route', 'status'],
      buckets: [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5],
      ...at,
    }),
  };
}
