import assert from 'node:assert/strict';
import fc from 'fast-check';
import { ConfigError } from '../../../components/model/errors';
import {
  EMPTY_POOL,
  launch,
  parseMembership,
  type Launch,
  type Membership,
  type PoolMembership,
} from '../../../components/model/membership';
import {
  adopt,
  guardInterrupted,
  guardRemoval,
  isDrifted,
  planMembership,
  stragglers,
  type LabelledWorker,
} from '../../../components/model/plan';
import { ciPool, parsed, withPools, type Raw } from '../configs';

const template: Launch = {
  serverType: 'cx33',
  location: 'fsn1',
  configHash: 'hash-1',
  configHashVersion: 1,
  launchedAt: '2026-10-01T08:00:00.000Z',
  spread: false,
};

const poolOf = (name: string, size: number): PoolMembership =>
  launch(
    name,
    EMPTY_POOL,
    Array.from({ length: size }, () => template),
  );

const launchOf = (): Launch => ({ ...template, configHash: 'hash-2' });

const configOf = (pools: Record<string, Raw>) =>
  parsed(
    withPools(
      Object.fromEntries(Object.entries(pools).map(([name, pool]) => [name, { ...ciPool, ...pool }])),
    ),
  );

const idsOf = (pool: PoolMembership | undefined): string[] | undefined => pool?.members.map(({ id }) => id);

const labelled = (pool: string, serial: number): LabelledWorker => ({
  pool,
  member: launch(pool, { nextSerial: serial, members: [] }, [template]).members[0]!,
});

describe('plan: who a run without an intent declares', () => {
  const rows: [string, Raw, number | undefined, string[]][] = [
    ['a new pool starts at its min', { size: { min: 2, max: 5 } }, undefined, ['ci-0001', 'ci-0002']],
    ['a new pool with min 0 starts empty', { size: { min: 0, max: 5 } }, undefined, []],
    [
      'a new fixed pool is as large as the file says',
      { size: { fixed: 3 } },
      undefined,
      ['ci-0001', 'ci-0002', 'ci-0003'],
    ],
    ['a scaled pool below a raised min stays', { size: { min: 4, max: 5 } }, 1, ['ci-0001']],
    [
      'a scaled pool above a lowered max stays',
      { size: { min: 0, max: 1 } },
      3,
      ['ci-0001', 'ci-0002', 'ci-0003'],
    ],
    ['a scaled pool at 0 is not taken for a new one', { size: { min: 2, max: 5 } }, 0, []],
    ['a fixed pool follows the file up', { size: { fixed: 2 } }, 1, ['ci-0001', 'ci-0002']],
    ['a fixed pool follows the file down; the youngest go', { size: { fixed: 1 } }, 3, ['ci-0001']],
    ['a fixed pool of 0 is emptied', { size: { fixed: 0 } }, 2, []],
  ];
  for (const [what, pool, before, ids] of rows) {
    it(what, () => {
      const recorded = before === undefined ? undefined : { ci: poolOf('ci', before) };
      const planned = planMembership({ config: configOf({ ci: pool }), recorded, launchOf });
      assert.deepEqual(idsOf(planned['ci']), ids);
    });
  }

  it('keeps the serial of a pool that is out of the file, so that its return gives new ids', () => {
    const recorded = { ci: poolOf('ci', 2), web: poolOf('web', 3) };
    const without = planMembership({ config: configOf({ ci: {} }), recorded, launchOf });
    assert.deepEqual(without['web'], { nextSerial: 4, members: [] });

    const back = planMembership({
      config: configOf({ ci: {}, web: { size: { fixed: 1 } } }),
      recorded: without,
      launchOf,
    });
    assert.deepEqual(idsOf(back['web']), ['web-0004']);
  });

  it('launches from today’s template and leaves the stamps of the others alone', () => {
    const planned = planMembership({
      config: configOf({ ci: { size: { fixed: 2 } } }),
      recorded: { ci: poolOf('ci', 1) },
      launchOf,
    });
    assert.deepEqual(
      planned['ci']!.members.map(({ configHash }) => configHash),
      ['hash-1', 'hash-2'],
    );
  });

  const anyRecord: fc.Arbitrary<Membership> = fc
    .dictionary(fc.constantFrom('ci', 'web', 'gpu'), fc.nat({ max: 30 }))
    .map((sizes) =>
      Object.fromEntries(Object.entries(sizes).map(([name, size]) => [name, poolOf(name, size)])),
    );
  const anySize: fc.Arbitrary<Raw> = fc.oneof(
    fc
      .tuple(fc.nat({ max: 20 }), fc.nat({ max: 20 }))
      .map(([min, more]) => ({ size: { min, max: min + more } })),
    fc.nat({ max: 20 }).map((fixed) => ({ size: { fixed } })),
  );
  const anyConfig = fc
    .dictionary(fc.constantFrom('ci', 'web', 'gpu'), anySize, { minKeys: 1 })
    .map((pools) => configOf(pools));

  it('law: planned again, it changes nothing', () => {
    fc.assert(
      fc.property(anyConfig, anyRecord, (config, recorded) => {
        const once = planMembership({ config, recorded, launchOf });
        assert.deepEqual(planMembership({ config, recorded: once, launchOf }), once);
      }),
    );
  });

  it('law: no scaled pool that is recorded changes, and no serial goes back', () => {
    fc.assert(
      fc.property(anyConfig, anyRecord, (config, recorded) => {
        const planned = planMembership({ config, recorded, launchOf });
        for (const [name, before] of Object.entries(recorded)) {
          assert.ok(planned[name]!.nextSerial >= before.nextSerial);
          const pool = config.pools[name];
          if (pool && !('fixed' in pool.size)) assert.deepEqual(planned[name], before);
        }
      }),
    );
  });

  it('law: what it plans is a record that can be read back', () => {
    fc.assert(
      fc.property(anyConfig, fc.option(anyRecord, { nil: undefined }), (config, recorded) => {
        const planned = planMembership({ config, recorded, launchOf });
        assert.deepEqual(parseMembership(JSON.parse(JSON.stringify(planned)), 'membership'), planned);
      }),
    );
  });
});

