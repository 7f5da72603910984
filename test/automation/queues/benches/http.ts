import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer, type RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { QueueBench } from '../contract';
import { type OwnServer, startServer, stopServer } from '../processes';
import { freePort } from '../proxy';

export async function startHttp(listener: RequestListener): Promise<OwnServer> {
  const server = createServer(listener).listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    port: (server.address() as AddressInfo).port,
    async stop() {
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  };
}

/** A queue in this process that tells its state as JSON. */
export async function httpBench(): Promise<QueueBench> {
  const queue = { waiting: 0, running: 0 };
  const server = await startHttp((_, response) => {
    const oldest = queue.waiting > 0 ? { age: 1.5 } : null;
    response.end(JSON.stringify({ queues: [{ ...queue, oldest }] }));
  });
  return {
    port: server.port,
    knows: { running: true, oldestAge: true },
    config: (port) => ({
      kind: 'http',
      url: `http://127.0.0.1:${port}/queues?all=1`,
      waiting: 'queues[0].waiting',
      running: 'queues[0].running',
      oldestAge: 'queues[0].oldest.age',
    }),
    async add(jobs) {
      queue.waiting += jobs;
    },
    async take() {
      queue.waiting -= 1;
      queue.running += 1;
    },
    close: () => server.stop(),
  };
}

/** A real Prometheus that scrapes a queue in this process. */
export async function prometheusBench(): Promise<QueueBench> {
  let waiting = 0;
  let scraped = () => {};
  const exporter = await startHttp((_, response) => {
    response.end(`jobs_waiting{queue="mails"} ${waiting}\njobs_waiting{queue="others"} 7\njobs_broken NaN\n`);
    response.on('close', () => scraped());
  });
  const folder = await mkdtemp(join(tmpdir(), 'wp-prometheus-'));
  await writeFile(
    join(folder, 'prometheus.yml'),
    `scrape_configs: [{ job_name: queue, scrape_interval: 50ms, scrape_timeout: 50ms, static_configs: [{ targets: ['127.0.0.1:${exporter.port}'] }] }]`,
  );
  const port = await freePort();
  const child = await startServer(
    'prometheus',
    [
      `--config.file=${join(folder, 'prometheus.yml')}`,
      `--storage.tsdb.path=${join(folder, 'data')}`,
      `--web.listen-address=127.0.0.1:${port}`,
    ],
    /Server is ready to receive web requests/,
  );
  /** What a scrape brought is stored before the next one begins, at the latest when that one ends. */
  const settled = async () => {
    for (let scrape = 0; scrape < 3; scrape += 1) await new Promise<void>((resolve) => (scraped = resolve));
  };
  await settled();
  return {
    port,
    knows: { running: false, oldestAge: false },
    config: (reachedBy) => ({
      kind: 'prometheus',
      url: `http://127.0.0.1:${reachedBy}`,
      query: 'jobs_waiting{queue="mails"}',
    }),
    async add(jobs) {
      waiting += jobs;
      await settled();
    },
    async take() {
      waiting -= 1;
      await settled();
    },
    async close() {
      await stopServer(child);
      await exporter.stop();
      await rm(folder, { recursive: true, force: true });
    },
  };
}
