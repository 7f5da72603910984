import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { z } from 'zod';
import { createMetrics } from '../../../automation/http/metrics';
import { adminListener, type AdminListener } from './admin-listener';
import { NOW, poolStatus, stackStatus, workerStatus } from './status';

const status = stackStatus({
  deprecations: [{ what: 'server type cx32', until: '2027-01-01' }],
  alarms: [
    { code: 'sold-out', pool: 'ci', severity: 'critical', message: 'x', next: 'y', since: NOW },
    { code: 'silent', pool: 'ci', severity: 'warning', message: 'x', next: 'y', since: NOW },
    { code: 'silent', pool: 'ci', severity: 'warning', message: 'x', next: 'y', since: NOW },
  ],
});

/** Every sample that begins with a name, as Prometheus reads it. */
async function samples(metrics: ReturnType<typeof createMetrics>, name: string): Promise<string[]> {
  const text = await metrics.registry.metrics();
  return text.split('\n').filter((line) => line.startsWith(`${name}{`) || line.startsWith(`${name} `));
}

function program(name: string): string {
  if (spawnSync(name, ['--version']).error) {
    throw new Error(
      `no ${name} on PATH: install the Debian package "prometheus", or run \`npm test\` as root`,
    );
  }
  return name;
}

describe('the metrics', () => {
  it('say what a status says', async () => {
    const metrics = createMetrics();
    metrics.publish(status);
    const pool = 'environment="staging",pool="ci"';
    const stack = 'environment="staging"';
    for (const [name, labels, value] of [
      ['queue_waiting_jobs', pool, 7],
      ['queue_running_jobs', pool, 5],
      ['queue_oldest_waiting_seconds', pool, 42],
      ['queue_read_timestamp_seconds', pool, NOW - 2],
      ['pool_desired_workers', pool, 3],
      ['pool_min_workers', pool, 0],
      ['pool_max_workers', pool, 40],
      ['pool_drifted_workers', pool, 0],
      ['pool_busy_slots', pool, 5],
      ['pool_cost_eur_per_hour', pool, 0.0339],
      ['cost_eur_per_hour', stack, 0.0339],
      ['cost_month_eur', stack, 12.4],
      ['budget_eur_per_hour', stack, 1],
      ['budget_month_eur', stack, 200],
      ['api_requests_remaining', stack, 3421],
      ['api_requests_limit', stack, 3600],
      ['enabled', stack, 1],
      ['paused', stack, 0],
      ['update_running', stack, 0],
      ['status_timestamp_seconds', stack, NOW - 2],
      ['deprecated_in_use', stack, 1],
    ] as const) {
      assert.deepEqual(await samples(metrics, `worker_pools_${name}`), [
        `worker_pools_${name}{${labels}} ${value}`,
      ]);
    }
    assert.deepEqual(await samples(metrics, 'worker_pools_pool_workers'), [
      `worker_pools_pool_workers{${pool},state="booting"} 1`,
      `worker_pools_pool_workers{${pool},state="ready"} 2`,
      `worker_pools_pool_workers{${pool},state="draining"} 0`,
      `worker_pools_pool_workers{${pool},state="silent"} 0`,
      `worker_pools_pool_workers{${pool},state="lost"} 0`,
    ]);
    assert.deepEqual(await samples(metrics, 'worker_pools_alarms'), [
      'worker_pools_alarms{environment="staging",code="sold-out",severity="critical"} 1',
      'worker_pools_alarms{environment="staging",code="silent",severity="warning"} 2',
    ]);
  });

  it('do not turn what is unknown into zero', async () => {
    const metrics = createMetrics();
    const queue = { kind: 'postgres', error: 'no connection' };
    metrics.publish(
      stackStatus({ pools: { ci: poolStatus({ queue }) }, api: undefined, cost: { hourly: 0 } }),
    );
    for (const name of [
      'queue_waiting_jobs',
      'queue_oldest_waiting_seconds',
      'api_requests_remaining',
      'budget_eur_per_hour',
    ]) {
      assert.deepEqual(await samples(metrics, `worker_pools_${name}`), []);
    }
  });

  it('end the series of pools and alarms that are gone, and keep other stacks’', async () => {
    const metrics = createMetrics();
    metrics.publish({ ...status, environment: 'production' });
    metrics.publish(status);
    metrics.publish(
      stackStatus({ pools: { gpu: poolStatus({ queue: undefined, workers: [workerStatus('gpu-0001')] }) } }),
    );
    const series = (await metrics.registry.metrics())
      .split('\n')
      .filter((line) => line.includes('environment="staging"'));
    assert.deepEqual(
      series.filter((line) => line.includes('pool="ci"') || line.includes('worker_pools_alarms')),
      [],
    );
    assert.deepEqual(await samples(metrics, 'worker_pools_pool_desired_workers'), [
      'worker_pools_pool_desired_workers{environment="production",pool="ci"} 3',
      'worker_pools_pool_desired_workers{environment="staging",pool="gpu"} 3',
    ]);
    metrics.retire('production');
    assert.ok(!(await metrics.registry.metrics()).includes('production'));
  });

  it('have no label whose values grow with the fleet', async () => {
    const metrics = createMetrics();
    const labels = (workers: number): Promise<number> => {
      const list = Array.from({ length: workers }, (_, index) => workerStatus(`ci-${index}`));
      metrics.publish(stackStatus({ pools: { ci: poolStatus({ workers: list }) } }));
      return metrics.registry.metrics().then((text) => text.split('\n').length);
    };
    assert.equal(await labels(1), await labels(300));
  });

  it('are those of one service alone', async () => {
    const one = createMetrics();
    const other = createMetrics();
    one.publish(status);
    assert.deepEqual(await samples(other, 'worker_pools_queue_waiting_jobs'), []);
  });
});

