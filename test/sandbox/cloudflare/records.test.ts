import assert from 'node:assert/strict';
import { type Account, errorCode, type RecordBody, startAccount } from './account';

const A = { type: 'A', name: 'www', content: '192.0.2.1' };
const CNAME = { type: 'CNAME', name: 'www', content: 'target.example.net' };

describe('Cloudflare DNS records', () => {
  let account: Account;
  beforeEach(async () => {
    account = await startAccount();
  });
  afterEach(() => account.close());

  it('answers a creation with the whole record, and reads never change it', async () => {
    const created = await account.create({ ...A, ttl: 300, comment: 'worker' });
    assert.match(created.id, /^[0-9a-f]{32}$/);
    assert.deepEqual(created, {
      id: created.id,
      name: 'www.sandbox.example',
      type: 'A',
      content: '192.0.2.1',
      ttl: 300,
      proxied: false,
      proxiable: true,
      comment: 'worker',
      tags: [],
      settings: {},
      meta: {},
      created_on: '2026-10-01T00:00:00.000Z',
      modified_on: '2026-10-01T00:00:00.000Z',
      comment_modified_on: '2026-10-01T00:00:00.000Z',
    });
    account.kernel.schedule.advance(60_000);
    assert.deepEqual((await account.records('GET', `/${created.id}`)).body.result, created);
  });

  const names: [string, string | number][] = [
    ['www', 'www.sandbox.example'],
    ['WWW.Sandbox.Example.', 'www.sandbox.example'],
    ['@', 'sandbox.example'],
    ['sandbox.example', 'sandbox.example'],
    ['*', '*.sandbox.example'],
    ['*.ci', '*.ci.sandbox.example'],
    ['_acme-challenge.www', '_acme-challenge.www.sandbox.example'],
    ['bücher', 'xn--bcher-kva.sandbox.example'],
    ['www.example.com', 'www.example.com.sandbox.example'],
    ['a..b', 9000],
    ['-a', 9000],
    ['a.*', 9000],
    ['a b', 9000],
    ['x'.repeat(64), 9000],
  ];
  for (const [given, expected] of names) {
    it(`takes the name ${given.slice(0, 20)} as ${expected}`, async () => {
      const answer = await account.records('POST', '', { ...A, name: given });
      assert.equal((answer.body.result as RecordBody | null)?.name ?? errorCode(answer), expected);
      assert.equal(answer.status, typeof expected === 'string' ? 200 : 400);
    });
  }

  const contents: [object, string | number][] = [
    [{ type: 'A', content: '256.0.0.1' }, 9005],
    [{ type: 'A', content: '127.1' }, 9005],
    [{ type: 'A' }, 9005],
    [{ type: 'AAAA', content: '2001:DB8:0:0::1' }, '2001:db8::1'],
    [{ type: 'AAAA', content: '192.0.2.1' }, 9006],
    [{ type: 'CNAME', content: 'Target.Example.NET.' }, 'target.example.net'],
    [{ type: 'CNAME', content: '@' }, 'sandbox.example'],
    [{ type: 'CNAME', content: '192.0.2.1' }, 9007],
    [{ type: 'CNAME', content: 'rec.sandbox.example' }, 9039],
    [{ type: 'TXT', content: '"v=spf1 -all"' }, '"v=spf1 -all"'],
    [{ type: 'TXT', content: '' }, 1004],
    [{ type: 'MX', content: 'mail.example.net', priority: 10 }, 'mail.example.net'],
    [{ type: 'MX', content: 'mail.example.net' }, 9101],
    [{ type: 'NS', content: 'ns1.example.net' }, 'ns1.example.net'],
    [{ type: 'NS', content: '192.0.2.1' }, 1004],
    [
      { type: 'CAA', data: { flags: 0, tag: 'issue', value: 'letsencrypt.org' } },
      '0 issue "letsencrypt.org"',
    ],
    [{ type: 'CAA', data: { flags: 0, tag: 'issue' } }, 9101],
    [
      { type: 'SRV', data: { priority: 1, weight: 5, port: 443, target: 'sip.example.net' } },
      '5 443 sip.example.net',
    ],
    [{ type: 'SRV', content: '5 443 sip.example.net' }, 9101],
    [{ type: 'BOGUS', content: 'x' }, 1004],
    [{ ...A, ttl: 59 }, 9021],
    [{ ...A, ttl: 86_401 }, 9021],
    [{ ...A, ttl: 90.5 }, 9021],
    [{ ...A, ttl: 86_400 }, '192.0.2.1'],
    [{ ...A, ttl: '300' }, 9207],
    [{ ...A, comment: 'x'.repeat(100) }, '192.0.2.1'],
    [{ ...A, comment: 'x'.repeat(101) }, 9313],
    [{ ...A, tags: ['team:ci'] }, 9300],
    [{ content: '192.0.2.1' }, 9207],
  ];
  for (const [body, expected] of contents) {
    it(`answers ${expected} to ${JSON.stringify(body).slice(0, 80)}`, async () => {
      const answer = await account.records('POST', '', { name: 'rec', ...body });
      assert.equal((answer.body.result as RecordBody | null)?.content ?? errorCode(answer), expected);
      assert.equal(answer.status, typeof expected === 'string' ? 200 : 400);
    });
  }

  it('answers 6007 to a body that is not JSON', async () => {
    const answer = await account.records('POST', '', '{');
    assert.deepEqual([answer.status, errorCode(answer)], [400, 6007]);
  });

  const proxied: [object, number | boolean][] = [
    [{ type: 'A', content: '203.0.113.7' }, true],
    [{ type: 'A', content: '127.0.0.7' }, true],
    [{ type: 'CNAME', content: 'a.example.net' }, true],
    [{ type: 'A', content: '10.0.0.1' }, 9003],
    [{ type: 'A', content: '172.16.0.1' }, 9003],
    [{ type: 'A', content: '192.168.1.1' }, 9003],
    [{ type: 'A', content: '100.64.0.1' }, 9003],
    [{ type: 'A', content: '169.254.0.1' }, 9003],
    [{ type: 'AAAA', content: 'fd7a:115c:a1e0::1' }, 9003],
    [{ type: 'AAAA', content: 'fe80::1' }, 9003],
    [{ type: 'TXT', content: 'x' }, 9004],
  ];
  for (const [body, expected] of proxied) {
    it(`proxying ${JSON.stringify(body)}: ${expected === true ? 'with automatic TTL' : `refused, ${expected}`}`, async () => {
      const answer = await account.records('POST', '', { name: 'rec', ...body, proxied: true, ttl: 300 });
      const plain = await account.create({ name: 'plain', ...body });
      assert.equal(plain.proxiable, expected === true);
      if (expected !== true) return assert.deepEqual([answer.status, errorCode(answer)], [400, expected]);
      const record = answer.body.result as RecordBody;
      assert.deepEqual([record.proxied, record.ttl], [true, 1]);
    });
  }

  const clashes: [string, object[], object, number | undefined][] = [
    ['a second address of a name', [A], { ...A, content: '192.0.2.2' }, undefined],
    ['AAAA beside A', [A], { ...A, type: 'AAAA', content: '2001:db8::1' }, undefined],
    ['the same record again', [A], A, 81058],
    ['the same record with another TTL', [A], { ...A, ttl: 600 }, 81058],
    ['a CNAME over an address', [A], CNAME, 81053],
    ['an address over a CNAME', [CNAME], A, 81054],
    ['a second CNAME', [CNAME], { ...CNAME, content: 'b.example.net' }, 81053],
    ['a TXT beside a CNAME', [CNAME], { type: 'TXT', name: 'www', content: 'x' }, undefined],
    ['an address under a delegation', [{ type: 'NS', name: 'www', content: 'ns.example.net' }], A, 81056],
    [
      'MX of another priority',
      [{ type: 'MX', name: '@', content: 'm.example.net', priority: 1 }],
      { type: 'MX', name: '@', content: 'm.example.net', priority: 2 },
      undefined,
    ],
  ];
  for (const [what, before, body, code] of clashes) {
    it(`${code === undefined ? 'allows' : `refuses with ${code}`} ${what}`, async () => {
      for (const record of before) await account.create(record);
      const answer = await account.records('POST', '', body);
      assert.deepEqual([answer.status, errorCode(answer)], [code === undefined ? 200 : 400, code]);
    });
  }

  it('overwrites with PUT and merges with PATCH, keeping id and creation time', async () => {
    const { id, created_on } = await account.create({ ...A, ttl: 300, comment: 'old' });
    account.kernel.schedule.advance(1000);
    const put = (await account.records('PUT', `/${id}`, { ...A, content: '192.0.2.9' })).body
      .result as RecordBody;
    assert.deepEqual(
      [put.id, put.created_on, put.modified_on, put.content, put.ttl, put.comment],
      [id, created_on, '2026-10-01T00:00:01.000Z', '192.0.2.9', 1, null],
    );
    const patched = (await account.records('PATCH', `/${id}`, { ttl: 120 })).body.result as RecordBody;
    assert.deepEqual([patched.content, patched.ttl, patched.name], ['192.0.2.9', 120, 'www.sandbox.example']);
  });

  it('checks a change against the other records, not against the record itself', async () => {
    const first = await account.create(A);
    await account.create({ ...A, content: '192.0.2.2' });
    assert.equal((await account.records('PUT', `/${first.id}`, A)).status, 200);
    const clash = await account.records('PATCH', `/${first.id}`, { content: '192.0.2.2' });
    assert.deepEqual([clash.status, errorCode(clash)], [400, 81058]);
    assert.equal((await account.records('PUT', `/${first.id}`, { ...CNAME, name: 'alias' })).status, 200);
  });

  it('answers a deletion with the id, and 404 with 81044 to everything after it', async () => {
    const { id } = await account.create(A);
    assert.deepEqual((await account.records('DELETE', `/${id}`)).body.result, { id });
    for (const [method, body] of [['GET'], ['DELETE'], ['PUT', A], ['PATCH', {}]] as const) {
      const answer = await account.records(method, `/${id}`, body);
      assert.deepEqual([answer.status, errorCode(answer)], [404, 81044]);
    }
    assert.equal(errorCode(await account.records('GET', '/nonsense')), 7003);
  });
});

describe('Cloudflare plans', () => {
  it('a zone has a quota of records, which deletions free', async () => {
    const account = await startAccount({ recordsPerZone: 2 });
    const first = await account.create({ ...A, content: '192.0.2.1' });
    await account.create({ ...A, content: '192.0.2.2' });
    const over = await account.records('POST', '', { ...A, content: '192.0.2.3' });
    assert.deepEqual([over.status, errorCode(over)], [400, 81045]);
    await account.records('DELETE', `/${first.id}`);
    await account.create({ ...A, content: '192.0.2.3' });
    await account.close();
  });

  it('a paid zone takes tags and longer comments', async () => {
    const account = await startAccount({ plan: 'pro' });
    const record = await account.create({ ...A, tags: ['team:ci'], comment: 'x'.repeat(500) });
    assert.deepEqual(record.tags, ['team:ci']);
    assert.equal(record.tags_modified_on, record.created_on);
    await account.close();
  });
});
