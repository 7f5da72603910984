import assert from 'node:assert/strict';
import fc from 'fast-check';
import { ConfigError } from '../../../components/model/errors';
import {
  EMPTY_POOL,
  PLACEMENT_GROUP_CAPACITY,
  launch,
  parseMembership,
  placementGroups,
  remove,
  removedMembers,
  workerId,
  type Launch,
  type MemberRecord,
  type PoolMembership,
} from '../../../components/model/membership';

const launchAt = (location: string, spread = true): Launch => ({
  serverType: 'cx33',
  location,
  configHash: 'hash-1',
  configHashVersion: 1,
  launchedAt: '2026-10-01T08:00:00.000Z',
  spread,
});

const launches = (count: number, location = 'fsn1'): Launch[] =>
  Array.from({ length: count }, () => launchAt(location));

/** One step in a pool's life: launches, or a choice of members (by position) that go. */
type Step = { launch: Launch[] } | { remove: number[] };

const anyStep: fc.Arbitrary<Step> = fc.oneof(
  fc.record({
    launch: fc.array(
      fc
        .record({ location: fc.constantFrom('fsn1', 'nbg1'), spread: fc.boolean() })
        .map(({ location, spread }) => launchAt(location, spread)),
      { maxLength: 25 },
    ),
  }),
  fc.record({ remove: fc.array(fc.nat({ max: 60 }), { maxLength: 20 }) }),
);

/** Every state of a pool through a life of steps, the empty one first. */
function life(steps: Step[]): PoolMembership[] {
  return steps.reduce<PoolMembership[]>(
    (states, step) => {
      const now = states.at(-1)!;
      if ('launch' in step) return [...states, launch('ci', now, step.launch)];
      const ids = new Set(step.remove.flatMap((index) => now.members[index]?.id ?? []));
      return [...states, remove(now, [...ids])];
    },
    [EMPTY_POOL],
  );
}

const anyLife = fc.array(anyStep, { maxLength: 20 }).map(life);

function pairs<T>(items: T[]): [T, T][] {
  return items.slice(1).map((item, index) => [items[index]!, item]);
}

function sizesOfGroups(members: readonly MemberRecord[]): Map<string, number> {
  const sizes = new Map<string, number>();
  for (const { location, placementGroup } of members) {
    if (placementGroup === undefined) continue;
    const key = `${location}-${placementGroup}`;
    sizes.set(key, (sizes.get(key) ?? 0) + 1);
  }
  return sizes;
}

describe('membership: a worker’s id', () => {
  for (const [serial, id] of [
    [1, 'ci-0001'],
    [10, 'ci-000a'],
    [35, 'ci-000z'],
    [36, 'ci-0010'],
    [36 ** 4 - 1, 'ci-zzzz'],
    [36 ** 4, 'ci-10000'],
  ] as const) {
    it(`is ${id} for serial ${serial}`, () => assert.equal(workerId('ci', serial), id));
  }

  it('names one serial of one pool and no other', () => {
    const pool = fc.stringMatching(/^[a-z][a-z0-9]{0,5}(-[a-z0-9]{1,5}){0,2}$/);
    const serial = fc.integer({ min: 1, max: 36 ** 6 - 1 });
    fc.assert(
      fc.property(pool, serial, pool, serial, (poolA, serialA, poolB, serialB) => {
        const same = workerId(poolA, serialA) === workerId(poolB, serialB);
        assert.equal(same, poolA === poolB && serialA === serialB);
      }),
    );
  });

  it('sorts by age as long as it has four digits', () => {
    const serial = fc.integer({ min: 1, max: 36 ** 4 - 1 });
    fc.assert(
      fc.property(serial, serial, (a, b) => {
        assert.equal(workerId('ci', a) < workerId('ci', b), a < b);
      }),
    );
  });
});

describe('membership: laws of any life of a pool', () => {
  it('never gives an id twice, even after its member is gone', () => {
    fc.assert(
      fc.property(anyLife, (states) => {
        const given = pairs(states).flatMap(([before, after]) => {
          const known = new Set(before.members.map(({ id }) => id));
          return after.members.map(({ id }) => id).filter((id) => !known.has(id));
        });
        assert.equal(new Set(given).size, given.length);
      }),
    );
  });

  it('only ever raises the serial, by one for each launch', () => {
    fc.assert(
      fc.property(fc.array(anyStep, { maxLength: 20 }), (steps) => {
        pairs(life(steps)).forEach(([before, after], index) => {
          const step = steps[index]!;
          const launched = 'launch' in step ? step.launch.length : 0;
          assert.equal(after.nextSerial, before.nextSerial + launched);
        });
      }),
    );
  });

  it('never puts more than ten into a placement group, nor one that does not spread into any', () => {
    fc.assert(
      fc.property(anyLife, (states) => {
        for (const { members } of states) {
          for (const size of sizesOfGroups(members).values()) assert.ok(size <= PLACEMENT_GROUP_CAPACITY);
        }
      }),
    );
    const [member] = launch('ci', EMPTY_POOL, [launchAt('fsn1', false)]).members;
    assert.equal(Object.hasOwn(member!, 'placementGroup'), false);
  });

  it('opens a placement group only when the earlier ones of the location are full', () => {
    fc.assert(
      fc.property(anyLife, fc.constantFrom('fsn1', 'nbg1'), (states, location) => {
        for (const state of states) {
          const before = sizesOfGroups(state.members);
          const group = launch('ci', state, [launchAt(location)]).members.at(-1)!.placementGroup!;
          for (let earlier = 1; earlier < group; earlier += 1) {
            assert.equal(before.get(`${location}-${earlier}`), PLACEMENT_GROUP_CAPACITY);
          }
        }
      }),
    );
  });

  it('leaves the members that stay, and their order, alone', () => {
    fc.assert(
      fc.property(anyLife, (states) => {
        for (const [before, after] of pairs(states)) {
          const stayed = before.members.filter((member) => after.members.includes(member));
          assert.deepEqual(after.members.slice(0, stayed.length), stayed);
        }
      }),
    );
  });

  it('reads back what it wrote', () => {
    fc.assert(
      fc.property(anyLife, (states) => {
        const membership = { ci: states.at(-1)! };
        assert.deepEqual(parseMembership(JSON.parse(JSON.stringify(membership)), 'membership'), membership);
      }),
    );
  });

  it('declares each placement group of its members once', () => {
    fc.assert(
      fc.property(anyLife, (states) => {
        for (const { members } of states) {
          const declared = placementGroups(members).map(({ location, number }) => `${location}-${number}`);
          assert.deepEqual(declared.sort(), [...sizesOfGroups(members).keys()].sort());
        }
      }),
    );
  });
});

