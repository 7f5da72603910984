import assert from 'node:assert/strict';
import fc from 'fast-check';
import { changed, memberIds, rollForward } from '../../../automation/apply/roll-forward';
import {
  EMPTY_POOL,
  launch,
  remove,
  workerId,
  type Launch,
  type MemberRecord,
  type PoolMembership,
} from '../../../components/model/membership';

const LAUNCH: Launch = {
  serverType: 'cx33',
  location: 'fsn1',
  configHash: 'a'.repeat(16),
  configHashVersion: 1,
  launchedAt: '2026-03-01T12:00:00.000Z',
  spread: false,
};
const launchOf = (): Launch => LAUNCH;

function pool(...serials: number[]): PoolMembership {
  return { nextSerial: Math.max(0, ...serials) + 1, members: serials.map(member) };
}

function member(serial: number): MemberRecord {
  const { serverType, location, configHash, configHashVersion, launchedAt } = LAUNCH;
  return { id: workerId('ci', serial), serverType, location, configHash, configHashVersion, launchedAt };
}

function existing(...serials: number[]): { pool: string; member: MemberRecord }[] {
  return serials.map((serial) => ({ pool: 'ci', member: member(serial) }));
}

describe('what is rolled forward after an interrupted update', () => {
  const rows: {
    name: string;
    recorded: PoolMembership;
    intended?: PoolMembership;
    existing: number[];
    serials: number[];
    next: number;
  }[] = [
    {
      name: 'nothing, where nothing was interrupted',
      recorded: pool(1, 2),
      existing: [1, 2],
      serials: [1, 2],
      next: 3,
    },
    {
      name: 'workers that were made, and not those that were not',
      ...{ recorded: pool(1), intended: pool(1, 2, 3), existing: [1, 2], serials: [1, 2], next: 4 },
    },
    {
      name: 'a removal that was decided, whether or not it was carried out',
      ...{ recorded: pool(1, 2, 3), intended: { nextSerial: 4, members: [member(1), member(3)] } },
      ...{ existing: [1, 2, 3], serials: [1, 3], next: 4 },
    },
    {
      name: 'members whose server is not listed, if they are recorded',
      ...{ recorded: pool(1, 2), intended: pool(1, 2, 3), existing: [], serials: [1, 2], next: 4 },
    },
    {
      name: 'nothing of an intent that was recorded to its end',
      ...{
        recorded: pool(1, 2, 3),
        intended: pool(1, 2, 3),
        existing: [1, 2, 3],
        serials: [1, 2, 3],
        next: 4,
      },
    },
    {
      name: 'members that somebody has added since',
      ...{
        recorded: pool(1, 2, 3, 4),
        intended: pool(1, 2, 3),
        existing: [1, 2, 3, 4],
        serials: [1, 2, 3, 4],
        next: 5,
      },
    },
    {
      name: 'no member that somebody has removed since',
      ...{ recorded: { nextSerial: 5, members: [member(1), member(4)] }, intended: pool(1, 2, 3) },
      ...{ existing: [1, 3, 4], serials: [1, 4], next: 5 },
    },
    {
      name: 'workers that somebody else’s interrupted update has left',
      ...{ recorded: pool(1), existing: [1, 2, 5], serials: [1, 2, 5], next: 6 },
    },
    {
      name: 'no server of a member that was removed long ago: that is for the sweep',
      ...{ recorded: { nextSerial: 5, members: [member(4)] }, existing: [2, 4], serials: [4], next: 5 },
    },
  ];
  for (const { name, recorded, intended, serials, next, ...row } of rows) {
    it(name, () => {
      const evidence = { recorded: { ci: recorded }, existing: existing(...row.existing) };
      const after = rollForward({ ...evidence, ...(intended && { intended: { ci: intended } }) });
      assert.deepEqual(after, { ci: { nextSerial: next, members: serials.map(member) } });
    });
  }

  it('knows the pools of the record and of the intent, and takes in nobody of another', () => {
    const other = { pool: 'gpu', member: { ...member(1), id: 'gpu-0001' } };
    const after = rollForward({
      recorded: { ci: EMPTY_POOL },
      intended: { web: EMPTY_POOL },
      existing: [other],
    });
    assert.deepEqual(after, { ci: EMPTY_POOL, web: EMPTY_POOL });
  });

  const scenario = fc.record({
    size: fc.integer({ min: 0, max: 6 }),
    removals: fc.uniqueArray(fc.integer({ min: 1, max: 6 }), { maxLength: 3 }),
    launches: fc.integer({ min: 0, max: 5 }),
    made: fc.array(fc.boolean(), { minLength: 5, maxLength: 5 }),
    gone: fc.array(fc.boolean(), { minLength: 6, maxLength: 6 }),
  });

  it('loses nobody who was made, makes nobody, gives no id twice, and can be done over', () => {
    fc.assert(
      fc.property(scenario, ({ size, removals, launches, made, gone }) => {
        const recorded = pool(...Array.from({ length: size }, (_, index) => index + 1));
        const victims = removals.filter((serial) => serial <= size);
        const kept = remove(
          recorded,
          victims.map((serial) => workerId('ci', serial)),
        );
        const intended = launch('ci', kept, Array.from({ length: launches }, launchOf));
        const servers = existing(
          ...recorded.members
            .map((_, index) => index + 1)
            .filter((serial) => !victims.includes(serial) || !gone[serial - 1]),
          ...Array.from({ length: launches }, (_, index) => size + 1 + index).filter(
            (_, index) => made[index],
          ),
        );
        const evidence = { recorded: { ci: recorded }, intended: { ci: intended }, existing: servers };
        const after = rollForward(evidence);
        const listed = new Set(servers.map(({ member: { id } }) => id));
        const expected = intended.members.filter(
          ({ id }) => listed.has(id) || kept.members.some((one) => one.id === id),
        );
        assert.deepEqual(after['ci'], { nextSerial: intended.nextSerial, members: expected });
        assert.deepEqual(rollForward({ ...evidence, intended: after }), after);
        assert.deepEqual(rollForward({ ...evidence, recorded: after }), after);
      }),
    );
  });
});

describe('a change of the membership', () => {
  it('launches in order and removes exactly who is named', () => {
    const before = { ci: pool(1, 2), web: EMPTY_POOL };
    const launches = ['ci', 'web', 'ci'].map((name) => ({
      pool: name,
      serverType: 'cx33',
      location: 'fsn1',
    }));
    const after = changed(before, { launches, removals: ['ci-0001'] }, launchOf);
    assert.deepEqual(memberIds(after), ['ci-0002', 'ci-0003', 'ci-0004', 'web-0001']);
    assert.equal(after['ci']?.nextSerial, 5);
  });

  it('passes over a removal that somebody else has made', () => {
    const before = { ci: pool(1) };
    assert.deepEqual(changed(before, { launches: [], removals: ['ci-0009', 'web-0001'] }, launchOf), before);
  });

  it('is refused for a pool that there is not', () => {
    const launches = [{ pool: 'gpu', serverType: 'cx33', location: 'fsn1' }];
    assert.throws(() => changed({ ci: pool(1) }, { launches, removals: [] }, launchOf), /no pool gpu$/);
  });
});
