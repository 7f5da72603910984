import assert from 'node:assert/strict';
import type { Membership } from '../../../components/model/membership';
import { StackBusyError, type StackRunner, UpdateFailedError } from '../../../automation/apply/types';
import { type UpdateOrder, updateStack } from '../../../automation/apply/update-stack';
import type { RegisteredWorker, Registry } from '../../../automation/registry/types';

const NOW = 1_800_000_000;

const worker = (id: string, more: Partial<RegisteredWorker> = {}): RegisteredWorker => ({
  environment: 'staging',
  pool: 'ci',
  worker: id,
  hostname: `staging-${id}`,
  slots: 1,
  address: '100.64.0.1',
  registeredAt: NOW - 3500,
  seenAt: NOW - 5,
  beatAt: NOW - 5,
  busy: 0,
  running: [],
  drain: { cause: 'policy', reason: 'its hour ends', since: NOW - 30, toldAt: NOW - 20 },
  ...more,
});

const recorded = (...ids: string[]): Membership => ({
  ci: {
    nextSerial: 50,
    members: ids.map((id) => ({
      id,
      configHash: 'a',
      configHashVersion: 1,
      serverType: 'cx33',
      location: 'fsn1',
      launchedAt: '2026-11-21T00:00:00.000Z',
    })),
  },
});

const launch = { pool: 'ci', serverType: 'cx33', location: 'fsn1' };
const idle = (id: string) => ({ id, pool: 'ci', because: 'idle' as const, reason: 'idle' });

/** Asks for the change as the engine does, and tells what came of it. */
async function asked(
  order: Partial<UpdateOrder>,
  {
    workers = [],
    held = {},
    leads = true,
    record = recorded('ci-0001', 'ci-0002'),
    there = [],
    status = 'running',
  }: {
    workers?: RegisteredWorker[];
    held?: Record<string, number[]>;
    leads?: boolean;
    record?: Membership;
    there?: string[];
    status?: string;
  } = {},
) {
  let change: unknown;
  const runner = {
    environment: 'staging',
    update: async (ask: Parameters<StackRunner['update']>[0]) => {
      const existing = recorded(...there)['ci']!.members.map((member) => ({
        pool: 'ci',
        member,
        status,
      }));
      change = await ask(record, existing);
      return { outcome: 'succeeded' };
    },
  } as unknown as StackRunner;
  const registry = {
    leadership: { holds: () => leads },
    workers: { list: async () => workers },
    slots: { load: async () => ({ ci: { waiting: 0, held, waits: [] } }) },
  } as unknown as Registry;
  const whole = {
    decidedAt: NOW - 10,
    launches: [],
    removals: [],
    failed: new Set<string>(),
    undeleted: new Set<string>(),
    most: { ci: 5 },
    ...order,
  };
  const outcome = await updateStack({ runner, registry, now: () => NOW }, whole);
  return { change, spared: outcome.kind === 'done' ? outcome.spared : undefined };
}

