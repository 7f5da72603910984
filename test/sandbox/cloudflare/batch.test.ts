import assert from 'node:assert/strict';
import fc from 'fast-check';
import { CloudflareError } from '../../../sandbox/cloudflare/errors';
import { fullBucket } from '../../../sandbox/cloudflare/rate-limit';
import { Records } from '../../../sandbox/cloudflare/records';
import {
  type CloudflareSettings,
  cloudflareSettingsSchema,
  planLimits,
} from '../../../sandbox/cloudflare/settings';
import type { DnsRecord, Store, Zone } from '../../../sandbox/cloudflare/state';
import { type Account, errorCode, newKernel, type RecordBody, startAccount } from './account';

const A = { type: 'A', name: 'www', content: '192.0.2.1' };
const CNAME = { type: 'CNAME', name: 'www', content: 'target.example.net' };

describe('Cloudflare batch', () => {
  let account: Account;
  beforeEach(async () => {
    account = await startAccount();
  });
  afterEach(() => account.close());

  it('deletes before it posts, whatever the order in the body', async () => {
    const { id } = await account.create(A);
    const kept = await account.create({ ...A, name: 'kept' });
    const answer = await account.records('POST', '/batch', {
      posts: [CNAME],
      puts: [{ id: kept.id, ...A, name: 'put' }],
      patches: [{ id: kept.id, ttl: 120 }],
      deletes: [{ id }],
    });
    assert.equal(answer.status, 200, JSON.stringify(answer.body));
    const result = answer.body.result as Record<string, RecordBody[]>;
    assert.deepEqual(
      Object.entries(result).map(([part, records]) => [part, records.map(({ name }) => name)]),
      [
        ['deletes', ['www.sandbox.example']],
        ['patches', ['kept.sandbox.example']],
        ['puts', ['put.sandbox.example']],
        ['posts', ['www.sandbox.example']],
      ],
    );
    const left = (await account.records('GET', '?order=name')).body.result as RecordBody[];
    assert.deepEqual(
      left.map(({ name, type, ttl }) => [name, type, ttl]),
      [
        ['put.sandbox.example', 'A', 1],
        ['www.sandbox.example', 'CNAME', 1],
      ],
    );
  });

  it('changes nothing when one operation is refused', async () => {
    const { id } = await account.create(A);
    const before = (await account.records('GET', '')).body.result;
    const answer = await account.records('POST', '/batch', {
      deletes: [{ id }],
      posts: [
        { ...A, name: 'new' },
        { ...A, content: 'nonsense' },
      ],
    });
    assert.deepEqual([answer.status, errorCode(answer)], [400, 9005]);
    assert.deepEqual((await account.records('GET', '')).body.result, before);
  });

  it('refuses more operations than the plan allows', async () => {
    const posts = Array.from({ length: 201 }, (_, index) => ({ ...A, name: `n${index}` }));
    assert.equal((await account.records('POST', '/batch', { posts })).status, 400);
    const whole = await account.records('POST', '/batch', { posts: posts.slice(1) });
    assert.equal((whole.body.result as { posts: unknown[] }).posts.length, 200);
  });
});

describe('Cloudflare batch laws', () => {
  const settings: CloudflareSettings = cloudflareSettingsSchema.parse({ recordsPerZone: 5 });
  const zone: Zone = { id: '0'.repeat(32), name: 'sandbox.example', createdOn: '' };
  const draft = fc.record({
    name: fc.constantFrom('a', 'b'),
    type: fc.constantFrom('A', 'CNAME'),
    content: fc.constantFrom('192.0.2.1', '192.0.2.2', 'x.example.net'),
  });
  const index = fc.nat(3);
  const batchOf = fc.record({
    deletes: fc.array(index, { maxLength: 2 }),
    patches: fc.array(fc.tuple(index, draft), { maxLength: 2 }),
    puts: fc.array(fc.tuple(index, draft), { maxLength: 2 }),
    posts: fc.array(draft, { maxLength: 3 }),
  });

  const newRecords = (): { records: Records; store: Store } => {
    const kernel = newKernel();
    const bucket = fullBucket(1, 0);
    const state = { token: '', tokenId: '', accountId: '', zones: [zone], records: {}, bucket };
    const store: Store = { state };
    return { records: new Records(kernel, store, planLimits(settings)), store };
  };
  const attempt = (work: () => unknown): string => {
    try {
      work();
      return 'done';
    } catch (error) {
      if (error instanceof CloudflareError) return error.message;
      throw error;
    }
  };
  const shown = (records: DnsRecord[]): string[] =>
    records.map(({ name, type, content }) => `${name} ${type} ${content}`);

  it('a batch does what its operations do one by one, or nothing at all', () => {
    fc.assert(
      fc.property(fc.array(draft, { maxLength: 4 }), batchOf, (seed, asked) => {
        const [whole, single] = [newRecords(), newRecords()];
        for (const { records } of [whole, single])
          for (const one of seed) attempt(() => records.create(zone, one));
        const before = structuredClone(whole.records.list(zone));
        const id = (at: number): string => before[at]?.id ?? 'f'.repeat(32);
        const batch = {
          deletes: asked.deletes.map((at) => ({ id: id(at) })),
          patches: asked.patches.map(([at, fields]) => ({ id: id(at), ...fields })),
          puts: asked.puts.map(([at, fields]) => ({ id: id(at), ...fields })),
          posts: asked.posts,
        };
        const outcome = attempt(() => whole.records.batch(zone, batch));
        const steps = [
          ...batch.deletes.map((item) => () => single.records.delete(zone, item.id)),
          ...batch.patches.map((item) => () => single.records.patch(zone, item.id, item)),
          ...batch.puts.map((item) => () => single.records.replace(zone, item.id, item)),
          ...batch.posts.map((item) => () => single.records.create(zone, item)),
        ];
        const failed = steps.map(attempt).find((result) => result !== 'done') ?? 'done';
        if (failed === 'done') {
          assert.equal(outcome, 'done');
          assert.deepEqual(shown(whole.records.list(zone)), shown(single.records.list(zone)));
        } else {
          assert.equal(outcome, failed);
          assert.deepEqual(whole.records.list(zone), before);
        }
      }),
    );
  });

  it('no sequence of accepted changes leaves a CNAME beside another address, or two equal records', () => {
    fc.assert(
      fc.property(fc.array(batchOf, { maxLength: 4 }), (batches) => {
        const { records } = newRecords();
        for (const { deletes, puts, posts } of batches) {
          for (const one of posts) attempt(() => records.create(zone, one));
          const at = (place: number): string => records.list(zone)[place]?.id ?? '';
          for (const [place, one] of puts) attempt(() => records.replace(zone, at(place), one));
          for (const place of deletes) attempt(() => records.delete(zone, at(place)));
        }
        const list = records.list(zone);
        assert.equal(new Set(shown(list)).size, list.length);
        assert.ok(list.length <= 5);
        for (const { name } of list.filter(({ type }) => type === 'CNAME')) {
          assert.equal(list.filter((other) => other.name === name).length, 1);
        }
      }),
    );
  });
});
