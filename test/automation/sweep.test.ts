import assert from 'node:assert/strict';
import * as fc from 'fast-check';
import type { Membership } from '../../components/model/membership';
import { sweep } from '../../automation/apply/sweep';
import {
  NO_SWEEP_MEMORY,
  planSweep,
  type StackState,
  type SweepInput,
  type SweepMemory,
  type SweepPlan,
} from '../../automation/apply/sweep-plan';
import { openCloud, type Cloud } from '../../automation/observe/cloud';
import type { Tailnet } from '../../automation/observe/tailnet';
import type { CloudServer, TailnetDevice } from '../../automation/observe/types';
import type { AuditEntry, AuditTrail, RegisteredWorker, WorkerBook } from '../../automation/registry/types';
import { ObserverStand } from './observe/stand';

const NOW = 1_800_000_000;
const MINUTE = 60;
const LONG_AGO = NOW - 120 * MINUTE;

const membership = (...ids: string[]): Membership => ({
  ci: {
    nextSerial: 99,
    members: ids.map((id) => ({
      id,
      configHash: 'abc',
      configHashVersion: 1,
      serverType: 'cx33',
      location: 'fsn1',
      launchedAt: new Date(LONG_AGO * 1000).toISOString(),
    })),
  },
});
const server = (worker: string, changes: Partial<CloudServer> = {}): CloudServer => ({
  id: Number.parseInt(worker.slice(-4), 36),
  name: `production-${worker}`,
  pool: 'ci',
  worker,
  created: LONG_AGO,
  status: 'running',
  serverType: 'cx33',
  location: 'fsn1',
  configHash: 'abc',
  configHashVersion: 1,
  publicIpv4: true,
  ...changes,
});
const registered = (worker: string, changes: Partial<RegisteredWorker> = {}): RegisteredWorker => ({
  environment: 'production',
  pool: 'ci',
  worker,
  hostname: `production-${worker}`,
  slots: 1,
  address: '100.64.0.1',
  registeredAt: LONG_AGO,
  seenAt: NOW - 5,
  busy: 0,
  running: [],
  ...changes,
});
const device = (worker: string, changes: Partial<TailnetDevice> = {}): TailnetDevice => ({
  id: `n-${worker}`,
  hostname: `production-${worker}`,
  address: '100.64.0.9',
  lastSeen: NOW - 16 * MINUTE,
  ...changes,
});
const state = (changes: Partial<StackState> = {}): StackState => ({
  at: NOW - 10,
  membership: membership('ci-0001', 'ci-0002'),
  ids: new Set(['1', '2']),
  settled: true,
  ...changes,
});
const drain = { cause: 'excess', reason: 'no record', since: NOW - 60 } as const;
const MEMBERS = [server('ci-0001'), server('ci-0002')];
const ORPHAN = server('ci-0009');

/** A stranger that every list of the last minute had. */
const seenBefore = (...servers: CloudServer[]): SweepMemory => ({
  listedAt: NOW - 70,
  strangers: Object.fromEntries(servers.map(({ id }) => [id, NOW - 70])),
});
const input = (changes: Partial<SweepInput> = {}): SweepInput => ({
  now: NOW,
  environment: 'production',
  servers: { at: NOW - 5, items: [...MEMBERS, ORPHAN] },
  membership: membership('ci-0001', 'ci-0002'),
  state: state(),
  intent: undefined,
  registered: [],
  devices: undefined,
  memory: seenBefore(ORPHAN),
  ...changes,
});
const plan = (changes: Partial<SweepInput> = {}): SweepPlan => planSweep(input(changes));
const deleted = (changes: Partial<SweepInput> = {}): string[] =>
  plan(changes).deletions.map(({ worker }) => worker);
const list = (...items: CloudServer[]) => ({ at: NOW - 5, items });

