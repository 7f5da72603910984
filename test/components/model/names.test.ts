import assert from 'node:assert/strict';
import fc from 'fast-check';
import { poolLabels, stackLabels, workerLabels } from '../../../components/model/labels';
import { EMPTY_POOL, launch, workerId } from '../../../components/model/membership';
import {
  ENVIRONMENT_NAME_LIMIT,
  NAME_PATTERN,
  POOL_NAME_LIMIT,
  isWorkersOwn,
  physicalName,
  poolResourceName,
  resourceName,
  urnName,
  workersOf,
} from '../../../components/model/names';
import { ciPool, faultsOf, withPools } from '../configs';

/** RFC 1123, 2.1, in lower case. */
const HOST_LABEL = /^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$/;
/** docs.hetzner.cloud, "Labels": keys without a prefix, and values. */
const LABEL_KEY = /^[a-zA-Z0-9]([a-zA-Z0-9._-]{0,61}[a-zA-Z0-9])?$/;
const LABEL_VALUE = /^([a-zA-Z0-9]([a-zA-Z0-9._-]{0,61}[a-zA-Z0-9])?)?$/;

/** Names that the configuration takes, the longest ones among them. */
const legalName = (limit: number): fc.Arbitrary<string> =>
  fc
    .oneof(
      fc.stringMatching(/^[a-z][a-z0-9]{0,8}(-[a-z0-9]{1,8}){0,5}$/),
      fc.integer({ min: 1, max: limit }).map((length) => 'x'.repeat(length)),
    )
    .filter(
      (name) =>
        name.length <= limit &&
        faultsOf(withPools({ [name.slice(0, POOL_NAME_LIMIT).replace(/-$/, '')]: ciPool })).length === 0,
    );

const environment = legalName(ENVIRONMENT_NAME_LIMIT);
const pool = legalName(POOL_NAME_LIMIT);
/** Two thousand million launches: more than a pool sees. */
const serial = fc.integer({ min: 1, max: 36 ** 6 - 1 });
const location = fc.constantFrom('fsn1', 'nbg1', 'hel1', 'ash', 'hil', 'sin');
/** A project has fifty placement groups. */
const group = fc.integer({ min: 1, max: 50 });

describe('names and labels', () => {
  it('law: a worker’s host name is one RFC 1123 label, for every legal stack, pool and serial', () => {
    fc.assert(
      fc.property(environment, pool, serial, (stack, name, number) => {
        assert.match(physicalName(stack, workerId(name, number)), HOST_LABEL);
      }),
    );
  });

  it('law: every label is one that Hetzner takes', () => {
    const hash = fc.stringMatching(/^[0-9a-f]{16}$/);
    fc.assert(
      fc.property(environment, pool, serial, hash, (stack, name, number, configHash) => {
        const { members } = launch(name, { nextSerial: number, members: [] }, [
          {
            serverType: 'cx33',
            location: 'fsn1',
            configHash,
            configHashVersion: 1,
            launchedAt: '',
            spread: true,
          },
        ]);
        for (const [key, value] of Object.entries(workerLabels(stack, name, members[0]!))) {
          assert.match(key, LABEL_KEY);
          assert.match(value, LABEL_VALUE);
        }
      }),
    );
  });

  it('law: two workers of one stack never share a host name', () => {
    fc.assert(
      fc.property(environment, pool, serial, pool, serial, (stack, poolA, a, poolB, b) => {
        const same = physicalName(stack, workerId(poolA, a)) === physicalName(stack, workerId(poolB, b));
        assert.equal(same, poolA === poolB && a === b);
      }),
    );
  });

  it('law: a worker is known again by its server’s logical name, and by no other resource’s', () => {
    fc.assert(
      fc.property(pool, serial, (name, number) => {
        const worker = workerId(name, number);
        const others = [
          worker,
          resourceName(worker, 'key'),
          resourceName(worker, 'ready'),
          resourceName(worker, 'dns'),
          `${worker}-tenant-acme`,
          `${name}-closed`,
          'nat-server',
        ];
        assert.deepEqual(workersOf(others), []);
        assert.deepEqual(workersOf([...others, resourceName(worker, 'server')]), [worker]);
      }),
    );
  });

  it('law: what is one worker’s own is no other’s, nor its pool’s', () => {
    fc.assert(
      fc.property(pool, serial, pool, serial, location, group, (poolA, a, poolB, b, place, number) => {
        const worker = workerId(poolA, a);
        const other = workerId(poolB, b);
        for (const part of ['key', 'server', 'ready', 'dns', 'wildcard', 'tenant-acme'] as const) {
          assert.equal(isWorkersOwn(resourceName(worker, part), worker), true);
          assert.equal(isWorkersOwn(resourceName(other, part), worker), worker === other);
        }
        for (const named of [poolA, poolB, worker]) {
          for (const part of ['open', 'closed', `${place}-${number}`] as const) {
            assert.equal(isWorkersOwn(poolResourceName(named, part), worker), false);
          }
        }
      }),
    );
  });

  it('a URN ends with the logical name', () => {
    const type = 'workerpools:index:Worker$hcloud:index/server:Server';
    assert.equal(urnName(`urn:pulumi:staging::fleet::${type}::ci-0001-server`), 'ci-0001-server');
  });

  const longest = 'x'.repeat(POOL_NAME_LIMIT);
  const rows: [string, boolean][] = [
    ['ci', true],
    ['a', true],
    ['ci-2', true],
    ['ci-arm-gpu', true],
    [longest, true],
    [`${longest}x`, false],
    ['2ci', false],
    ['-ci', false],
    ['ci-', false],
    ['ci--arm', false],
    ['Ci', false],
    ['ci_arm', false],
    ['ci.arm', false],
    ['ci arm', false],
    ['cï', false],
    ['', false],
  ];
  for (const [name, legal] of rows) {
    it(`"${name}" is ${legal ? 'a' : 'no'} pool name`, () => {
      assert.equal(faultsOf(withPools({ [name]: ciPool })).length === 0, legal);
    });
  }

  it('stack labels are what a sweep goes by; the worker’s own add to them', () => {
    const [member] = launch('ci', EMPTY_POOL, [
      {
        serverType: 'cx33',
        location: 'fsn1',
        configHash: '0123456789abcdef',
        configHashVersion: 1,
        launchedAt: '2026-10-01T08:00:00.000Z',
        spread: true,
      },
    ]).members;
    assert.deepEqual(stackLabels('staging'), { 'managed-by': 'hcloud-worker-pools', stack: 'staging' });
    assert.deepEqual(poolLabels('staging', 'ci'), {
      'managed-by': 'hcloud-worker-pools',
      stack: 'staging',
      pool: 'ci',
    });
    assert.deepEqual(workerLabels('staging', 'ci', member!), {
      'managed-by': 'hcloud-worker-pools',
      stack: 'staging',
      pool: 'ci',
      'worker-id': 'ci-0001',
      'config-hash': '0123456789abcdef',
      'config-hash-version': '1',
    });
  });

  it('the limits leave room for six digits of the serial in one host name label', () => {
    assert.equal(ENVIRONMENT_NAME_LIMIT + 1 + POOL_NAME_LIMIT + 1 + 6, 63);
    assert.ok(NAME_PATTERN.test('production'));
  });
});