describe('the metrics, as Prometheus reads them', function () {
  this.timeout(30_000);
  let admin: AdminListener;
  beforeEach(async () => {
    admin = await adminListener();
    const { metrics } = admin;
    metrics.publish(status);
    metrics.leader.set({ environment: 'staging' }, 1);
    metrics.queueReadFailures.inc({ environment: 'staging', pool: 'ci' });
    metrics.launches.inc({ environment: 'staging', pool: 'ci', outcome: 'ready' });
    metrics.removals.inc({ environment: 'staging', pool: 'ci', because: 'policy' });
    metrics.decisions.inc({ environment: 'staging', pool: 'ci' });
    metrics.updateDuration.observe({ environment: 'staging', outcome: 'succeeded' }, 14.2);
    metrics.tickDuration.observe({ environment: 'staging' }, 0.2);
    metrics.heartbeats.inc({ outcome: 'ok' }, 3);
  });
  afterEach(() => admin.close());

  it('pass promtool’s checks without a warning', async () => {
    const input = await (await fetch(`${admin.url}/metrics`)).text();
    const {
      status: code,
      stdout,
      stderr,
    } = spawnSync(program('promtool'), ['check', 'metrics'], {
      input,
      encoding: 'utf8',
    });
    assert.deepEqual([stdout, stderr, code], ['', '', 0]);
  });

  it('are scraped by a real Prometheus with the same values', async () => {
    program('prometheus');
    const folder = mkdtempSync(join(tmpdir(), 'worker-pools-prometheus-'));
    const port = await freePort();
    const scrape = { job_name: 'pools', static_configs: [{ targets: [new URL(admin.url).host] }] };
    // JSON is YAML.
    writeFileSync(
      join(folder, 'prometheus.yml'),
      JSON.stringify({
        global: { scrape_interval: '200ms', scrape_timeout: '200ms' },
        scrape_configs: [scrape],
      }),
    );
    const server = spawn(
      'prometheus',
      [
        `--config.file=${folder}/prometheus.yml`,
        `--storage.tsdb.path=${folder}/data`,
        `--web.listen-address=127.0.0.1:${port}`,
      ],
      { stdio: 'ignore' },
    );
    try {
      while ((await query(port, 'up{job="pools"}')) !== '1') await pause(100);
      for (const [expression, value] of [
        ['worker_pools_queue_waiting_jobs{environment="staging",pool="ci"}', '7'],
        ['worker_pools_pool_workers{state="ready"}', '2'],
        ['sum(worker_pools_alarms)', '3'],
        ['worker_pools_heartbeats_total{outcome="ok"}', '3'],
        ['worker_pools_update_duration_seconds_sum{outcome="succeeded"}', '14.2'],
        ['worker_pools_leader', '1'],
      ] as const) {
        assert.equal(await query(port, expression), value, expression);
      }
    } finally {
      server.kill('SIGKILL');
      await once(server, 'close');
      rmSync(folder, { recursive: true, force: true });
    }
  });
});

const answerSchema = z.object({
  data: z.object({ result: z.array(z.object({ value: z.tuple([z.number(), z.string()]) })) }),
});

/** Value of an expression that gives one sample; undefined while there is none, or nobody answers yet. */
async function query(port: number, expression: string): Promise<string | undefined> {
  try {
    const response = await fetch(
      `http://127.0.0.1:${port}/api/v1/query?${new URLSearchParams({ query: expression }).toString()}`,
    );
    return answerSchema.parse(await response.json()).data.result[0]?.value[1];
  } catch {
    return undefined;
  }
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return port;
}