describe('sweep', () => {
  it('deletes a server of ours that no record knows, with the reason', () => {
    assert.deepEqual(plan(), {
      deletions: [
        {
          id: ORPHAN.id,
          name: 'production-ci-0009',
          worker: 'ci-0009',
          reason: 'production-ci-0009 goes: no record knows it, over all lists of the last 1 min',
        },
      ],
      drains: [],
      devices: [],
      undeleted: [],
      reasons: ['production-ci-0009 goes: no record knows it, over all lists of the last 1 min'],
      needsState: false,
      memory: { listedAt: NOW - 5, strangers: { [ORPHAN.id]: NOW - 70 } },
    });
  });

  const kept: [string, Partial<SweepInput>][] = [
    ['the servers could not be listed', { servers: undefined }],
    ['the latest list is old', { servers: { at: NOW - 151, items: [...MEMBERS, ORPHAN] } }],
    ['the list is empty', { servers: list() }],
    ['the list has no member at all', { servers: list(ORPHAN) }],
    ['it is a member', { membership: membership('ci-0001', 'ci-0009') }],
    ['the stack’s record has it', { state: state({ membership: membership('ci-0001', 'ci-0009') }) }],
    ['an open intent has it', { intent: membership('ci-0001', 'ci-0009') }],
    [
      'it is just under 15 min old',
      { servers: list(...MEMBERS, server('ci-0009', { created: NOW - 15 * MINUTE + 1 })) },
    ],
    ['it was not seen before', { memory: NO_SWEEP_MEMORY }],
    [
      'it was first seen less than a minute before',
      { memory: { listedAt: NOW - 64, strangers: { [ORPHAN.id]: NOW - 64 } } },
    ],
    ['the stack’s state was not read', { state: undefined }],
    ['the stack’s state was read before it was first seen', { state: state({ at: NOW - 70 }) }],
    [
      'the stack’s state was read long ago',
      {
        state: state({ at: NOW - 121 }),
        memory: { listedAt: NOW - 5, strangers: { [ORPHAN.id]: NOW - 500 } },
      },
    ],
    ['an update runs', { state: state({ settled: false }) }],
    [
      'the stack’s state holds it: the engine deletes it',
      { state: state({ ids: new Set(['1', String(ORPHAN.id)]) }) },
    ],
    [
      'it is of a pool that never was',
      { servers: list(...MEMBERS, server('web-0009', { id: ORPHAN.id, pool: 'web' })) },
    ],
    ['its worker is not of its pool', { servers: list(...MEMBERS, server('web-0009', { id: ORPHAN.id })) }],
    ['its name is another’s', { servers: list(...MEMBERS, server('ci-0009', { name: 'database' })) }],
    ['it is being deleted', { servers: list(...MEMBERS, server('ci-0009', { status: 'deleting' })) }],
  ];
  for (const [what, changes] of kept) {
    it(`leaves a server alone where ${what}`, () => {
      const { deletions, drains } = plan(changes);
      assert.deepEqual([deletions, drains], [[], []]);
    });
  }

  it('wants an update where the stack’s state holds a server that no record knows', () => {
    const held = state({ ids: new Set([String(ORPHAN.id)]) });
    assert.deepEqual(plan({ state: held }).undeleted, ['ci-0009']);
    assert.deepEqual(plan().undeleted, []);
  });

  it('has such a one drained first where it still serves', () => {
    const held = state({ ids: new Set([String(ORPHAN.id)]) });
    const { drains, undeleted } = plan({ state: held, registered: [registered('ci-0009')] });
    assert.deepEqual([drains.map(({ worker }) => worker), undeleted], [['ci-0009'], []]);
  });

  it('asks for the stack’s state only where that alone can judge', () => {
    assert.equal(plan({ state: undefined }).needsState, true);
    assert.equal(plan({ state: undefined, memory: NO_SWEEP_MEMORY }).needsState, false);
    assert.equal(plan({ state: undefined, servers: list(...MEMBERS) }).needsState, false);
  });

  it('counts a list once, and forgets what a list does not have', () => {
    const first = plan({ memory: NO_SWEEP_MEMORY, servers: { at: NOW - 100, items: [...MEMBERS, ORPHAN] } });
    const same = plan({ memory: first.memory, servers: { at: NOW - 100, items: [...MEMBERS, ORPHAN] } });
    assert.deepEqual([same.deletions, same.memory], [[], first.memory]);
    const without = plan({ memory: first.memory, servers: { at: NOW - 50, items: MEMBERS } });
    assert.deepEqual(without.memory.strangers, {});
    const again = plan({ memory: without.memory });
    assert.deepEqual([again.deletions, again.memory.strangers], [[], { [ORPHAN.id]: NOW - 5 }]);
  });

  it('keeps its memory while nothing can be listed', () => {
    assert.deepEqual(plan({ servers: undefined }).memory, seenBefore(ORPHAN));
    assert.deepEqual(plan({ servers: list() }).memory, seenBefore(ORPHAN));
  });

  const speakers: [string, Partial<RegisteredWorker>, 'kept' | 'drained' | 'deleted'][] = [
    ['is idle', {}, 'drained'],
    ['is busy', { busy: 1, running: [NOW - 60] }, 'drained'],
    ['is busy and drains', { busy: 1, running: [NOW - 60], drain: { ...drain, toldAt: NOW - 30 } }, 'kept'],
    ['drains and was not told yet', { drain }, 'kept'],
    ['was told and did not speak since', { drain: { ...drain, toldAt: NOW - 20 }, beatAt: NOW - 20 }, 'kept'],
    ['was told and is idle since', { drain: { ...drain, toldAt: NOW - 20 }, beatAt: NOW - 5 }, 'deleted'],
    ['was idle and is silent for 15 min', { seenAt: NOW - 15 * MINUTE }, 'deleted'],
    ['was busy and is silent for 59 min', { busy: 1, seenAt: NOW - 59 * MINUTE, drain }, 'kept'],
    ['was busy and is silent for an hour', { busy: 1, seenAt: NOW - 60 * MINUTE, drain }, 'deleted'],
  ];
  for (const [what, changes, fate] of speakers) {
    it(`an orphan that registered and ${what} is ${fate}`, () => {
      const { deletions, drains } = plan({ registered: [registered('ci-0009', changes)] });
      assert.deepEqual(
        [deletions.map(({ worker }) => worker), drains.map(({ worker }) => worker)],
        [fate === 'deleted' ? ['ci-0009'] : [], fate === 'drained' ? ['ci-0009'] : []],
      );
    });
  }

  const many = ['ci-0011', 'ci-0012', 'ci-0013', 'ci-0014'].map((id, index) =>
    server(id, { created: LONG_AGO - index }),
  );

  it('deletes three at a time, the oldest first', () => {
    const crowd = ['ci-0001', 'ci-0002', 'ci-0003', 'ci-0004'];
    const servers = list(...crowd.map((id) => server(id)), ...many);
    const record = membership(...crowd);
    assert.deepEqual(
      deleted({
        servers,
        membership: record,
        state: state({ membership: record }),
        memory: seenBefore(...many),
      }),
      ['ci-0014', 'ci-0013', 'ci-0012'],
    );
  });

  it('deletes nothing where that would be most of the fleet', () => {
    const { deletions, reasons } = plan({ servers: list(...MEMBERS, ...many), memory: seenBefore(...many) });
    assert.deepEqual(deletions, []);
    assert.equal(
      reasons[0],
      '4 of 6 servers would go, which is most of the fleet; nothing is swept. Look at the record, and delete by hand what is left over',
    );
  });

  it('drains nothing where that would be most of the fleet', () => {
    const speaking = many.map(({ worker }) => registered(worker, { busy: 1 }));
    const { drains } = plan({
      servers: list(...MEMBERS, ...many),
      memory: seenBefore(...many),
      registered: speaking,
    });
    assert.deepEqual(drains, []);
  });

  it('deletes the few servers of a stack that has no members', () => {
    const few = many.slice(0, 3);
    const nobody = { membership: membership(), state: state({ membership: membership(), ids: new Set() }) };
    assert.equal(deleted({ ...nobody, servers: list(...few), memory: seenBefore(...few) }).length, 3);
  });

  describe('of tailnet devices', () => {
    const removed = (item: TailnetDevice, changes: Partial<SweepInput> = {}): string[] =>
      plan({ servers: list(...MEMBERS), devices: { at: NOW - 5, items: [item] }, ...changes }).devices.map(
        ({ id }) => id,
      );

    it('removes one that is offline and whose worker nobody knows', () => {
      assert.deepEqual(removed(device('ci-0009')), ['n-ci-0009']);
    });

    const stays: [string, TailnetDevice, Partial<SweepInput>][] = [
      ['is a member’s', device('ci-0001'), {}],
      ['is of a worker that an intent names', device('ci-0009'), { intent: membership('ci-0009') }],
      ['has a server', device('ci-0009'), { servers: list(...MEMBERS, ORPHAN) }],
      ['is offline for 15 min only', device('ci-0009', { lastSeen: NOW - 5 - 15 * MINUTE }), {}],
      ['is of a worker that spoke lately', device('ci-0009'), { registered: [registered('ci-0009')] }],
      ['is another stack’s', device('ci-0009', { hostname: 'staging-ci-0009' }), {}],
      ['is of a stack with a longer name', device('x', { hostname: 'production-eu-ci-0009' }), {}],
      ['is the gateway', device('nat'), {}],
      ['is no worker’s', device('ci-laptop.home'), {}],
      ['cannot be judged without the servers', device('ci-0009'), { servers: undefined }],
      ['cannot be judged by an empty list', device('ci-0009'), { servers: list() }],
      ['cannot be judged without the stack’s state', device('ci-0009'), { state: undefined }],
      ['cannot be judged while an update runs', device('ci-0009'), { state: state({ settled: false }) }],
    ];
    for (const [what, item, changes] of stays) {
      it(`leaves one alone that ${what}`, () => assert.deepEqual(removed(item, changes), []));
    }

    it('removes five at a time', () => {
      const items = Array.from({ length: 7 }, (_, index) => device(`ci-002${index}`));
      assert.equal(plan({ servers: list(...MEMBERS), devices: { at: NOW - 5, items } }).devices.length, 5);
    });
  });

  const workers = fc.constantFrom<string>(
    'ci-0001',
    'ci-0002',
    'ci-0003',
    'ci-0009',
    'ci-000b',
    'web-0001',
    'db',
  );
  const servers = fc.uniqueArray(
    fc.record({
      worker: workers,
      age: fc.nat({ max: 3600 }),
      status: fc.constantFrom('running', 'off', 'deleting'),
    }),
    { selector: ({ worker }) => worker },
  );
  const inputs = fc.record({
    servers: fc.option(servers, { nil: undefined }),
    members: fc.uniqueArray(workers),
    recorded: fc.option(fc.uniqueArray(workers), { nil: undefined }),
    stateAt: fc.integer({ min: NOW - 300, max: NOW }),
    settled: fc.boolean(),
    sighted: fc.integer({ min: NOW - 300, max: NOW }),
    busy: fc.uniqueArray(workers),
  });

  it('law: only old strangers in fresh, unsuspicious lists go, judged by a fresh state, and never busy ones', () => {
    fc.assert(
      fc.property(inputs, ({ servers: found, members, recorded, stateAt, settled, sighted, busy }) => {
        const items = found?.map(({ worker, age, status }) =>
          server(worker, { created: NOW - age, status, pool: worker.split('-')[0]! }),
        );
        const { deletions, drains } = plan({
          servers: items && { at: NOW - 5, items },
          membership: membership(...members),
          state:
            recorded && state({ at: stateAt, settled, membership: membership(...recorded), ids: new Set() }),
          memory: {
            listedAt: sighted,
            strangers: Object.fromEntries((items ?? []).map(({ id }) => [id, sighted])),
          },
          registered: busy.map((worker) => registered(worker, { busy: 1 })),
        });
        assert.ok(deletions.length <= 3);
        for (const { worker } of [...deletions, ...drains]) {
          const item = items!.find((candidate) => candidate.worker === worker)!;
          assert.ok(worker.startsWith('ci-') && NOW - item.created >= 15 * MINUTE);
          const expected: string[] = [...members, ...recorded!];
          assert.ok(!expected.includes(worker));
          assert.ok(settled && stateAt > sighted && NOW - stateAt <= 120 && NOW - 5 - sighted >= 60);
          assert.ok(expected.length === 0 || items!.some((other) => expected.includes(other.worker)));
        }
        for (const { worker } of deletions) assert.ok(!busy.includes(worker));
      }),
      { numRuns: 2000 },
    );
  });
});

