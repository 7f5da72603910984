import assert from 'node:assert/strict';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { StackStatus } from '../../automation/status';
import { play } from '../../demo/play';
import type { Scene } from '../../demo/scene';
import { poolStatus, stackStatus, workerStatus } from '../automation/http/status';

/** What the local cloud tells when every job is done and the last server is gone. */
const ANSWERS: Record<string, object> = {
  '/jobs/ci': { waiting: 0, running: 0, done: 0, waits: { p50: 0, p95: 0, max: 0 }, lost: 0 },
  '/fleet': { values: { ci: { servers: 1, alive: 0, peak: 1, hoursStarted: 1, gross: 0.02 } } },
  '/requests': { total: 0 },
};

describe("the demo's play", () => {
  let control: Server;
  before(async () => {
    control = createServer(({ url = '' }, response) => {
      response.end(JSON.stringify(ANSWERS[new URL(url, 'http://control').pathname]));
    });
    await new Promise<void>((resolve) => control.listen(0, '127.0.0.1', resolve));
  });
  after(() => control.close());

  it('is over when the service has told that no worker is left and nothing is updated', async () => {
    const workers = [workerStatus('ci-0001')];
    const told: StackStatus[] = [
      stackStatus({ pools: { ci: poolStatus({ workers }) }, update: {} }),
      stackStatus({ pools: { ci: poolStatus({ workers: [] }) }, update: { runningSince: 7 } }),
      stackStatus({ pools: { ci: poolStatus({ workers: [] }) }, update: {} }),
    ];
    const shown: Scene[] = [];
    await play([], {
      control: `http://127.0.0.1:${(control.address() as AddressInfo).port}`,
      client: {
        status: () =>
          Promise.resolve({ now: 0, verdict: { level: 'ok', text: '' }, status: told[shown.length]! }),
        audit: () => Promise.resolve([]),
      },
      readClock: () => Promise.resolve({ now: () => 1_800_000_000 }),
      show: (scene) => shown.push(scene),
      signal: new AbortController().signal,
    });
    assert.deepEqual(
      shown.map(({ workers: { length }, updating }) => [length, updating]),
      [
        [1, false],
        [0, true],
        [0, false],
      ],
    );
  });
});
