import assert from 'node:assert/strict';
import { EnrolmentRefusedError } from '../../../sandbox/kernel/lifecycle';
import { keyRequest, startTailnet, type Tailnet } from './tailnet';

const KEYS = '/api/v2/tailnet/-/keys';
const refused = (reason: RegExp) => (error: unknown) =>
  error instanceof EnrolmentRefusedError && reason.test(error.message);

describe('Tailscale auth keys', () => {
  let tailnet: Tailnet;
  const read = async (id: string): Promise<unknown> => (await tailnet.call('GET', `${KEYS}/${id}`)).body;
  const invalid = async (id: string): Promise<unknown> => ((await read(id)) as { invalid: boolean }).invalid;
  beforeEach(async () => {
    tailnet = await startTailnet({ deadKeysReadableFor: 600 });
  });
  afterEach(() => tailnet.close());

  it('shows a key once, and afterwards everything but the key', async () => {
    const created = await tailnet.call(
      'POST',
      KEYS,
      keyRequest({ ephemeral: true }, { expirySeconds: 3600, description: 'ci-000a' }),
    );
    const { id, key, ...rest } = created.body as Record<string, string>;
    assert.match(key ?? '', /^tskey-auth-k\w{11}CNTRL-\w{32}$/);
    assert.deepEqual(rest, {
      keyType: 'auth',
      description: 'ci-000a',
      expirySeconds: 3600,
      created: '2026-10-01T00:00:00Z',
      expires: '2026-10-01T01:00:00Z',
      invalid: false,
      capabilities: {
        devices: { create: { reusable: false, ephemeral: true, preauthorized: true, tags: ['tag:worker'] } },
      },
    });
    assert.deepEqual(await read(id ?? ''), { id, ...rest });
  });

  const bodies: [string, object, number, unknown][] = [
    ['expiry 0 as 90 days', keyRequest({}, { expirySeconds: 0 }), 200, 7776000],
    ['no expiry as 90 days', keyRequest(), 200, 7776000],
    ['an expiry of 90 days', keyRequest({}, { expirySeconds: 7776000 }), 200, 7776000],
    [
      'a longer expiry',
      keyRequest({}, { expirySeconds: 7776001 }),
      400,
      'expirySeconds must be less than or equal to 7776000',
    ],
    ['a description of 50', keyRequest({}, { description: 'a'.repeat(50) }), 200, 7776000],
    [
      'a description of 51',
      keyRequest({}, { description: 'a'.repeat(51) }),
      400,
      'description must be at most 50 characters',
    ],
    [
      'a description with a colon',
      keyRequest({}, { description: 'pool:ci' }),
      400,
      'description may only contain alphanumeric characters, spaces and hyphens',
    ],
    ['no tags', keyRequest({ tags: [] }), 400, 'tailnet-owned auth key must have tags set'],
    [
      'an unknown tag',
      keyRequest({ tags: ['tag:x'] }),
      400,
      'requested tags [tag:x] are invalid or not permitted',
    ],
    [
      'a tag without prefix',
      keyRequest({ tags: ['iac'] }),
      400,
      'requested tags [iac] are invalid or not permitted',
    ],
  ];
  for (const [what, body, status, expected] of bodies) {
    it(`answers ${status} to ${what}`, async () => {
      const answer = await tailnet.call('POST', KEYS, body);
      const { message, expirySeconds } = answer.body as { message?: string; expirySeconds?: number };
      assert.deepEqual([answer.status, message ?? expirySeconds], [status, expected]);
    });
  }

  it('answers 400 with what is wrong to a body that is no key request', async () => {
    for (const body of ['{', '{}', '{"capabilities":{"devices":{"create":{"reusable":"yes"}}}}']) {
      const answer = await tailnet.call('POST', KEYS, body);
      assert.equal(answer.status, 400);
      assert.match((answer.body as { message: string }).message, /^invalid request body: /);
    }
  });

  it('makes a single-use key invalid by its use, and gone later', async () => {
    const { id, key } = await tailnet.newKey();
    tailnet.enrol(key);
    assert.equal(await invalid(id), true);
    assert.throws(() => tailnet.enrol(key), refused(/already used/));
    assert.deepEqual((await tailnet.call('GET', KEYS)).body, { keys: [] });
    tailnet.kernel.schedule.advance(600_000);
    assert.equal((await tailnet.call('GET', `${KEYS}/${id}`)).status, 404);
  });

  it('lets a reusable key enrol many, until it expires to the second', async () => {
    const { id, key } = await tailnet.newKey({ reusable: true }, { expirySeconds: 60 });
    tailnet.enrol(key);
    tailnet.kernel.schedule.advance(59_999);
    tailnet.enrol(key);
    assert.equal(await invalid(id), false);
    tailnet.kernel.schedule.advance(1);
    assert.throws(() => tailnet.enrol(key), refused(/expired/));
    assert.equal(await invalid(id), true);
    tailnet.kernel.schedule.advance(600_000);
    assert.equal((await tailnet.call('GET', `${KEYS}/${id}`)).status, 404);
  });

  it('revokes a key by its deletion', async () => {
    const { id, key } = await tailnet.newKey();
    const deleted = await tailnet.call('DELETE', `${KEYS}/${id}`);
    assert.deepEqual([deleted.status, deleted.body], [200, '']);
    assert.throws(() => tailnet.enrol(key), refused(/revoked/));
    assert.deepEqual((await tailnet.call('DELETE', `${KEYS}/${id}`)).body, { message: 'key not found' });
  });

  it('refuses tags beyond the key and does not spend it', async () => {
    const { key } = await tailnet.newKey();
    assert.throws(
      () => tailnet.enrol(key, 'worker', ['tag:worker', 'tag:admin']),
      refused(/^requested tags \[tag:admin\] are invalid or not permitted$/),
    );
    tailnet.enrol(key, 'worker', ['tag:worker']);
  });
});

