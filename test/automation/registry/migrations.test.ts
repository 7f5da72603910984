import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { openRegistry, RegistryError } from '../../../automation/registry';
import { MIGRATIONS } from '../../../automation/registry/migrations';
import { Contender } from './contenders';
import { emptyDatabase, sql, type Place } from './databases';

describe('the registry’s schema', function () {
  this.timeout(60_000);
  let place: Place<{ url: string }>;
  beforeEach(async () => {
    place = await emptyDatabase();
  });
  afterEach(() => place?.remove());
  const open = (url = place.location.url) => openRegistry({ url }, { silence: 60 });
  const applied = () =>
    sql(place.location.url, 'select number, name from worker_pools.migrations order by number');

  it('consists of migrations that are never edited once they were released', () => {
    const digests = MIGRATIONS.map(({ name, sql: text }) => [
      name,
      createHash('sha256').update(text).digest('hex').slice(0, 16),
    ]);
    assert.deepEqual(digests, [
      ['tables', '6337bb1dce52411c'],
      ['slots', '4e4a1cdd884aaddc'],
      ['failed-set-ups', 'f6306bbaef2c5732'],
    ]);
  });

  it('is made once, whole, however many processes start at once', async () => {
    const parts = { location: place.location, environment: 'staging' };
    const children = [Contender.start(parts), Contender.start(parts)];
    try {
      const registries = await Promise.all([open(), open(), open()]);
      await Promise.all(registries.map((registry) => registry.close()));
      assert.deepEqual(await Promise.all(children.map((child) => child.says())), ['open', 'open']);
    } finally {
      await Promise.all(children.map((child) => child.kill()));
    }
    const expected = MIGRATIONS.map(({ name }, index) => ({ number: index + 1, name }));
    assert.deepEqual(await applied(), expected);
    await (await open()).close();
    assert.deepEqual(await applied(), expected);
  });

  it('is refused when a newer version of the program made it', async () => {
    await (await open()).close();
    const next = MIGRATIONS.length + 1;
    await sql(
      place.location.url,
      `insert into worker_pools.migrations (number, name) values (${next}, 'later')`,
    );
    const database = place.location.url.split('/').at(-1);
    await assert.rejects(open(), {
      name: 'RegistryError',
      message: `the database ${database} at 127.0.0.1:5432 has schema ${next} and this program knows only up to ${MIGRATIONS.length}: run the newer version that wrote it, or restore a backup from before`,
    });
  });

  it('is left as it was when a migration fails', async () => {
    await sql(
      place.location.url,
      'create schema worker_pools; create table worker_pools.slots (mine integer)',
    );
    await assert.rejects(open(), (error) => {
      assert.ok(error instanceof RegistryError);
      assert.equal(error.code, '42P07');
      assert.match(error.message, /refused \(relation "slots" already exists, 42P07\)/);
      return true;
    });
    const tables = await sql(
      place.location.url,
      "select table_name from information_schema.tables where table_schema = 'worker_pools'",
    );
    assert.deepEqual(tables, [{ table_name: 'slots' }]);
  });

  it('serves a user who may not create anything, once it is there', async () => {
    await (await open()).close();
    const user = `${place.location.url.split('/').at(-1)}_user`;
    await sql(
      place.location.url,
      `create role ${user} login;
       grant usage on schema worker_pools to ${user};
       grant select, insert, update, delete on all tables in schema worker_pools to ${user};
       grant usage on all sequences in schema worker_pools to ${user}`,
    );
    try {
      const registry = await open(place.location.url.replace('postgres@', `${user}@`));
      await registry.memory.set('staging', 'key', 1);
      await registry.slots.request({ id: 'a', environment: 'staging', pool: 'ci', patience: 1, ttl: 1 }, 1);
      assert.deepEqual(await registry.slots.settle('staging', 2), ['a']);
      await registry.close();
    } finally {
      await sql(place.location.url, `drop owned by ${user}; drop role ${user}`);
    }
  });

  it('says what to grant to a user who may not create it', async () => {
    const user = `${place.location.url.split('/').at(-1)}_user`;
    await sql(place.location.url, `create role ${user} login`);
    try {
      await assert.rejects(open(place.location.url.replace('postgres@', `${user}@`)), {
        name: 'RegistryError',
        message: /permission denied for database .*, 42501\): grant this user CREATE on the database/,
      });
    } finally {
      await sql(place.location.url, `drop role ${user}`);
    }
  });
});

describe('a registry that cannot be opened', function () {
  this.timeout(60_000);
  const refusal = async (url: string) => {
    try {
      await (await openRegistry({ url }, { silence: 60 })).close();
    } catch (error) {
      assert.ok(error instanceof RegistryError);
      assert.equal(error.cause, undefined);
      return error.message;
    }
    throw new Error(`${url} was opened`);
  };
  const unreadable =
    'the database URL cannot be read: it looks like postgres://user:password@host:5432/database, with signs like @, /, # and % in the password written as %40, %2F, %23 and %25';
  const rows: [what: string, url: string, message: string | RegExp][] = [
    [
      'whose server does not run',
      'postgres://fleet:s3cret@127.0.0.1:1/fleet',
      'the database fleet at 127.0.0.1:1 does not answer (connect ECONNREFUSED 127.0.0.1:1): check that it runs and can be reached from here',
    ],
    [
      'whose host is not known',
      'postgres://fleet:s3cret@database.invalid/fleet',
      /^the database fleet at database\.invalid:5432 does not answer \(getaddrinfo \w+ database\.invalid\): check/,
    ],
    [
      'whose database does not exist',
      'postgres://postgres:s3cret@127.0.0.1:5432/wp_none',
      'the database wp_none at 127.0.0.1:5432 refused (database "wp_none" does not exist, 3D000): create the database, or name another one',
    ],
    [
      'whose user does not exist',
      'postgres://wp_nobody:s3cret@127.0.0.1:5432/postgres',
      'the database postgres at 127.0.0.1:5432 refused (role "wp_nobody" does not exist, 28000): check user, password and what pg_hba.conf allows',
    ],
    ['with a URL of something else', 'mysql://fleet:s3cret@127.0.0.1/fleet', unreadable],
    ['with a port that is none', 'postgres://fleet:s3cret@127.0.0.1:port/fleet', unreadable],
    ['with a bare sign in the password', 'postgres://fleet:100%s3cret@127.0.0.1/fleet', unreadable],
    ['with a bare # in the password', 'postgres://fleet:s3#cret@127.0.0.1/fleet', unreadable],
  ];
  for (const [what, url, expected] of rows) {
    it(`${what} says so, without the password`, async () => {
      const message = await refusal(url);
      if (typeof expected === 'string') assert.equal(message, expected);
      else assert.match(message, expected);
      assert.ok(!message.includes('s3'), message);
    });
  }
});
