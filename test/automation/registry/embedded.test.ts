import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, statSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { openRegistry } from '../../../automation/registry';
import { lockDirectory } from '../../../automation/registry/directory-lock';
import { isRunning, thisProcess } from '../../../automation/registry/process-identity';
import { Contender } from './contenders';
import { emptyDirectory, type Place } from './databases';

/** What others than the owner may do with what is in a folder, and with the folder. */
function openToOthers(folder: string): string[] {
  return [
    folder,
    ...readdirSync(folder, { recursive: true, encoding: 'utf8' }).map((name) => join(folder, name)),
  ]
    .filter((path) => (statSync(path).mode & 0o077) !== 0)
    .sort();
}

function exitedPid(): number {
  const { pid } = spawnSync(process.execPath, ['--eval', '']);
  return pid;
}

describe('the embedded database', function () {
  this.timeout(120_000);
  let place: Place<{ directory: string }>;
  beforeEach(async () => {
    place = await emptyDirectory();
  });
  afterEach(() => place.remove());

  it('is for its owner alone, has no port, and leaves nothing behind but its data', async () => {
    const { directory } = place.location;
    const registry = await openRegistry(place.location, { silence: 60 });
    assert.equal(registry.leadership.kind, 'file-lock');
    assert.deepEqual(readdirSync(directory).sort(), ['.s.PGSQL.5432', 'data', 'lock']);
    const before = openToOthers(directory);
    await registry.close();
    assert.deepEqual([before, openToOthers(directory)], [[], []]);
    assert.deepEqual(readdirSync(directory), ['data']);
  });

  it('opens in a folder whose path is too long for a socket', async () => {
    const directory = join(place.location.directory, 'long'.repeat(30));
    const registry = await openRegistry({ directory }, { silence: 60 });
    await registry.memory.set('staging', 'key', 1);
    assert.deepEqual(readdirSync(directory).sort(), ['data', 'lock']);
    await registry.close();
  });

  it('says what to do when what is in the folder is no database', async () => {
    const { directory } = place.location;
    mkdirSync(join(directory, 'data'), { recursive: true });
    writeFileSync(join(directory, 'data', 'PG_VERSION'), 'none');
    await assert.rejects(openRegistry(place.location, { silence: 60 }), {
      name: 'RegistryError',
      message:
        /^the embedded database in .* cannot be opened \(.*\): restore the folder from a backup, or move it/s,
    });
    assert.equal(existsSync(join(directory, 'lock')), false);
  });

  it('serves one process, and after that was killed one other, with all that was written', async () => {
    const parts = { location: place.location, environment: 'staging' };
    const holder = Contender.start({ ...parts, audit: 'written before the kill' });
    const others: Contender[] = [];
    try {
      assert.deepEqual([await holder.says(), await holder.says()], ['open', 'leads']);
      await assert.rejects(openRegistry(place.location, { silence: 60 }), {
        name: 'RegistryError',
        message: `${place.location.directory} is in use by process ${holder.pid}: an embedded database serves one process; stop that one, or give both a PostgreSQL`,
      });
      await holder.kill();
      others.push(...[1, 2, 3].map(() => Contender.start(parts)));
      const said = await Promise.all(others.map((other) => other.says()));
      const next = others[said.indexOf('open')];
      const refused = `failed: ${place.location.directory} is in use by process ${next?.pid}: an embedded database serves one process; stop that one, or give both a PostgreSQL`;
      assert.deepEqual(said.sort(), [refused, refused, 'open']);
    } finally {
      for (const child of [holder, ...others]) await child.kill();
    }
    const registry = await openRegistry(place.location, { silence: 60 });
    const entries = await registry.audit.latest('staging', { limit: 9 });
    await registry.close();
    assert.deepEqual(
      entries.map(({ summary }) => summary),
      ['written before the kill'],
    );
  });
});

describe('the lock of a folder', () => {
  let place: Place<{ directory: string }>;
  beforeEach(async () => {
    place = await emptyDirectory();
    mkdirSync(place.location.directory);
  });
  afterEach(() => place.remove());

  const me = { ...thisProcess(), nonce: 'other' };
  const dead = { ...me, pid: exitedPid() };
  const elsewhere = { ...me, machine: 'elsewhere pid:[1]' };
  const rows: [what: string, content: string, secondsAgo: number, taken: boolean][] = [
    ['a process that runs', JSON.stringify(me), 3600, false],
    ['a process that ended', JSON.stringify(dead), 0, true],
    ['a process whose PID was given again', JSON.stringify({ ...me, began: 'boot 1' }), 0, true],
    ['another machine that gave a sign of life lately', JSON.stringify(elsewhere), 20, false],
    ['another machine that gave none for long', JSON.stringify(elsewhere), 31, true],
    ['nobody, because it is damaged', '{"pid":', 0, true],
  ];
  for (const [what, content, secondsAgo, taken] of rows) {
    it(`is ${taken ? 'taken over' : 'respected'} when it belongs to ${what}`, () => {
      const { directory } = place.location;
      const file = join(directory, 'lock');
      writeFileSync(file, content);
      const then = new Date(Date.now() - secondsAgo * 1000);
      utimesSync(file, then, then);
      if (!taken) {
        assert.throws(() => lockDirectory(directory), {
          name: 'RegistryError',
          message: new RegExp(`is in use by process ${process.pid}`),
        });
        assert.deepEqual(readdirSync(directory), ['lock']);
        return;
      }
      const lock = lockDirectory(directory);
      assert.equal(lock.holds(), true);
      assert.deepEqual(readdirSync(directory), ['lock']);
      lock.release();
      assert.deepEqual([lock.holds(), readdirSync(directory)], [false, []]);
    });
  }

  it('names the machine that holds it, and when it clears', () => {
    const file = join(place.location.directory, 'lock');
    writeFileSync(file, JSON.stringify(elsewhere));
    assert.throws(() => lockDirectory(place.location.directory), {
      message: `${place.location.directory} is in use by process ${process.pid} on elsewhere: an embedded database serves one process; stop that one, or give both a PostgreSQL (if it is gone, this clears by itself 30 s after its end: ${file})`,
    });
  });

  it('is not held any more, and not removed, when another took it', () => {
    const { directory } = place.location;
    const lock = lockDirectory(directory);
    writeFileSync(join(directory, 'lock'), JSON.stringify(me));
    assert.equal(lock.holds(), false);
    lock.release();
    assert.deepEqual(readdirSync(directory), ['lock']);
  });

  it('makes the folder, for its owner alone', () => {
    const directory = join(place.location.directory, 'a', 'b');
    const lock = lockDirectory(directory);
    assert.deepEqual(openToOthers(directory), []);
    lock.release();
  });

  it('tells a process that runs from one that does not', () => {
    assert.deepEqual(
      [isRunning(thisProcess()), isRunning(dead), isRunning({ ...me, began: '' }), isRunning(elsewhere)],
      [true, false, true, undefined],
    );
  });
});
