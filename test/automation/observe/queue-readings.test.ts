import assert from 'node:assert/strict';
import { poolSchema, type PoolConfig } from '../../../components/model/config-schema';
import { QueueReadings } from '../../../automation/observe/queue-readings';
import { QueueError, type QueueReading, type QueueSource } from '../../../automation/observe/queues/types';
import type { SlotBook } from '../../../automation/registry/types';

const pool = (queue: object | undefined): PoolConfig =>
  poolSchema.parse({
    size: { min: 0, max: 3 },
    image: 'debian-12',
    placements: [{ serverType: 'cx33', location: 'fsn1' }],
    ...(queue ? { queue } : {}),
  });
const list = (key: string): object => ({ kind: 'redis-list', url: 'redis://localhost', key });

/** Queues by key that say what a test tells them to. */
class Servers {
  readonly opened: string[] = [];
  readonly closed: string[] = [];
  readonly says = new Map<string, QueueReading | Error>();
  load: Awaited<ReturnType<SlotBook['load']>> = {};
  now = 1000;

  readonly readings = new QueueReadings({
    environment: 'staging',
    open: (queue) => this.open('key' in queue ? queue.key : ''),
    slots: { load: async () => this.load } as unknown as SlotBook,
    timeoutMs: 1000,
    now: () => this.now,
  });

  private open(key: string): QueueSource {
    this.opened.push(key);
    return {
      read: async () => {
        const answer = this.says.get(key) ?? { waiting: 0 };
        if (answer instanceof Error) throw answer;
        return answer;
      },
      close: async () => void this.closed.push(key),
    };
  }
}

describe('the readings of all queues', () => {
  let servers: Servers;
  beforeEach(() => (servers = new Servers()));

  it('tell what each says and when', async () => {
    servers.says.set('a', { waiting: 3, running: 1, oldestAge: 20 });
    const states = await servers.readings.read({ ci: pool(list('a')), web: pool(undefined) });
    assert.deepEqual(
      [...states],
      [['ci', { kind: 'redis-list', reading: { waiting: 3, running: 1, oldestAge: 20, at: 1000 } }]],
    );
  });

  it('keep what one said last when it fails, and go on with the others', async () => {
    const pools = { ci: pool(list('a')), build: pool(list('b')) };
    servers.says.set('a', { waiting: 3 });
    await servers.readings.read(pools);
    servers.now = 1010;
    servers.says.set('a', new QueueError('unreachable', 'nothing answers at localhost'));
    servers.says.set('b', { waiting: 7 });
    const states = await servers.readings.read(pools);
    assert.deepEqual(states.get('ci'), {
      kind: 'redis-list',
      reading: { waiting: 3, at: 1000 },
      error: 'nothing answers at localhost',
    });
    assert.deepEqual(states.get('build'), { kind: 'redis-list', reading: { waiting: 7, at: 1010 } });
  });

  it('are never a guess: one that failed from the start has none', async () => {
    servers.says.set('a', new QueueError('refused', 'wrong password for localhost'));
    const states = await servers.readings.read({ ci: pool(list('a')) });
    assert.deepEqual(states.get('ci'), { kind: 'redis-list', error: 'wrong password for localhost' });
  });

  it('show nothing of an error that nobody made for showing', async () => {
    servers.says.set('a', new Error('auth secret123 refused'));
    const states = await servers.readings.read({ ci: pool(list('a')) });
    assert.doesNotMatch(states.get('ci')!.error!, /secret123/);
  });

  it('open a queue once, and another one when the file names another', async () => {
    await servers.readings.read({ ci: pool(list('a')) });
    await servers.readings.read({ ci: pool(list('a')) });
    await servers.readings.read({ ci: pool(list('b')) });
    assert.deepEqual(servers.opened, ['a', 'b']);
    assert.deepEqual(servers.closed, ['a']);
  });

  it('forget what another queue of the pool has said', async () => {
    servers.says.set('a', { waiting: 3 });
    await servers.readings.read({ ci: pool(list('a')) });
    servers.says.set('b', new QueueError('unreachable', 'nothing answers'));
    const states = await servers.readings.read({ ci: pool(list('b')) });
    assert.deepEqual(states.get('ci'), { kind: 'redis-list', error: 'nothing answers' });
  });

  it('end with their pool', async () => {
    await servers.readings.read({ ci: pool(list('a')) });
    assert.equal((await servers.readings.read({ ci: pool(undefined) })).size, 0);
    assert.deepEqual(servers.closed, ['a']);
  });

  it('come from the service itself where callers ask it for slots', async () => {
    servers.load = {
      ci: { waiting: 2, oldest: 940, held: { 'ci-0001': [900, 950], 'ci-0002': [990] }, waits: [] },
    };
    const states = await servers.readings.read({ ci: pool({ kind: 'slots' }) });
    assert.deepEqual(states.get('ci'), {
      kind: 'slots',
      reading: { waiting: 2, running: 3, oldestAge: 60, at: 1000 },
    });
  });
});