describe('sweep, carried out', () => {
  const stand = new ObserverStand();
  const cloud = (): Cloud => openCloud(stand.hetzner, 'production', stand.access);
  let rows: RegisteredWorker[];
  let forgotten: string[];
  let drained: string[];
  let removed: string[];
  let audited: Omit<AuditEntry, 'id'>[];
  beforeEach(() => {
    rows = [];
    forgotten = [];
    drained = [];
    removed = [];
    audited = [];
  });
  const book: WorkerBook = {
    register: () => Promise.resolve(),
    beat: () => Promise.resolve({ kind: 'unknown' }),
    fail: () => Promise.resolve(true),
    failedSteps: () => Promise.resolve({}),
    list: () => Promise.resolve(rows),
    drain: async (_environment, ids) => void drained.push(...ids),
    resume: () => Promise.resolve(),
    forget: async (_environment, ids) => void forgotten.push(...ids),
    served: () => Promise.resolve([]),
  };
  const audit: AuditTrail = {
    append: async (entry) => void audited.push(entry),
    latest: () => Promise.resolve([]),
    prune: () => Promise.resolve(),
  };
  const tailnet: Tailnet = {
    devices: () => Promise.resolve({ at: 0, items: [] }),
    remove: async (_id, hostname) => {
      if (hostname === 'production-ci-000x') throw new Error('tailnet device n1 is connected again');
      removed.push(hostname);
      return 'removed';
    },
  };
  const run = (swept: SweepPlan) =>
    sweep(swept, {
      environment: 'production',
      cloud: cloud(),
      tailnet,
      workers: book,
      audit,
      now: stand.now,
    });
  const deletes = (): string[] => stand.calls().filter((call) => call.startsWith('DELETE'));
  const nothing: SweepPlan = {
    deletions: [],
    drains: [],
    devices: [],
    undeleted: [],
    reasons: [],
    needsState: false,
    memory: NO_SWEEP_MEMORY,
  };

  /** Two looks a minute apart at the local cloud, with this record, and what they come to. */
  async function twoLooks(record: Membership): Promise<SweepPlan> {
    let memory = NO_SWEEP_MEMORY;
    let last = nothing;
    for (let look = 0; look < 2; look += 1) {
      const servers = await cloud().listWorkers();
      await stand.sandbox.advance(61);
      const now = stand.now();
      const fresh = { at: now, membership: record, ids: new Set<string>(), settled: true };
      last = planSweep({
        ...input(),
        now,
        servers,
        membership: record,
        state: fresh,
        memory,
      });
      memory = last.memory;
    }
    return last;
  }

  it('deletes the orphan, and nothing that is foreign, unlabelled, another stack’s or young', async () => {
    await stand.server('ci-0001');
    const orphan = await stand.server('ci-0009');
    await stand.server('ci-0009', { environment: 'staging' });
    await stand.server('database', { labels: {} });
    await stand.server('ci-000b', { labels: { 'managed-by': 'somebody', stack: 'production', pool: 'ci' } });
    await stand.sandbox.advance(16 * MINUTE);
    await stand.server('ci-000c');
    const swept = await twoLooks(membership('ci-0001'));
    assert.deepEqual(await run(swept), { servers: [orphan], devices: [], failures: [] });
    assert.deepEqual(deletes(), [`DELETE /v1/servers/${orphan}`]);
    assert.deepEqual(forgotten, ['ci-0009']);
    assert.deepEqual(
      audited.map(({ kind, summary }) => [kind, summary]),
      [['sweep', 'swept 1 servers and 0 tailnet devices that no record knows']],
    );
  });

  it('writes nothing where there is nothing to do', async () => {
    assert.deepEqual(await run(nothing), { servers: [], devices: [], failures: [] });
    assert.deepEqual(audited, []);
  });

  it('leaves one alone that took a job between plan and deletion', async () => {
    const id = await stand.server('ci-0009');
    rows = [registered('ci-0009', { busy: 1, seenAt: stand.now() })];
    const report = await run({
      ...nothing,
      deletions: [{ id, name: 'production-ci-0009', worker: 'ci-0009', reason: 'test' }],
    });
    assert.deepEqual(report, {
      servers: [],
      devices: [],
      failures: ['production-ci-0009: it has taken a job meanwhile; it was left alone'],
    });
    assert.deepEqual(deletes(), []);
  });

  it('one failure stops nothing else', async () => {
    const first = await stand.server('ci-0008');
    const second = await stand.server('ci-0009');
    await stand.send('POST', `/servers/${first}/actions/change_protection`, { delete: true, rebuild: true });
    const report = await run({
      ...nothing,
      drains: [{ worker: 'ci-000a', pool: 'ci', reason: 'test' }],
      deletions: [
        { id: first, name: 'production-ci-0008', worker: 'ci-0008', reason: 'test' },
        { id: second, name: 'production-ci-0009', worker: 'ci-0009', reason: 'test' },
      ],
      devices: [
        { id: 'n1', hostname: 'production-ci-000x', reason: 'test' },
        { id: 'n2', hostname: 'production-ci-000y', reason: 'test' },
      ],
    });
    assert.deepEqual([report.servers, report.devices], [[second], ['n2']]);
    assert.equal(report.failures.length, 2);
    assert.match(report.failures[0]!, /^production-ci-0008: server \d+ .* is protected against deletion/);
    assert.equal(report.failures[1], 'production-ci-000x: tailnet device n1 is connected again');
    assert.deepEqual([drained, removed], [['ci-000a'], ['production-ci-000y']]);
  });
});
