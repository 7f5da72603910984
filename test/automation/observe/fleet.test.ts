import assert from 'node:assert/strict';
import * as fc from 'fast-check';
import type { MemberRecord, Membership } from '../../../components/model/membership';
import { NO_MEMORY, viewFleet, type FleetFacts, type FleetView } from '../../../automation/observe/fleet';
import type { CloudServer, TailnetDevice, WorkerStatus } from '../../../automation/observe/types';
import type { RegisteredWorker } from '../../../automation/registry/types';
import { ciPool, parsed, withPool } from '../../components/configs';

const LAUNCHED = 1_800_000_000;
const NOW = LAUNCHED + 1000;
const pools = parsed(withPool(ciPool)).pools;

const member = (id: string, changes: Partial<MemberRecord> = {}): MemberRecord => ({
  id,
  configHash: 'abc',
  configHashVersion: 1,
  serverType: 'cx33',
  location: 'fsn1',
  launchedAt: new Date(LAUNCHED * 1000).toISOString(),
  ...changes,
});
const server = (worker: string, changes: Partial<CloudServer> = {}): CloudServer => ({
  id: 7,
  name: `production-${worker}`,
  pool: 'ci',
  worker,
  created: LAUNCHED + 5,
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
  slots: 4,
  address: '100.64.0.1',
  registeredAt: LAUNCHED + 60,
  seenAt: NOW - 5,
  busy: 0,
  running: [],
  ...changes,
});
const membership = (...members: MemberRecord[]): Membership => ({ ci: { nextSerial: 99, members } });
const drain = { cause: 'policy', reason: 'idle', since: NOW - 20 } as const;

function view(changes: Partial<FleetFacts>): FleetView {
  return viewFleet({
    now: NOW,
    environment: 'production',
    membership: membership(member('ci-0001')),
    servers: { at: NOW - 10, items: [server('ci-0001')] },
    registered: [],
    failedSteps: {},
    devices: undefined,
    pools,
    templates: { ci: { configHash: 'abc', configHashVersion: 1 } },
    hourly: () => 0.02,
    listeningSince: LAUNCHED,
    registrySince: 0,
    settledSince: LAUNCHED + 30,
    memory: NO_MEMORY,
    ...changes,
  });
}

/** Status of the one member after complete lists in a row, 75 s apart. */
function after(lists: CloudServer[][], changes: Partial<FleetFacts> = {}): WorkerStatus {
  let memory = NO_MEMORY;
  let status: WorkerStatus | undefined;
  for (const [index, items] of lists.entries()) {
    const at = NOW + index * 75;
    const seen = view({ now: at, servers: { at, items }, memory, ...changes });
    memory = seen.memory;
    status = seen.workers[0]!.status;
  }
  return status!;
}

