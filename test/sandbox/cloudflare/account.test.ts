import assert from 'node:assert/strict';
import { type Account, type RecordBody, startAccount } from './account';

const ZONES = '/client/v4/zones';
const VERIFY = '/client/v4/user/tokens/verify';

describe('Cloudflare account', () => {
  let account: Account;
  beforeEach(async () => {
    account = await startAccount({
      zones: ['sandbox.example', 'other.example', 'a.example', 'b.example', 'c.example', 'd.example'],
    });
  });
  afterEach(() => account.close());

  it('verifies its token', async () => {
    assert.match(account.cloudflare.token, /^[0-9A-Za-z_-]{40,80}$/);
    const { status, body } = await account.call('GET', VERIFY);
    assert.equal(status, 200);
    assert.match((body.result as { id: string }).id, /^[0-9a-f]{32}$/);
    assert.deepEqual(body.messages, [
      { code: 10000, message: 'This API Token is valid and active', type: null },
    ]);
  });

  const stranger = `Bearer ${'x'.repeat(40)}`;
  const refusals: [string, string, Record<string, string>, number, number][] = [
    ['a short token', ZONES, { authorization: 'Bearer short' }, 400, 6003],
    ['no bearer', ZONES, { authorization: '' }, 400, 6003],
    ['another token', ZONES, { authorization: stranger }, 403, 9109],
    ['another token', 'RECORDS', { authorization: stranger }, 403, 10000],
    ['another token', VERIFY, { authorization: stranger }, 401, 1000],
    ['a foreign zone', `${ZONES}/${'0'.repeat(32)}`, {}, 403, 9109],
    ['records of a foreign zone', `${ZONES}/${'0'.repeat(32)}/dns_records`, {}, 403, 10000],
    ['a malformed zone id', `${ZONES}/nonsense/dns_records`, {}, 404, 7003],
    ['an unknown route', '/client/v4/nothing', {}, 404, 7000],
    ['a page of too many zones', `${ZONES}?per_page=51`, {}, 400, 1003],
  ];
  for (const [what, path, headers, status, code] of refusals) {
    it(`answers ${status} with ${code} to ${what} at ${path}`, async () => {
      const answer = await account.call(
        'GET',
        path === 'RECORDS' ? account.recordsPath : path,
        undefined,
        headers,
      );
      assert.deepEqual([answer.status, answer.body.errors[0]?.code], [status, code]);
      assert.deepEqual([answer.body.success, answer.body.result, answer.body.messages], [false, null, []]);
    });
  }

  it('lists zones by name, in pages, and gives each by id', async () => {
    const one = await account.call('GET', `${ZONES}?name=other.example`);
    const [zone] = one.body.result as { id: string; name: string }[];
    assert.deepEqual(
      [zone?.name, one.body.result_info],
      ['other.example', { page: 1, per_page: 20, count: 1, total_count: 1, total_pages: 1 }],
    );
    assert.deepEqual((await account.call('GET', `${ZONES}/${zone?.id}`)).body.result, zone);
    const last = await account.call('GET', `${ZONES}?page=2&per_page=5&order=name&direction=desc`);
    assert.deepEqual(
      (last.body.result as { name: string }[]).map(({ name }) => name),
      ['a.example'],
    );
    assert.deepEqual((await account.call('GET', `${ZONES}?name=missing.example`)).body.result, []);
  });

  it('keeps its token and zones over a reset, and a snapshot brings all back', async () => {
    const { cloudflare } = account;
    await account.create({ name: 'www', type: 'A', content: '192.0.2.1' });
    const state: unknown = JSON.parse(JSON.stringify(cloudflare.snapshot()));
    const { token, zones } = cloudflare;
    await cloudflare.reset();
    assert.deepEqual([cloudflare.token, cloudflare.zones], [token, zones]);
    assert.deepEqual((await account.records('GET', '')).body.result, []);
    cloudflare.restore(state);
    assert.deepEqual(cloudflare.snapshot(), state);
    const [record] = (await account.records('GET', '')).body.result as RecordBody[];
    assert.equal(record?.name, 'www.sandbox.example');
    assert.throws(() => cloudflare.restore({}), /not a snapshot of the local Cloudflare account/);
  });
});

describe('Cloudflare request budget', () => {
  let account: Account;
  beforeEach(async () => {
    account = await startAccount({ requestsPerFiveMinutes: 3 });
  });
  afterEach(() => account.close());
  const status = async (): Promise<number> => (await account.call('GET', ZONES)).status;

  it('blocks for five minutes when it is spent, with code 971 and Retry-After', async () => {
    for (let count = 0; count < 3; count += 1) assert.equal(await status(), 200);
    const blocked = await account.call('GET', ZONES);
    assert.deepEqual(
      [blocked.status, blocked.body.errors],
      [429, [{ code: 971, message: 'Please wait and consider throttling your request speed' }]],
    );
    assert.equal(blocked.headers.get('retry-after'), '300');
    account.kernel.schedule.advance(299_000);
    assert.equal((await account.call('GET', ZONES)).headers.get('retry-after'), '1');
    account.kernel.schedule.advance(1000);
    assert.equal(await status(), 200);
  });

  it('refills evenly', async () => {
    for (let count = 0; count < 3; count += 1) await status();
    account.kernel.schedule.advance(100_000);
    assert.equal(await status(), 200);
    assert.equal(await status(), 429);
  });
});
