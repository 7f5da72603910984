import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { openQueue } from '../../../automation/observe/queues';
import { makeDatabase, pgBossBench } from './benches/postgres';
import { makeCertificates } from './certificates';
import { isUnreachable, never, type OpenConfig } from './contract';
import { assertFault, readOnce } from './faults';
import { startPostgres } from './own-servers';

type Row = readonly [what: string, query: string, kind: 'wrong' | 'refused' | 'unreachable', says: RegExp];

const FAULTS: readonly Row[] = [
  ['text', `select 'abc' as waiting`, 'wrong', /: column waiting is 'abc', and must be a whole number/],
  ['null', 'select null::int as waiting', 'wrong', /column waiting is null, and must be a whole number/],
  ['a negative number', 'select -1 as waiting', 'wrong', /column waiting is -1, /],
  ['a fraction', 'select 1.5 as waiting', 'wrong', /column waiting is '1\.5', /],
  ['text for what runs', `select 1 as waiting, 'x' as running`, 'wrong', /column running is 'x', /],
  [
    'an interval',
    `select 1 as waiting, interval '1 s' as oldest_age`,
    'wrong',
    /column oldest_age is .*seconds, 0 or more/,
  ],
  ['two rows', 'select 1 as waiting union all select 2', 'wrong', /returned more than one row/],
  ['a whole table', 'select generate_series(1, 100000000) as waiting', 'wrong', /returned more than one row/],
  ['no row', 'select 1 as waiting where false', 'wrong', /returned no row, and must return exactly one/],
  ['a column misspelt', 'select 1 as wating', 'wrong', /columns are wating\. Name them waiting/],
  ['a column too many', 'select 1 as waiting, 2 as runing', 'wrong', /columns are waiting, runing\./],
  ['no SQL', 'selec 1', 'wrong', /the query failed: syntax error .*\(42601\)\. Correct it/],
  [
    'an unknown table',
    'select count(*) as waiting from nothing',
    'wrong',
    /"nothing" does not exist \(42P01\)/,
  ],
  [
    'a write',
    'insert into jobs values (2)',
    'refused',
    /cannot execute INSERT in a read-only transaction\)\. Use a query that only/,
  ],
  [
    'a write within',
    'with gone as (delete from jobs returning 1) select count(*) as waiting from gone',
    'refused',
    /cannot execute SELECT in a read-only/,
  ],
  [
    'a function that writes',
    `select nextval('numbers') as waiting`,
    'refused',
    /nextval\(\) in a read-only transaction/,
  ],
  ['a second statement', 'commit; delete from jobs', 'wrong', /cannot insert multiple commands/],
  ['a way out of the transaction', 'commit', 'wrong', /returned no row/],
  [
    'no end',
    'select pg_sleep(60), 1 as waiting',
    'unreachable',
    /statement timeout\); it may take 5 s\. Make it cheaper/,
  ],
];

describe('a queue read by SQL', () => {
  let database: Awaited<ReturnType<typeof makeDatabase>>;
  before(async () => {
    database = await makeDatabase();
    await database.client.query(
      'create table jobs (id int); insert into jobs values (1); create sequence numbers',
    );
  });
  after(() => database.drop());

  const config = (query: string, role?: string): OpenConfig => ({
    kind: 'postgres',
    url: database.url(5432, role),
    query,
  });

  it('takes the digits that SQL makes of a bigint or a sum', async () => {
    const query = 'select count(*) as waiting, sum(7) as running, 1.25::numeric as oldest_age from jobs';
    assert.deepEqual(await readOnce(config(query)), { waiting: 1, running: 7, oldestAge: 1.25 });
  });

  it('has no oldest job where none waits', async () => {
    assert.deepEqual(await readOnce(config('select 0 as waiting, null::int as oldest_age')), { waiting: 0 });
  });

  for (const [what, query, kind, says] of FAULTS) {
    it(`says what is wrong with ${what}, and changes nothing`, async () => {
      await assertFault(config(query), kind, says);
      const { rows } = await database.client.query('select count(*)::int as jobs from jobs');
      assert.deepEqual(rows, [{ jobs: 1 }]);
    });
  }

  it('reads on after the server has ended its session', async () => {
    const source = openQueue(config('select pg_backend_pid() as waiting'), { directory: '/nowhere' });
    const { waiting: session } = await source.read(never);
    await database.client.query('select pg_terminate_backend($1, 5000)', [session]);
    const next = await source.read(never).catch((error: unknown) => {
      assert.ok(isUnreachable(error));
      return source.read(never);
    });
    assert.notEqual(next.waiting, session);
    await source.close();
  });

  it('is refused with what to do, where the database is unknown or the role may not read', async () => {
    const role = `wp_${randomBytes(6).toString('hex')}`;
    await database.client.query(`create role ${role} login`);
    try {
      const query = 'select count(*) as waiting from jobs';
      await assertFault(config(query, role), 'refused', /permission denied for table jobs\. Grant the role/);
      const elsewhere: OpenConfig = { kind: 'postgres', url: 'postgres://postgres@127.0.0.1/nowhere', query };
      await assertFault(elsewhere, 'refused', /database "nowhere" does not exist\. Correct the database/);

      await database.client.query(`grant select on jobs to ${role}`);
      assert.deepEqual(await readOnce(config(query, role)), { waiting: 1 });
    } finally {
      await database.client.query(`drop owned by ${role}; drop role ${role}`);
    }
  });

  it('is refused with what to do, where the server wants a password and gets none or another', async function () {
    this.timeout(30_000);
    const certificates = await makeCertificates();
    const server = await startPostgres(certificates.directory, 'the-right-one');
    try {
      const as = (login: string): OpenConfig => ({
        kind: 'postgres',
        url: `postgres://${login}@127.0.0.1:${server.port}/postgres`,
        query: 'select 0 as waiting',
      });
      assert.deepEqual(await readOnce(as('owner:the-right-one')), { waiting: 0 });
      await assertFault(
        as('owner'),
        'refused',
        /asks for a password, and the URL has none\. Give role and password/,
      );
      await assertFault(
        as('owner:another'),
        'refused',
        /password authentication failed for user "owner"\. Give the role/,
      );
    } finally {
      await server.stop();
      await certificates.remove();
    }
  });
});

describe('the presets for PostgreSQL', () => {
  it('tell an unknown queue of pg-boss from an empty one', async function () {
    this.timeout(20_000);
    const bench = await pgBossBench();
    const known = bench.config(5432) as Extract<OpenConfig, { kind: 'pg-boss' }>;
    try {
      await assertFault(
        { ...known, queue: 'mail' },
        'wrong',
        /queue "mail": pg-boss knows no queue of this name/,
      );
      await assertFault({ ...known, schema: 'b"oss' }, 'wrong', /relation "b"oss\.queue" does not exist/);
    } finally {
      await bench.close();
    }
  });
});
