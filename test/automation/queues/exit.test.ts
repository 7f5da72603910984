import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { httpBench } from './benches/http';
import { natsBench } from './benches/nats';
import { postgresBench } from './benches/postgres';
import { rabbitmqBench } from './benches/rabbitmq';
import { bullmqBench, redisStreamBench } from './benches/redis';
import { freePort } from './proxy';

const run = promisify(execFile);

/** One for each client; the other kinds share theirs. */
const BENCHES = {
  postgres: postgresBench,
  'redis-stream': redisStreamBench,
  bullmq: bullmqBench,
  rabbitmq: rabbitmqBench,
  nats: natsBench,
  http: httpBench,
};

describe('a process that has closed its queue sources', () => {
  for (const [kind, makeBench] of Object.entries(BENCHES)) {
    it(`ends by itself: ${kind}`, async function () {
      this.timeout(60_000);
      const bench = await makeBench();
      const program = join(__dirname, 'read-and-close.ts');
      const read = async (port: number) => {
        const args = ['--require', 'tsx/cjs', program, JSON.stringify(bench.config(port))];
        // It is killed, and the test fails, where something keeps it alive.
        const { stdout, stderr } = await run(process.execPath, args, { timeout: 25_000 });
        assert.equal(stderr, '');
        return JSON.parse(stdout) as unknown[];
      };
      try {
        assert.deepEqual(await read(bench.port), [0, 0]);
        const failed = await read(await freePort());
        assert.ok(failed.every((outcome) => String(outcome).startsWith('QueueError: ')));
      } finally {
        await bench.close();
      }
    });
  }
});