describe('plan: the guard against removals', () => {
  const rollout = (maxUnavailable: number): Raw => ({
    scaling: { rollout: { maxSurge: 1, maxUnavailable } },
  });
  const before = { ci: poolOf('ci', 4), web: poolOf('web', 2) };
  const after = (ci: number, web: number): Membership => ({
    ci: { nextSerial: 5, members: before.ci.members.slice(0, ci) },
    web: { nextSerial: 3, members: before.web.members.slice(0, web) },
  });
  const config = configOf({ ci: rollout(2), web: rollout(0) });
  const says = (ids: string, budget: number, pool: string): string =>
    `pool ${pool}: this would remove ${ids}, and maxUnavailable is ${budget}. If that is meant, say so once: WORKER_POOLS_ALLOW_REMOVAL=${pool} pulumi up`;

  const rows: [string, Membership, string[], string[]][] = [
    ['nobody removed', after(4, 2), [], []],
    ['within the budget', after(2, 2), [], []],
    ['one over the budget', after(1, 2), [], [says('ci-0002, ci-0003, ci-0004', 2, 'ci')]],
    ['no budget at all', after(4, 1), [], [says('web-0002', 0, 'web')]],
    [
      'two pools',
      after(0, 0),
      [],
      [says('ci-0001, ci-0002, ci-0003, ci-0004', 2, 'ci'), says('web-0001, web-0002', 0, 'web')],
    ],
    ['the pool is named', after(0, 2), ['ci'], []],
    ['the worker is named', after(4, 1), ['web-0002'], []],
    ['named workers do not count', after(1, 2), ['ci-0003'], []],
    ['another pool is named', after(4, 1), ['ci'], [says('web-0002', 0, 'web')]],
    ['another worker is named', after(4, 1), ['web-0001'], [says('web-0002', 0, 'web')]],
    [
      'a pool that is out of the record',
      { ci: after(4, 0)['ci']! },
      [],
      [says('web-0001, web-0002', 0, 'web')],
    ],
  ];
  for (const [what, planned, allowed, faults] of rows) {
    it(`${what}: ${faults.length === 0 ? 'goes on' : 'stops'}`, () => {
      const guard = (): void => guardRemoval(config, before, planned, allowed);
      if (faults.length === 0) return assert.doesNotThrow(guard);
      assert.throws(guard, (error: unknown) => {
        assert.ok(error instanceof ConfigError);
        assert.deepEqual(
          error.faults.map(({ path, message }) => `${path}: ${message}`),
          faults,
        );
        return true;
      });
    });
  }

  it('stops for a pool that the file lost, whose budget nobody knows any more', () => {
    const lost = { ci: before.ci, web: { nextSerial: 3, members: [] } };
    assert.throws(() => guardRemoval(configOf({ ci: {} }), before, lost, []), ConfigError);
  });
});

