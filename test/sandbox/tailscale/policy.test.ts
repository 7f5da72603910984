import assert from 'node:assert/strict';
import fc from 'fast-check';
import { parseHuJson } from '../../../sandbox/tailscale/hujson';
import { keyRequest, startTailnet, type Tailnet } from './tailnet';

const ACL = '/api/v2/tailnet/-/acl';
const NEXT = '// ours\n{"tagOwners": {"tag:next": ["tag:worker"], "tag:worker": [],}, /* all */ "acls": [],}';
const NEXT_JSON = { tagOwners: { 'tag:next': ['tag:worker'], 'tag:worker': [] }, acls: [] };

describe('Tailscale policy file', () => {
  let tailnet: Tailnet;
  beforeEach(async () => {
    tailnet = await startTailnet();
  });
  afterEach(() => tailnet.close());

  it('is read as JSON, or as the HuJSON that was written', async () => {
    const json = await tailnet.call('GET', ACL);
    assert.deepEqual(json.body, {
      tagOwners: { 'tag:worker': ['autogroup:admin'] },
      acls: [{ action: 'accept', src: ['*'], dst: ['*:*'] }],
    });
    await tailnet.call('POST', ACL, NEXT, { 'content-type': 'application/hujson' });
    const raw = await tailnet.call('GET', ACL, undefined, { accept: 'application/hujson' });
    assert.match(raw.headers.get('content-type') ?? '', /^application\/hujson\b/);
    assert.equal(raw.body, NEXT);
    assert.match(raw.headers.get('etag') ?? '', /^"[0-9a-f]{64}"$/);
  });

  it('decides on the tags of the keys made after it', async () => {
    const asked = keyRequest({ tags: ['tag:next'] });
    assert.equal((await tailnet.call('POST', '/api/v2/tailnet/-/keys', asked)).status, 400);
    await tailnet.call('POST', ACL, NEXT);
    assert.equal((await tailnet.call('POST', '/api/v2/tailnet/-/keys', asked)).status, 200);
  });

  it('is replaced only over the version that If-Match names', async () => {
    const stale = (await tailnet.call('GET', ACL)).headers.get('etag') ?? '';
    const set = (etag: string) => tailnet.call('POST', ACL, NEXT, { 'if-match': etag });
    const first = await set('"ts-default"');
    assert.deepEqual([first.status, first.body], [200, NEXT_JSON]);
    for (const etag of [stale, '"ts-default"']) {
      const late = await set(etag);
      assert.deepEqual([late.status, late.body], [412, { message: 'precondition failed, invalid old hash' }]);
    }
    assert.equal((await set(first.headers.get('etag') ?? '')).status, 200);
  });

  const faults: [string, string][] = [
    ['{"acls": [', 'invalid policy file: '],
    ['[]', 'invalid policy file: not an object'],
    ['{"aclz": []}', 'json: unknown field "aclz"'],
    ['{"tagOwners": {"worker": []}}', 'invalid tag name in tagOwners: "worker"'],
    ['{"tagOwners": {"tag:a": "me"}}', 'invalid policy file: tagOwners must map tags to lists of owners'],
    ['{"acls": [{"action": "accept", "src": ["tag:ghost"], "dst": ["*:*"]}]}', 'tag not found: "tag:ghost"'],
  ];
  for (const [policy, message] of faults) {
    it(`refuses ${policy}`, async () => {
      const set = await tailnet.call('POST', ACL, policy);
      assert.equal(set.status, 400);
      const said = (set.body as { message: string }).message;
      assert.equal(said.slice(0, message.length), message);
      const validated = await tailnet.call('POST', `${ACL}/validate`, policy);
      assert.deepEqual([validated.status, validated.body], [200, { message: said }]);
    });
  }

  it('validates a good policy with an empty object and does not set it', async () => {
    const before = (await tailnet.call('GET', ACL)).body;
    const validated = await tailnet.call('POST', `${ACL}/validate`, NEXT);
    assert.deepEqual([validated.status, validated.body], [200, {}]);
    assert.deepEqual((await tailnet.call('GET', ACL)).body, before);
  });

  it('law: HuJSON of a JSON document is the document, whatever its strings hold', () => {
    const text = fc.oneof(fc.string(), fc.constantFrom('// no', '/* no */', ',]', ', }', '"', '\\'));
    fc.assert(
      fc.property(fc.dictionary(text, fc.array(text)), (value) => {
        const commented = `// head\n${JSON.stringify(value, null, 1).replace(/\n/g, ' // "end" ,\n/* , */')}`;
        assert.deepEqual(parseHuJson(commented), JSON.parse(JSON.stringify(value)));
      }),
    );
  });
});
