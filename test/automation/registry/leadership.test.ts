import assert from 'node:assert/strict';
import { openRegistry } from '../../../automation/registry';
import type { Registry } from '../../../automation/registry/types';
import { Contender } from './contenders';
import { forEachRegistry } from './contract';
import { emptyDatabase, sql, type Place } from './databases';
import { HangingLine } from './hanging-line';

forEachRegistry('leadership', (stand) => {
  it('is had once it was acquired, however often, until it is released', async () => {
    const environment = stand.environment();
    const { leadership } = stand.registry;
    assert.equal(leadership.holds(environment), false);
    assert.equal(await leadership.acquire(environment), true);
    assert.equal(await leadership.acquire(environment), true);
    assert.equal(leadership.holds(environment), true);
    assert.equal(leadership.holds(stand.environment()), false);
    await leadership.release(environment);
    assert.equal(leadership.holds(environment), false);
    await leadership.release(environment);
    assert.equal(await leadership.acquire(environment), true);
    await stand.reopen();
    assert.equal(leadership.holds(environment), false);
  });
});

describe('leadership of one database', function () {
  this.timeout(60_000);
  let place: Place<{ url: string }>;
  let one: Registry;
  let other: Registry;
  before(async () => {
    place = await emptyDatabase();
    one = await openRegistry(place.location, { silence: 60 });
    other = await openRegistry(place.location, { silence: 60 });
  });
  after(async () => {
    await Promise.all([one?.close(), other?.close()]);
    await place?.remove();
  });

  it('is one process’s at a time, by environment', async () => {
    assert.equal(one.leadership.kind, 'advisory-lock');
    assert.equal(await one.leadership.acquire('a'), true);
    assert.equal(await other.leadership.acquire('a'), false);
    assert.equal(await other.leadership.acquire('b'), true);
    assert.equal(await one.leadership.acquire('b'), false);
    assert.deepEqual([one.leadership.holds('b'), other.leadership.holds('a')], [false, false]);
    await one.leadership.release('a');
    assert.equal(await other.leadership.acquire('a'), true);
    await other.leadership.release('a');
    await other.leadership.release('b');
  });

  it('is acquired by one of many that try at once', async () => {
    const answers = await Promise.all(
      Array.from({ length: 10 }, (_, index) => (index % 2 ? one : other).leadership.acquire('c')),
    );
    assert.equal(one.leadership.holds('c') !== other.leadership.holds('c'), true);
    assert.equal(answers.filter(Boolean).length, 5);
    await one.leadership.release('c');
    await other.leadership.release('c');
  });

  it('is lost with its connection at once, and can be acquired again', async () => {
    assert.equal(await one.leadership.acquire('d'), true);
    await sql(
      place.location.url,
      `select pg_terminate_backend(pid) from pg_locks
       where locktype = 'advisory' and database = (select oid from pg_database where datname = current_database())`,
    );
    // The next answer on any connection comes after the news of this one's end was read.
    while (one.leadership.holds('d')) await one.ping();
    assert.equal(await other.leadership.acquire('d'), true);
    assert.equal(await one.leadership.acquire('d'), false);
    await other.leadership.release('d');
    assert.equal(await one.leadership.acquire('d'), true);
    await one.leadership.release('d');
  });

  it('is not believed in when the database does not answer any more', async () => {
    const { port } = new URL(place.location.url);
    const line = await HangingLine.to(Number(port));
    const behind = await openRegistry(
      { url: place.location.url.replace(`:${port}`, `:${line.port}`) },
      { silence: 60 },
    );
    try {
      assert.equal(await behind.leadership.acquire('f'), true);
      line.hang();
      await assert.rejects(behind.leadership.acquire('f'), {
        name: 'RegistryError',
        message: /does not answer/,
      });
      assert.equal(behind.leadership.holds('f'), false);
    } finally {
      line.cut();
      await behind.close();
    }
  });

  it('goes to another process within 30 s when the leader is killed, and not before', async function () {
    this.timeout(30_000);
    const parts = { location: place.location, environment: 'e' };
    const leader = Contender.start(parts);
    let second: Contender | undefined;
    try {
      assert.deepEqual([await leader.says(), await leader.says()], ['open', 'leads']);
      second = Contender.start(parts);
      assert.equal(await second.says(), 'open');
      const secondSays = second.says();
      // Ten turns for the second to try in: only the first is in the way.
      for (let turn = 0; turn < 10; turn += 1) assert.equal(await one.leadership.acquire('e'), false);
      const [{ leaders }] = (await sql(
        place.location.url,
        `select count(*)::integer as leaders from pg_locks where locktype = 'advisory'
         and database = (select oid from pg_database where datname = current_database())`,
      )) as [{ leaders: number }];
      assert.equal(leaders, 1);
      await leader.kill();
      assert.equal(await secondSays, 'leads');
      assert.equal(await one.leadership.acquire('e'), false);
    } finally {
      await leader.kill();
      await second?.kill();
    }
  });
});