describe('plan: after an interrupted update', () => {
  const recorded = { ci: poolOf('ci', 2) };

  const rows: [string, LabelledWorker, boolean][] = [
    ['a worker younger than the record', labelled('ci', 3), true],
    ['a member', labelled('ci', 2), false],
    ['a worker of a pool without a record', labelled('web', 1), true],
  ];
  for (const [what, worker, isStraggler] of rows) {
    it(`${what} is ${isStraggler ? 'a straggler' : 'none'}`, () => {
      assert.deepEqual(stragglers(recorded, recorded, [worker]), isStraggler ? [worker] : []);
    });
  }

  it('a worker that was taken out of the record on purpose is none', () => {
    const scaledIn = { ci: { nextSerial: 3, members: [] } };
    assert.deepEqual(stragglers(scaledIn, scaledIn, [labelled('ci', 1), labelled('ci', 2)]), []);
  });

  it('a worker that the run declares anyway is none', () => {
    const planned = { ci: poolOf('ci', 3) };
    assert.deepEqual(stragglers(recorded, planned, [labelled('ci', 3)]), []);
    assert.deepEqual(stragglers(undefined, planned, [labelled('ci', 3)]), []);
  });

  it('adopted workers become members, and no later id is theirs', () => {
    const adopted = adopt(recorded, [labelled('ci', 5), labelled('web', 2)]);
    assert.deepEqual(
      Object.entries(adopted).map(([name, pool]) => [name, pool.nextSerial, idsOf(pool)]),
      [
        ['ci', 6, ['ci-0001', 'ci-0002', 'ci-0005']],
        ['web', 3, ['web-0002']],
      ],
    );
    assert.deepEqual(idsOf(launch('ci', adopted['ci']!, [template])), [
      'ci-0001',
      'ci-0002',
      'ci-0005',
      'ci-0006',
    ]);
  });

  it('adopting an older worker does not take the serial back', () => {
    assert.equal(adopt({ ci: { nextSerial: 9, members: [] } }, [labelled('ci', 2)])['ci']!.nextSerial, 9);
  });

  it('adopting nobody changes nothing', () => {
    assert.deepEqual(adopt(recorded, []), recorded);
    assert.deepEqual(adopt(undefined, []), {});
  });

  it('law: adopting the same workers again changes nothing', () => {
    const workers = fc.uniqueArray(fc.integer({ min: 1, max: 12 }), { maxLength: 6 });
    fc.assert(
      fc.property(fc.nat({ max: 6 }), workers, (size, serials) => {
        const found = serials.map((serial) => labelled('ci', serial));
        const once = adopt({ ci: poolOf('ci', size) }, found);
        assert.deepEqual(adopt(once, found), once);
        assert.equal(new Set(idsOf(once['ci'])).size, once['ci']!.members.length);
      }),
    );
  });

  it('law: whoever was adopted is no straggler any more', () => {
    fc.assert(
      fc.property(fc.uniqueArray(fc.integer({ min: 1, max: 40 }), { maxLength: 8 }), (serials) => {
        const found = serials.map((serial) => labelled('ci', serial));
        const left = stragglers(recorded, recorded, found);
        const adopted = adopt(recorded, left);
        assert.deepEqual(stragglers(adopted, adopted, found), []);
      }),
    );
  });

  it('stops and names both ways on', () => {
    assert.throws(() => guardInterrupted([labelled('ci', 3), labelled('ci', 4)], ['ci-0004']), {
      name: 'ConfigError',
      message:
        'The previous update of this stack was interrupted. Nothing was changed.\n' +
        '  • workers ci-0003: an update was interrupted before it recorded them. Keep those that it finished: ' +
        'WORKER_POOLS_ADOPT=ci-0003 pulumi up. Or let them go: WORKER_POOLS_ALLOW_REMOVAL=ci-0003 pulumi up, ' +
        'then delete by hand the server that was in the making, if one is left',
    });
    assert.doesNotThrow(() => guardInterrupted([labelled('ci', 3)], ['ci-0003']));
    assert.doesNotThrow(() => guardInterrupted([], []));
  });
});

describe('plan: drift', () => {
  const pool = configOf({ ci: {} }).pools['ci']!;
  const member = poolOf('ci', 1).members[0]!;
  const rows: [string, Partial<typeof member>, { configHash: string; configHashVersion: number }, boolean][] =
    [
      ['same template', {}, { configHash: 'hash-1', configHashVersion: 1 }, false],
      ['another template', {}, { configHash: 'hash-2', configHashVersion: 1 }, true],
      ['another way of hashing', {}, { configHash: 'hash-2', configHashVersion: 2 }, false],
      [
        'a later placement of the list',
        { serverType: 'cpx32', location: 'nbg1' },
        { configHash: 'hash-1', configHashVersion: 1 },
        false,
      ],
      [
        'a type that is not listed',
        { serverType: 'cx23' },
        { configHash: 'hash-1', configHashVersion: 1 },
        true,
      ],
      [
        'type and location of different entries',
        { location: 'nbg1' },
        { configHash: 'hash-1', configHashVersion: 1 },
        true,
      ],
      [
        'not listed, and another way of hashing',
        { serverType: 'cx23' },
        { configHash: 'hash-2', configHashVersion: 2 },
        true,
      ],
    ];
  for (const [what, changes, current, drifted] of rows) {
    it(`${what}: ${drifted ? 'drifted' : 'not drifted'}`, () => {
      assert.equal(isDrifted({ ...member, ...changes }, pool, current), drifted);
    });
  }
});