describe('an update, asked under the stack’s lock', () => {
  it('takes away a worker that was told to stop and has said since that it is idle', async () => {
    assert.deepEqual(await asked({ removals: [idle('ci-0001')] }, { workers: [worker('ci-0001')] }), {
      change: { launches: [], removals: ['ci-0001'] },
      spared: [],
    });
  });

  for (const { what, changes, held } of [
    { what: 'has taken a job since', changes: { busy: 1, running: [NOW - 2] } },
    {
      what: 'was never told to stop',
      changes: { drain: { cause: 'policy', reason: '', since: NOW } as const },
    },
    { what: 'has not spoken since it was told', changes: { beatAt: NOW - 25 } },
    { what: 'holds somebody’s slot', changes: {}, held: { 'ci-0001': [NOW - 100] } },
  ] as { what: string; changes: Partial<RegisteredWorker>; held?: Record<string, number[]> }[]) {
    it(`spares a worker that ${what}`, async () => {
      const workers = [worker('ci-0001', changes)];
      assert.deepEqual(await asked({ removals: [idle('ci-0001')] }, { workers, ...(held ? { held } : {}) }), {
        change: { launches: [], removals: [] },
        spared: ['ci-0001'],
      });
    });
  }

  it('spares a worker whose silence is longer than three beats', async () => {
    const drain = { cause: 'policy', reason: '', since: NOW - 200, toldAt: NOW - 190 } as const;
    const workers = [worker('ci-0001', { drain, beatAt: NOW - 41 })];
    assert.deepEqual((await asked({ removals: [idle('ci-0001')] }, { workers })).spared, ['ci-0001']);
  });

  it('spares a worker whose next hour has begun: it is paid for anew', async () => {
    const removal = { ...idle('ci-0001'), notAfter: NOW };
    assert.deepEqual((await asked({ removals: [removal] }, { workers: [worker('ci-0001')] })).spared, [
      'ci-0001',
    ]);
  });

  it('takes away what never worked, whatever nobody knows of it', async () => {
    const removal = { ...idle('ci-0002'), because: 'useless' as const };
    assert.deepEqual((await asked({ removals: [removal] })).change, { launches: [], removals: ['ci-0002'] });
  });

  it('spares a worker that was given up and has spoken since', async () => {
    const removal = { ...idle('ci-0001'), because: 'useless' as const };
    assert.deepEqual(await asked({ removals: [removal] }, { workers: [worker('ci-0001')] }), {
      change: { launches: [], removals: [] },
      spared: ['ci-0001'],
    });
  });

  it('takes members out of the record that were never made', async () => {
    assert.deepEqual((await asked({ failed: new Set(['ci-0002']) })).change, {
      launches: [],
      removals: ['ci-0002'],
    });
  });

  it('launches no more than there is room for beside what is recorded by now', async () => {
    const record = recorded('ci-0001', 'ci-0002', 'ci-0003', 'ci-0004');
    const { change } = await asked({ launches: [launch, launch, launch] }, { record });
    assert.deepEqual(change, { launches: [launch], removals: [] });
  });

  it('has the room of those that leave in the same update', async () => {
    const record = recorded('ci-0001', 'ci-0002', 'ci-0003', 'ci-0004', 'ci-0005');
    const { change } = await asked({ launches: [launch, launch], failed: new Set(['ci-0005']) }, { record });
    assert.deepEqual(change, { launches: [launch], removals: ['ci-0005'] });
  });

  it('keeps a member whose server was made although nobody heard of it, and makes none in its place', async () => {
    const order = { launches: [launch, launch], failed: new Set(['ci-0001', 'ci-0002']) };
    const { change } = await asked(order, { there: ['ci-0002'] });
    assert.deepEqual(change, { launches: [launch], removals: ['ci-0001'] });
  });

  it('gives up a member whose server was made and does not come up', async () => {
    const order = { launches: [launch], failed: new Set(['ci-0002']) };
    const { change } = await asked(order, { there: ['ci-0002'], status: 'off' });
    assert.deepEqual(change, { launches: [launch], removals: ['ci-0002'] });
  });

  it('leaves room for servers that nobody has recorded, and for those that only leave', async () => {
    const order = { launches: [launch, launch, launch], removals: [idle('ci-0001')] };
    const { change } = await asked(order, {
      workers: [worker('ci-0001')],
      there: ['ci-0001', 'ci-0002', 'ci-000a', 'ci-000b'],
    });
    assert.deepEqual(change, { launches: [launch], removals: ['ci-0001'] });
  });

  it('leaves room for a server that could not be deleted, also where the vendor lists none', async () => {
    const order = {
      launches: [launch, launch, launch],
      undeleted: new Set(['ci-000a-server', 'ci-000b-key', 'ci-big-0001-server']),
    };
    assert.deepEqual((await asked(order)).change, { launches: [launch, launch], removals: [] });
  });

  it('changes nothing once another process leads', async () => {
    const order = { launches: [launch], removals: [idle('ci-0001')], failed: new Set(['ci-0002']) };
    assert.deepEqual(await asked(order, { workers: [worker('ci-0001')], leads: false }), {
      change: { launches: [], removals: [] },
      spared: ['ci-0001'],
    });
  });

  for (const { error, outcome } of [
    { error: new StackBusyError('held by somebody'), outcome: { kind: 'busy', problem: 'held by somebody' } },
    { error: new UpdateFailedError('no backend'), outcome: { kind: 'refused', problem: 'no backend' } },
  ]) {
    it(`tells a ${error.name} as it is`, async () => {
      const runner = {
        environment: 'staging',
        update: () => Promise.reject(error),
      } as unknown as StackRunner;
      const none = new Set<string>();
      const order = {
        ...{ decidedAt: NOW, launches: [launch], removals: [] },
        ...{ failed: none, undeleted: none, most: {} },
      };
      assert.deepEqual(
        await updateStack({ runner, registry: {} as Registry, now: () => NOW }, order),
        outcome,
      );
    });
  }
});
