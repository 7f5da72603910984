import assert from 'node:assert/strict';
import { openQueue } from '../../../automation/observe/queues';
import { QueueError, type QueueReading, type QueueSource } from '../../../automation/observe/queues/types';
import type { QueueConfig } from '../../../components/model/queue-config';
import { freePort, type Proxy, startProxy } from './proxy';

export type OpenConfig = Exclude<QueueConfig, { kind: 'slots' }>;

/** One kind of queue on its real server, filled by its own producers. */
export interface QueueBench {
  /** The server's port on 127.0.0.1. */
  readonly port: number;
  /** What the source can tell. */
  readonly knows: { readonly running: boolean; readonly oldestAge: boolean };
  /** The source's configuration, for a server that is reached by this port. */
  config(port: number): OpenConfig;
  add(jobs: number): Promise<void>;
  /** A worker takes one job and keeps it. */
  take(): Promise<void>;
  /** Takes away everything that the bench has made. */
  close(): Promise<void>;
}

export const never = new AbortController().signal;

/** What every source does alike. */
export function describeQueueSource(kind: string, makeBench: () => Promise<QueueBench>): void {
  describe(`queue source ${kind}`, () => {
    let bench: QueueBench;
    let proxy: Proxy;
    let source: QueueSource;

    before(async function () {
      this.timeout(60_000);
      bench = await makeBench();
    });
    after(async function () {
      this.timeout(20_000);
      await bench?.close();
    });
    beforeEach(async () => {
      proxy = await startProxy(bench.port);
      source = openQueue(bench.config(proxy.port), { directory: '/nowhere' });
    });
    afterEach(async () => {
      await source.close();
      await proxy.close();
    });

    function assertReading(reading: QueueReading, waiting: number, running: number): void {
      const { oldestAge, ...counts } = reading;
      assert.deepEqual(counts, { waiting, ...(bench.knows.running ? { running } : {}) });
      assert.equal(oldestAge !== undefined, bench.knows.oldestAge && waiting > 0);
      if (oldestAge !== undefined) assert.ok(oldestAge >= 0 && oldestAge < 300, `age ${oldestAge}`);
    }

    it('reads an empty queue as no job waiting', async () => {
      assertReading(await source.read(never), 0, 0);
    });

    it('counts what waits and, where it is known, what runs', async () => {
      await bench.add(3);
      assertReading(await source.read(never), 3, 0);
      await bench.take();
      assertReading(await source.read(never), 2, 1);
    });

    it('answers readings that come together, each in full', async () => {
      const readings = await Promise.all([1, 2, 3, 4, 5].map(() => source.read(never)));
      for (const reading of readings) assertReading(reading, 2, 1);
    });

    it('says that a server is unreachable where nothing listens, and where that was', async () => {
      const port = await freePort();
      const nowhere = openQueue(bench.config(port), { directory: '/nowhere' });
      await assert.rejects(nowhere.read(never), (error) => {
        assert.ok(error instanceof QueueError);
        assert.equal(error.kind, 'unreachable', error.message);
        assert.match(
          error.message,
          new RegExp(`127\\.0\\.0\\.1:${port}, .+: nothing listens there\\. Start`),
        );
        return true;
      });
      await nowhere.close();
    });

    it('gives up connecting to a server that says nothing, when the reading’s signal fires', async () => {
      proxy.stall();
      // The first to speak is the server in NATS only.
      const spoken = bench.config(proxy.port).kind === 'nats' ? proxy.connected() : proxy.swallowed();
      await assert.rejects(readUntil(source, spoken), isUnreachable);
      proxy.resume();
      assertReading(await source.read(never), 2, 1);
    });

    it('gives up a reading when its signal fires, and reads again over a new connection', async () => {
      assertReading(await source.read(never), 2, 1);
      proxy.stall();
      await assert.rejects(readUntil(source, proxy.swallowed()), isUnreachable);
      proxy.resume();
      assertReading(await source.read(never), 2, 1);
    });

    it('fails a reading whose signal has fired before, and harms no other', async () => {
      const other = source.read(never);
      await assert.rejects(source.read(AbortSignal.abort()), isUnreachable);
      assertReading(await other, 2, 1);
    });

    it('reads on after its connection was killed, with one failure at most', async () => {
      assertReading(await source.read(never), 2, 1);
      proxy.cut();
      const reading = await source.read(never).catch((error: unknown) => {
        assert.ok(isUnreachable(error));
        return source.read(never);
      });
      assertReading(reading, 2, 1);
    });

    it('is closed once and for all, also twice, also in the midst of a reading', async () => {
      const midst = assert.rejects(source.read(never), isUnreachable);
      await Promise.all([source.close(), source.close()]);
      await midst;
      await assert.rejects(source.read(never), /: the source was closed\.$/);
      await source.close();
    });
  });
}

/** Reads, and fires the reading's signal when the event has come. */
async function readUntil(source: QueueSource, event: Promise<void>): Promise<QueueReading> {
  const controller = new AbortController();
  void event.then(() => controller.abort());
  return source.read(controller.signal);
}

export function isUnreachable(error: unknown): boolean {
  assert.ok(error instanceof QueueError, String(error));
  assert.equal(error.kind, 'unreachable', error.message);
  return true;
}
