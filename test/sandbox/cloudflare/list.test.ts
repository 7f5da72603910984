import assert from 'node:assert/strict';
import fc from 'fast-check';
import { readQuery } from '../../../sandbox/cloudflare/query';
import { recordFilter } from '../../../sandbox/cloudflare/record-filter';
import type { DnsRecord } from '../../../sandbox/cloudflare/state';
import { type Account, type RecordBody, startAccount } from './account';

describe('Cloudflare record lists', () => {
  let account: Account;
  before(async () => {
    account = await startAccount({ plan: 'pro' });
    await account.create({ name: 'a.ci', type: 'A', content: '192.0.2.3', ttl: 60, comment: 'Worker a' });
    await account.create({ name: 'b.ci', type: 'A', content: '192.0.2.2', ttl: 300, proxied: true });
    await account.create({
      name: 'c',
      type: 'CNAME',
      content: 'b.ci.sandbox.example',
      tags: ['team:Ops', 'env:live'],
    });
    await account.create({ name: 'c', type: 'TXT', content: 'note', tags: ['team:dev'] });
  });
  after(() => account.close());

  const rows: [string, string][] = [
    ['', 'A A CNAME TXT'],
    ['type=A', 'A A'],
    ['name=c.sandbox.example', 'CNAME TXT'],
    ['name.exact=C.Sandbox.Example', 'CNAME TXT'],
    ['name.exact=c', ''],
    ['name.contains=.ci.', 'A A'],
    ['name.startswith=a', 'A'],
    ['name.endswith=sandbox.example&type=TXT', 'TXT'],
    ['content=192.0.2.2', 'A'],
    ['content.contains=192', 'A A'],
    ['comment.present=', 'A'],
    ['comment.absent=&type=A', 'A'],
    ['comment.contains=worker', 'A'],
    ['proxied=true', 'A'],
    ['search=OPS', 'CNAME'],
    ['tag=team:ops', 'CNAME'],
    ['tag.present=team', 'CNAME TXT'],
    ['tag.absent=team', 'A A'],
    ['tag.exact=team:ops&tag.exact=team:dev', ''],
    ['tag.exact=team:ops&tag.exact=team:dev&tag_match=any', 'CNAME TXT'],
    ['type=TXT&proxied=true', ''],
    ['type=TXT&proxied=true&match=any', 'A TXT'],
    ['order=type&direction=desc', 'TXT CNAME A A'],
    ['per_page=3&page=2', 'TXT'],
    ['per_page=3&page=3', ''],
  ];
  for (const [query, types] of rows) {
    it(`?${query} lists ${types || 'nothing'}`, async () => {
      const { body } = await account.records('GET', `?${query}`);
      assert.equal((body.result as RecordBody[]).map(({ type }) => type).join(' '), types);
    });
  }

  it('sorts by the asked field and says where the page stands', async () => {
    const { body } = await account.records('GET', '?type=A&order=content&per_page=1&page=2');
    assert.deepEqual(
      (body.result as RecordBody[]).map(({ content }) => content),
      ['192.0.2.3'],
    );
    assert.deepEqual(body.result_info, { page: 2, per_page: 1, count: 1, total_count: 2, total_pages: 2 });
  });

  for (const query of ['page=0', 'per_page=0', 'per_page=x', 'order=age', 'direction=up']) {
    it(`refuses ?${query}`, async () => {
      assert.equal((await account.records('GET', `?${query}`)).status, 400);
    });
  }

  it('law: match=all is the intersection of the single filters and match=any their union', () => {
    const text = fc.constantFrom('a', 'b', 'ab', 'A', '');
    const record = fc.record({
      name: text,
      type: fc.constantFrom('A', 'TXT'),
      content: text,
      comment: fc.option(text),
      proxied: fc.boolean(),
      tags: fc.constant([]),
    });
    const pair = fc.tuple(
      fc.constantFrom(
        'name',
        'name.contains',
        'content.startswith',
        'comment.exact',
        'type',
        'proxied',
        'search',
      ),
      fc.constantFrom('a', 'ab', 'A', 'true'),
    );
    fc.assert(
      fc.property(record, fc.array(pair, { minLength: 1, maxLength: 4 }), (fields, pairs) => {
        const subject = fields as unknown as DnsRecord;
        const test = (list: string[][], match: string): boolean =>
          recordFilter(readQuery(`/?${new URLSearchParams([...list, ['match', match]]).toString()}`))(
            subject,
          );
        const singles = pairs.map((single) => test([single], 'all'));
        assert.equal(test(pairs, 'all'), singles.every(Boolean));
        assert.equal(test(pairs, 'any'), singles.some(Boolean));
      }),
    );
  });
});