describe('fleet', () => {
  it('is every member with its server, registration, device and price', () => {
    const worker = registered('ci-0001');
    const device: TailnetDevice = {
      id: 'n1',
      hostname: 'production-ci-0001',
      address: '100.64.0.1',
      lastSeen: NOW,
    };
    assert.deepEqual(view({ registered: [worker], devices: { at: NOW, items: [device] } }), {
      workers: [
        {
          id: 'ci-0001',
          pool: 'ci',
          member: member('ci-0001'),
          status: 'ready',
          created: LAUNCHED + 5,
          drifted: false,
          hourly: 0.02,
          server: server('ci-0001'),
          registered: worker,
          device,
        },
      ],
      strangers: [],
      missing: [],
      memory: { listedAt: NOW - 10, gone: {}, made: {} },
    });
  });

  it('boots from the first look after the update that made it, over later updates, until it registers', () => {
    let memory = NO_MEMORY;
    const since = (now: number, changes: Partial<FleetFacts>): number | undefined => {
      const seen = view({ now, memory, ...changes });
      memory = seen.memory;
      return seen.workers[0]!.bootingSince;
    };
    assert.equal(since(NOW, { settledSince: NOW }), NOW);
    assert.equal(since(NOW + 10, { settledSince: NOW + 10 }), NOW + 10);
    assert.equal(since(NOW + 20, { settledSince: NOW + 15 }), NOW + 20);
    assert.equal(since(NOW + 30, { settledSince: NOW + 30 }), NOW + 20);
    assert.equal(since(NOW + 40, { settledSince: NOW + 35 }), NOW + 20);
    assert.equal(since(NOW + 50, { registered: [registered('ci-0001')] }), undefined);
    assert.deepEqual(memory.made, {});
  });

  it('has the step in which a set-up failed until the worker registers after all', () => {
    const told = (changes: Partial<FleetFacts>): unknown[] => {
      const [worker] = view({ failedSteps: { 'ci-0001': '13-packages' }, ...changes }).workers;
      return [worker!.status, worker!.failedStep];
    };
    assert.deepEqual(told({}), ['booting', '13-packages']);
    assert.deepEqual(told({ registered: [registered('ci-0001')] }), ['ready', undefined]);
    assert.deepEqual(told({ failedSteps: { 'ci-0002': '13-packages' } }), ['booting', undefined]);
  });

  const statuses: [string, Partial<FleetFacts>, WorkerStatus][] = [
    ['boots until it registers', {}, 'booting'],
    ['boots before the first list', { servers: undefined }, 'booting'],
    ['is ready once it registered', { registered: [registered('ci-0001')] }, 'ready'],
    [
      'is ready also where nothing was listed',
      { servers: undefined, registered: [registered('ci-0001')] },
      'ready',
    ],
    [
      'that the registry is too young to know may work: it is silent',
      { registrySince: LAUNCHED + 6, now: LAUNCHED + 5 + 241 },
      'silent',
    ],
    [
      'of that kind boots until a boot has had its time',
      { registrySince: LAUNCHED + 6, now: LAUNCHED + 5 + 240 },
      'booting',
    ],
    ['drains when told to', { registered: [registered('ci-0001', { drain })] }, 'draining'],
    [
      'is ready a minute after its last word',
      { registered: [registered('ci-0001', { seenAt: NOW - 60 })] },
      'ready',
    ],
    ['is silent later than that', { registered: [registered('ci-0001', { seenAt: NOW - 61 })] }, 'silent'],
    [
      'is silent while it drains, too',
      { registered: [registered('ci-0001', { seenAt: NOW - 61, drain })] },
      'silent',
    ],
    [
      'is given a minute after this process began to listen',
      { registered: [registered('ci-0001', { seenAt: NOW - 600 })], listeningSince: NOW - 60 },
      'ready',
    ],
  ];
  for (const [what, changes, status] of statuses) {
    it(`a worker ${what}`, () => assert.equal(view(changes).workers[0]!.status, status));
  }

  const off = server('ci-0001', { status: 'off' });
  const losses: [string, CloudServer[][], Partial<FleetFacts>, WorkerStatus][] = [
    ['one list lacks it', [[]], {}, 'booting'],
    ['two lists in a row lack it', [[], []], {}, 'lost'],
    ['one lacks it, the next has it', [[], [server('ci-0001')], []], {}, 'booting'],
    ['its server is off in one list', [[off]], {}, 'booting'],
    ['its server is off in two lists', [[off], [off]], {}, 'lost'],
    ['its server stops, then is gone', [[server('ci-0001', { status: 'stopping' })], []], {}, 'lost'],
    [
      'its server starts',
      [[server('ci-0001', { status: 'starting' })], [server('ci-0001', { status: 'initializing' })]],
      {},
      'booting',
    ],
    [
      'two lists lack it, but it spoke since',
      [[], []],
      { registered: [registered('ci-0001', { seenAt: NOW + 76 })] },
      'ready',
    ],
    [
      'two lists lack it, and it spoke only before',
      [[], []],
      { registered: [registered('ci-0001', { seenAt: NOW + 70 })] },
      'lost',
    ],
    [
      'it was launched 119 s before the list',
      [[], []],
      {
        membership: membership(
          member('ci-0001', { launchedAt: new Date((NOW + 75 - 119) * 1000).toISOString() }),
        ),
      },
      'booting',
    ],
    ['an update runs that may still make it', [[], []], { settledSince: NOW + 76 }, 'booting'],
  ];
  for (const [what, lists, changes, status] of losses) {
    it(`a worker is ${status} where ${what}`, () => assert.equal(after(lists, changes), status));
  }

  it('the same list twice is one list', () => {
    const servers = { at: NOW, items: [] };
    const first = view({ servers });
    assert.deepEqual(view({ servers, memory: first.memory }).memory, first.memory);
    assert.equal(view({ servers, memory: first.memory }).workers[0]!.status, 'booting');
    assert.deepEqual(first.missing, ['ci-0001']);
  });

  it('servers of ours that are no members are strangers', () => {
    const stranger = server('ci-0009', { id: 9 });
    const seen = view({ servers: { at: NOW, items: [server('ci-0001'), stranger] } });
    assert.deepEqual(seen.strangers, [stranger]);
  });

  const drifts: [string, Partial<FleetFacts>, boolean][] = [
    ['another template', { templates: { ci: { configHash: 'new', configHashVersion: 1 } } }, true],
    ['another way of hashing', { templates: { ci: { configHash: 'new', configHashVersion: 2 } } }, false],
    [
      'a placement that is not listed',
      { membership: membership(member('ci-0001', { location: 'hel1' })) },
      true,
    ],
    ['a pool that is gone', { pools: {} }, true],
    ['no template known', { templates: {} }, false],
  ];
  for (const [what, changes, drifted] of drifts) {
    it(`${what}: ${drifted ? '' : 'not '}drifted`, () =>
      assert.equal(view(changes).workers[0]!.drifted, drifted));
  }

  it('a type without a price costs as the dearest of its pool', () => {
    const seen = view({
      membership: membership(member('ci-0001', { serverType: 'old1' })),
      hourly: ({ serverType }, ipv4) => ({ cx33: 0.02, cpx32: 0.05 })[serverType] ?? (ipv4 ? undefined : 0),
    });
    assert.equal(seen.workers[0]!.hourly, 0.05);
  });

  const ids = ['ci-0001', 'ci-0002', 'ci-0003', 'ci-0004'];
  const statusesOfServers = fc.constantFrom(
    'initializing',
    'starting',
    'running',
    'off',
    'stopping',
    'deleting',
  );
  const lists = fc.option(
    fc.uniqueArray(fc.record({ worker: fc.constantFrom(...ids, 'ci-0099'), status: statusesOfServers }), {
      selector: ({ worker }) => worker,
    }),
    { nil: undefined },
  );
  const rows = fc.uniqueArray(
    fc.record({ worker: fc.constantFrom(...ids), seenAt: fc.integer({ min: LAUNCHED, max: NOW + 600 }) }),
    { selector: ({ worker }) => worker },
  );

  it('law: only two complete lists in a row without it make a worker lost, and failed lists none', () => {
    fc.assert(
      fc.property(fc.array(lists, { maxLength: 6 }), rows, (all, workers) => {
        let memory = NO_MEMORY;
        let servers: FleetFacts['servers'];
        const inARow = new Map<string, number>();
        for (const [index, list] of all.entries()) {
          const now = NOW + index * 75;
          if (list) {
            servers = { at: now, items: list.map(({ worker, status }) => server(worker, { status })) };
            for (const id of ids) {
              const alive = list.some(
                ({ worker, status }) => worker === id && !['off', 'stopping', 'deleting'].includes(status),
              );
              inARow.set(id, alive ? 0 : (inARow.get(id) ?? 0) + 1);
            }
          }
          const seen = view({
            now,
            servers,
            memory,
            membership: membership(...ids.map((id) => member(id))),
            registered: workers.map(({ worker, seenAt }) => registered(worker, { seenAt })),
          });
          memory = JSON.parse(JSON.stringify(seen.memory)) as typeof memory;
          for (const { id, status } of seen.workers) {
            if (status === 'lost') assert.ok(inARow.get(id)! >= 2);
            if (status === 'ready' || status === 'draining' || status === 'silent')
              assert.ok(workers.some(({ worker }) => worker === id));
          }
          assert.deepEqual(
            seen.workers.map(({ id }) => id),
            ids,
          );
        }
      }),
    );
  });
});