describe('Tailscale tags of OAuth clients', () => {
  const tagOwners = {
    'tag:a': ['autogroup:admin'],
    'tag:b': ['tag:b'],
    'tag:c': ['tag:a'],
    'tag:d': ['autogroup:admin'],
  };
  const rows: [string[], string[], boolean][] = [
    [['tag:a'], ['tag:a'], true],
    [['tag:a'], ['tag:c'], true],
    [['tag:a'], ['tag:d'], false],
    [['tag:a', 'tag:d'], ['tag:a', 'tag:d'], true],
    [['tag:a', 'tag:d'], ['tag:d', 'tag:a'], true],
    [['tag:a', 'tag:d'], ['tag:a'], false],
    [['tag:a', 'tag:d'], ['tag:c'], true],
    [['tag:a', 'tag:b'], ['tag:b'], true],
    [['tag:a', 'tag:b'], ['tag:a'], false],
    [['tag:a', 'tag:b'], ['tag:b', 'tag:c'], true],
    [['tag:a', 'tag:b'], ['tag:a', 'tag:c'], false],
    [['tag:a'], ['tag:unknown'], false],
  ];
  for (const [held, asked, allowed] of rows) {
    it(`a client with ${held.join('+')} ${allowed ? 'may' : 'may not'} ask for ${asked.join('+')}`, async () => {
      const tailnet = await startTailnet({ tagOwners, oauthClients: [{ tags: held }] });
      const answer = await tailnet.call('POST', KEYS, keyRequest({ tags: asked }));
      await tailnet.close();
      if (allowed) return assert.equal(answer.status, 200);
      const message = `requested tags [${asked.join(' ')}] are invalid or not permitted`;
      assert.deepEqual([answer.status, answer.body], [400, { message }]);
    });
  }

  it('an API key may make untagged keys and use any defined tag', async () => {
    const tailnet = await startTailnet({ enableApiKey: true });
    const authorization = `Bearer ${tailnet.tailscale.apiKey}`;
    const answers = await Promise.all(
      [[], ['tag:worker'], ['tag:x']].map((tags) =>
        tailnet.call('POST', KEYS, keyRequest({ tags }), { authorization }),
      ),
    );
    assert.deepEqual(
      answers.map(({ status }) => status),
      [200, 200, 400],
    );
    const lists = await Promise.all([
      tailnet.call('GET', KEYS),
      tailnet.call('GET', KEYS, undefined, { authorization }),
    ]);
    assert.deepEqual(
      lists.map(({ body }) => (body as { keys: unknown[] }).keys.length),
      [0, 2],
    );
    await tailnet.close();
  });
});
