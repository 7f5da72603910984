import { fork } from 'node:child_process';
import { join } from 'node:path';
import { createCensor } from '../../automation/censor';
import { createMetrics } from '../../automation/http/metrics';
import { slotToken } from '../../automation/http/tokens';
import { startWorkerApi } from '../../automation/http/worker-api';
import { createLog } from '../../automation/log';
import { openRegistry } from '../../automation/registry';
import type { Registry } from '../../automation/registry/types';
import { workerToken } from '../../components/model/worker-machine';
import type { Table } from '../report/table';
import { withDatabase } from './database';
import { loadResultSchema, type LoadPlan, type LoadResult } from './load';
import { percentile } from './percentiles';

export interface HttpBenchmark {
  /** Time that the load lasts. */
  seconds: number;
  workers: number;
  slotsPerSecond: number;
  progress: (line: string) => void;
}

/** One route's measurements, in milliseconds. */
export interface RouteTimes {
  route: string;
  requests: number;
  p50: number;
  p95: number;
  p99: number;
}

export interface HttpFigures {
  postgres: string;
  seconds: number;
  workers: number;
  slotsPerSecond: number;
  routes: RouteTimes[];
  /** Milliseconds of processor time that the service spent on one request, whatever else ran on the machine. */
  processorTime: number;
  /** By route and status: answers other than 200; 202 is a slot that has to be waited for. */
  refused: Record<string, number>;
}

const ENVIRONMENT = 'bench';
const SECRET = 'registration-secret-of-the-benchmark';
const SLOTS = 4;
/** Heartbeats go out this often: seconds. */
const BEAT_EVERY = 15;
/** Every tenth worker's slots are asked for; the others' jobs come from a queue. */
const SLOT_SHARE = 10;
const HOLD = 500;
const WARM_UP = 3;
/** Seconds that the service allows a worker to be silent. */
const SILENCE = 90;

/** Measures the worker API on the real PostgreSQL, with the load in a process of its own. */
export async function benchmarkHttp(benchmark: HttpBenchmark): Promise<HttpFigures> {
  return withDatabase(async (url, postgres) => {
    const registry = await openRegistry({ url }, { silence: SILENCE });
    try {
      const { seconds, workers, slotsPerSecond } = benchmark;
      const { taken, refused, processorTime } = await measure(registry, benchmark);
      const routes = Object.entries(taken).map(([route, times]) => ({
        route,
        requests: times.length,
        p50: percentile(times, 0.5),
        p95: percentile(times, 0.95),
        p99: percentile(times, 0.99),
      }));
      return { postgres, seconds, workers, slotsPerSecond, routes, processorTime, refused };
    } finally {
      await registry.close();
    }
  });
}

async function measure(
  registry: Registry,
  { seconds, workers, slotsPerSecond, progress }: HttpBenchmark,
): Promise<LoadResult & { processorTime: number }> {
  const now = (): number => Date.now() / 1000;
  const pools = new Map(
    (['ci', 'slots'] as const).map((pool) => [
      pool,
      { slots: SLOTS, kind: pool === 'slots' ? 'slots' : 'postgres', min: 0, max: workers },
    ]),
  );
  const stacks = new Map([[ENVIRONMENT, { registrationSecrets: [SECRET], pools }]]);
  const api = await startWorkerApi({
    host: '127.0.0.1',
    port: 0,
    stacks: () => stacks,
    registry,
    now,
    // What fails is counted as refused.
    log: createLog(process.stderr, 'silent', createCensor(SECRET)),
    metrics: createMetrics(),
    wake: () => undefined,
  });
  try {
    progress(`${workers} workers register`);
    const members = Array.from({ length: workers }, (_, index) => member(index));
    for (const { pool, worker } of members) {
      const registration = { hostname: worker, slots: SLOTS, address: '127.0.0.1' };
      await registry.workers.register({ environment: ENVIRONMENT, pool, worker }, registration, now());
    }
    progress(`${seconds} s of load`);
    const before = process.cpuUsage();
    const result = await runLoad({
      url: api.url,
      environment: ENVIRONMENT,
      warmUp: WARM_UP,
      seconds,
      beatEvery: BEAT_EVERY,
      slotsPerSecond,
      slotPool: 'slots',
      slotToken: slotToken(SECRET, { environment: ENVIRONMENT, pool: 'slots' }),
      hold: HOLD,
      workers: members,
    });
    const { user, system } = process.cpuUsage(before);
    const requests = Object.values(result.taken).reduce((sum, times) => sum + times.length, 0);
    // The warm-up's requests are not counted among the requests, so its share is taken off.
    const share = seconds / (seconds + WARM_UP);
    return { ...result, processorTime: ((user + system) / 1000 / requests) * share };
  } finally {
    await api.close();
  }
}

function member(index: number): LoadPlan['workers'][number] {
  const pool = index % SLOT_SHARE === 0 ? 'slots' : 'ci';
  const id = `${pool}-${index}`;
  return { pool, worker: id, token: workerToken(SECRET, { environment: ENVIRONMENT, pool, id }) };
}

function runLoad(plan: LoadPlan): Promise<LoadResult> {
  const child = fork(join(__dirname, 'load.ts'), { execArgv: ['--require', 'tsx/cjs'] });
  return new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('exit', (code) =>
      reject(new Error(`the load ended with code ${code} before it told its figures`)),
    );
    child.once('message', (message) => resolve(loadResultSchema.parse(message)));
    child.send(plan);
  });
}

/** What people read. */
export function httpTables({
  postgres,
  seconds,
  workers,
  slotsPerSecond,
  routes,
  processorTime,
  refused,
}: HttpFigures): Table[] {
  const refusals = Object.entries(refused).map(([what, count]) => `${count} × ${what}`);
  return [
    {
      title: 'Worker API',
      note: `${workers} workers that beat every ${BEAT_EVERY} s, and ${slotsPerSecond} requests for a slot a second, each held for ${HOLD} ms, for ${seconds} s; heartbeats each on a connection of its own, slots over connections that are kept, from another process, PostgreSQL ${postgres} on the same machine. Milliseconds from when a request was due until its answer was read. The service spent ${processorTime.toFixed(2)} ms of processor time on a request. Answers other than 200: ${refusals.length === 0 ? 'none' : refusals.join(', ')}.`,
      head: ['route', 'requests', 'p50', 'p95', 'p99'],
      rows: routes.map(({ route, requests, ...times }) => [
        route,
        String(requests),
        ...[times.p50, times.p95, times.p99].map((value) => value.toFixed(1)),
      ]),
    },
  ];
}