describe('membership: launching', () => {
  it('records the template and leaves the wish to spread out of the record', () => {
    assert.deepEqual(launch('ci', { nextSerial: 10, members: [] }, [launchAt('nbg1')]), {
      nextSerial: 11,
      members: [
        {
          id: 'ci-000a',
          serverType: 'cx33',
          location: 'nbg1',
          configHash: 'hash-1',
          configHashVersion: 1,
          launchedAt: '2026-10-01T08:00:00.000Z',
          placementGroup: 1,
        },
      ],
    });
  });

  it('uses a freed place in a full group before it opens a new one', () => {
    const full = launch('ci', EMPTY_POOL, launches(20));
    const oneLeft = remove(full, ['ci-0003']);
    assert.deepEqual(
      launch('ci', oneLeft, launches(2))
        .members.slice(-2)
        .map(({ id, placementGroup }) => [id, placementGroup]),
      [
        ['ci-000l', 1],
        ['ci-000m', 3],
      ],
    );
  });

  it('counts each location’s groups for themselves', () => {
    const mixed = launch('ci', EMPTY_POOL, [...launches(11, 'fsn1'), ...launches(1, 'nbg1')]);
    assert.deepEqual(placementGroups(mixed.members), [
      { location: 'fsn1', number: 1 },
      { location: 'fsn1', number: 2 },
      { location: 'nbg1', number: 1 },
    ]);
  });
});

describe('membership: removing', () => {
  const three = launch('ci', EMPTY_POOL, launches(3));

  it('takes exactly the members that are named', () => {
    assert.deepEqual(
      remove(three, ['ci-0001', 'ci-0003']).members.map(({ id }) => id),
      ['ci-0002'],
    );
  });

  it('refuses a name that is no member, and takes nobody', () => {
    assert.throws(() => remove(three, ['ci-0001', 'ci-0009', 'web-0001']), {
      message: 'not members of this pool: ci-0009, web-0001',
    });
  });

  it('tells who is gone between two records, over all pools', () => {
    const web = launch('web', EMPTY_POOL, launches(1));
    const removed = removedMembers(
      { ci: three, web, gone: launch('gone', EMPTY_POOL, launches(1)) },
      { ci: remove(three, ['ci-0002']), web: launch('web', web, launches(1)) },
    );
    assert.deepEqual(
      removed.map(({ id }) => id),
      ['ci-0002', 'gone-0001'],
    );
  });
});

describe('membership: a record that cannot be read is never an empty one', () => {
  const good = { ci: launch('ci', EMPTY_POOL, launches(1)) };
  const bad: [string, unknown, string][] = [
    ['nothing', undefined, 'membership: Invalid input: expected record, received undefined'],
    ['text', 'none', 'membership: Invalid input: expected record, received string'],
    ['a list', [], 'membership: Invalid input: expected record, received array'],
    [
      'a pool without members',
      { ci: { nextSerial: 2 } },
      'membership.ci.members: Invalid input: expected array, received undefined',
    ],
    [
      'a serial of 0',
      { ci: { nextSerial: 0, members: [] } },
      'membership.ci.nextSerial: Too small: expected number to be >=1',
    ],
    [
      'a key from a newer version',
      { ci: { ...good.ci, cells: 1 } },
      'membership.ci: Unrecognized key: "cells"',
    ],
    [
      'a member without an id',
      { ci: { nextSerial: 2, members: [{ ...good.ci.members[0], id: undefined }] } },
      'membership.ci.members.0.id: Invalid input: expected string, received undefined',
    ],
    [
      'a member with an impossible time',
      { ci: { nextSerial: 2, members: [{ ...good.ci.members[0], launchedAt: 'yesterday' }] } },
      'membership.ci.members.0.launchedAt: Invalid ISO datetime',
    ],
  ];
  for (const [what, record, fault] of bad) {
    it(`refuses ${what}`, () => {
      assert.throws(
        () => parseMembership(record, 'membership'),
        (error: unknown) => {
          assert.ok(error instanceof ConfigError);
          assert.equal(
            error.message,
            `The recorded membership cannot be read. Nothing was changed.\n  • ${fault}`,
          );
          return true;
        },
      );
    });
  }
});
