import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { busyBackoff } from '../../../automation/apply/busy';
import {
  breakLock,
  holderIn,
  isDead,
  isOurs,
  LONGEST_UPDATE,
  readLocks,
  startOf,
  type Holder,
} from '../../../automation/apply/lock';
import type { Intent } from '../../../automation/registry/types';

const LOCK: Holder = { host: 'scaler', pid: 4711, user: 'worker-pools', since: 1000 };
const intent = (at: number, host = 'scaler'): Intent => ({
  ...{ environment: 'production', membership: {}, at },
  holder: { host, pid: 1, startedAt: 1 },
});

describe('a lock', () => {
  const owners: [string, Parameters<typeof isOurs>[1], boolean][] = [
    ['with the process that was noted', { note: { host: 'scaler', pid: 4711 }, intent: undefined }, true],
    ['with another process', { note: { host: 'scaler', pid: 4712 }, intent: undefined }, false],
    [
      'with the same process on another host',
      { note: { host: 'laptop', pid: 4711 }, intent: undefined },
      false,
    ],
    ['that was held when the intent was written', { note: undefined, intent: intent(1001) }, true],
    ['that was taken after the intent, e.g. by a person', { note: undefined, intent: intent(999) }, false],
    ['of another host than the intent’s', { note: undefined, intent: intent(1001, 'laptop') }, false],
    ['of which nothing is known', { note: undefined, intent: undefined }, false],
  ];
  for (const [name, ownership, ours] of owners) {
    it(`${name} is ${ours ? 'ours' : 'not ours'}`, () => assert.equal(isOurs(LOCK, ownership), ours));
  }

  const deaths: [string, { host?: string; age: number; started?: number }, boolean][] = [
    ['whose process is gone', { age: 1 }, true],
    ['whose process runs', { age: 1, started: 990 }, false],
    ['whose process id another one has by now', { age: 10, started: 1005 }, true],
    ['of another host that is younger than an update takes', { host: 'other', age: LONGEST_UPDATE }, false],
    ['of another host that is older', { host: 'other', age: LONGEST_UPDATE + 1 }, true],
  ];
  for (const [name, { host = 'scaler', age, started }, dead] of deaths) {
    it(`${name} is ${dead ? 'dead' : 'held'}`, () => {
      assert.equal(isDead(LOCK, { host, now: LOCK.since + age, startOf: () => started }), dead);
    });
  }

  it('is told by the command line on every self-managed backend', () => {
    const text =
      'error: the stack is currently locked by 1 lock(s). Either wait for the other process(es) to end or delete the lock file with `pulumi cancel`.\n' +
      '  s3://state/.pulumi/locks/organization/worker-pools/production/1.json: created by ada@laptop (pid 77) at 2026-11-21T12:08:50Z';
    assert.deepEqual(holderIn(text), {
      ...{ user: 'ada', host: 'laptop', pid: 77 },
      since: Date.parse('2026-11-21T12:08:50Z') / 1000,
    });
    assert.equal(holderIn('[409] Conflict: Another update is currently in progress.'), undefined);
  });

  it('is read from its file, and broken alone', () => {
    const backend = mkdtempSync(join(tmpdir(), 'worker-pools-lock-'));
    try {
      const folder = join(backend, '.pulumi', 'locks', 'organization', 'worker-pools', 'production');
      mkdirSync(folder, { recursive: true });
      const content = { pid: 4711, username: 'worker-pools', hostname: 'scaler' };
      const timestamp = '1970-01-01T00:16:40.5Z';
      writeFileSync(join(folder, 'a.json'), JSON.stringify({ ...content, timestamp }));
      writeFileSync(join(folder, 'a.json.attrs'), '{}');
      writeFileSync(join(folder, 'b.json'), '{"pid":');
      const locks = readLocks(backend, 'worker-pools', 'production');
      assert.deepEqual(locks, [{ ...LOCK, since: 1000.5, path: join(folder, 'a.json') }]);
      breakLock(locks[0]!);
      assert.deepEqual(readdirSync(folder), ['b.json']);
      assert.deepEqual(readLocks(backend, 'worker-pools', 'staging'), []);
    } finally {
      rmSync(backend, { recursive: true });
    }
  });

  it('is not dead while this very process would hold it', () => {
    const started = startOf(process.pid)!;
    assert.ok(Math.abs(started - (Date.now() / 1000 - process.uptime())) < 5, String(started));
    assert.equal(startOf(2 ** 22 + 1), undefined);
  });
});

describe('the wait for a held lock', () => {
  it('doubles from two seconds to a minute, and is drawn from its upper half', () => {
    fc.assert(
      fc.property(
        fc.nat(2000),
        fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true }),
        (attempt, draw) => {
          const longest = Math.min(60, 2 * 2 ** attempt);
          const wait = busyBackoff(attempt, () => draw);
          assert.ok(wait >= longest / 2 && wait <= longest);
        },
      ),
    );
    assert.deepEqual(
      [0, 1, 2, 9].map((attempt) => busyBackoff(attempt, () => 0)),
      [1, 2, 4, 30],
    );
  });
});
