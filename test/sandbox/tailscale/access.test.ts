import assert from 'node:assert/strict';
import { accessToken, basic, keyRequest, startTailnet, type Tailnet } from './tailnet';

const KEYS = '/api/v2/tailnet/-/keys';
const DENIED = { message: 'calling actor does not have enough permissions to perform this function' };
const INVALID = { message: 'API token invalid' };

describe('Tailscale access', () => {
  let tailnet: Tailnet;
  beforeEach(async () => {
    tailnet = await startTailnet({ enableApiKey: true });
  });
  afterEach(() => tailnet.close());

  it('gives a token for credentials in the form, with the scopes and tags of the client', async () => {
    const answer = await tailnet.token();
    assert.equal(answer.status, 200);
    assert.match(accessToken(answer), /^tskey-api-k\w{11}CNTRL-\w{32}$/);
    assert.deepEqual(answer.body, {
      access_token: accessToken(answer),
      token_type: 'Bearer',
      expires_in: 3600,
      scope: 'auth_keys devices:core policy_file',
      tags: 'tag:worker',
    });
  });

  it('gives a token for credentials by Basic', async () => {
    const { id, secret } = tailnet.tailscale.oauthClient;
    const answer = await tailnet.send('POST', '/api/v2/oauth/token', {
      body: 'grant_type=client_credentials&scope=auth_keys',
      headers: { 'content-type': 'application/x-www-form-urlencoded', authorization: basic(id, secret) },
    });
    assert.equal(answer.status, 200);
    assert.equal((answer.body as { scope: string }).scope, 'auth_keys');
  });

  const refusals: [string, Record<string, string>, number, object][] = [
    ['a wrong secret', { client_secret: 'tskey-client-x' }, 401, INVALID],
    ['an unknown client', { client_id: 'kNobodyCNTRL' }, 401, INVALID],
    [
      'a scope beyond the client',
      { scope: 'auth_keys dns users:read' },
      403,
      { message: 'OAuth client cannot grant scopes "dns users:read"' },
    ],
    ['another grant', { grant_type: 'password' }, 400, { message: 'unsupported grant_type "password"' }],
  ];
  for (const [what, form, status, body] of refusals) {
    it(`refuses a token for ${what}`, async () => {
      const answer = await tailnet.token(form);
      assert.deepEqual([answer.status, answer.body], [status, body]);
    });
  }

  it('refuses Basic credentials that are no form encoding', async () => {
    const authorization = basic(tailnet.tailscale.oauthClient.id, '%zz');
    const answer = await tailnet.send('POST', '/api/v2/oauth/token', { headers: { authorization } });
    assert.deepEqual([answer.status, answer.body], [401, INVALID]);
  });

  it('refuses workload identity federation and says what to use', async () => {
    const answer = await tailnet.send('POST', '/api/v2/oauth/token-exchange', { body: 'client_id=a&jwt=b' });
    assert.equal(answer.status, 400);
    assert.match((answer.body as { message: string }).message, /use the id and secret of an OAuth client/);
  });

  it('lets a token live for one hour of the virtual clock', async () => {
    const authorization = `Bearer ${accessToken(await tailnet.token())}`;
    tailnet.kernel.schedule.advance(3599_000);
    assert.equal((await tailnet.call('GET', KEYS, undefined, { authorization })).status, 200);
    tailnet.kernel.schedule.advance(1000);
    const late = await tailnet.call('GET', KEYS, undefined, { authorization });
    assert.deepEqual([late.status, late.body], [401, INVALID]);
  });

  it('takes an API key by Basic and by Bearer', async () => {
    const apiKey = tailnet.tailscale.apiKey ?? '';
    for (const authorization of [basic(apiKey, ''), `Bearer ${apiKey}`]) {
      assert.equal((await tailnet.call('GET', KEYS, undefined, { authorization })).status, 200);
    }
  });

  const strangers = ['', 'Bearer tskey-api-x', 'Basic !!', 'Digest a'];
  for (const authorization of strangers) {
    it(`answers 401 to Authorization "${authorization}"`, async () => {
      const answer = await tailnet.send('GET', KEYS, {
        ...(authorization && { headers: { authorization } }),
      });
      assert.deepEqual([answer.status, answer.body], [401, INVALID]);
    });
  }

  const scoped: [string, string, string, unknown, number][] = [
    ['auth_keys:read', 'GET', KEYS, undefined, 200],
    ['auth_keys:read', 'POST', KEYS, keyRequest(), 403],
    ['auth_keys', 'POST', KEYS, keyRequest(), 200],
    ['auth_keys', 'GET', '/api/v2/tailnet/-/devices', undefined, 403],
    ['devices:core:read', 'GET', '/api/v2/tailnet/-/devices', undefined, 200],
    ['devices:core', 'GET', '/api/v2/tailnet/-/acl', undefined, 403],
    ['policy_file:read', 'POST', '/api/v2/tailnet/-/acl', {}, 403],
    ['policy_file', 'GET', '/api/v2/tailnet/-/dns/preferences', undefined, 403],
  ];
  for (const [scope, method, path, body, status] of scoped) {
    it(`a token with ${scope} gets ${status} for ${method} ${path}`, async () => {
      const authorization = `Bearer ${accessToken(await tailnet.token({ scope }))}`;
      const answer = await tailnet.call(method, path, body, { authorization });
      assert.equal(answer.status, status);
      if (status === 403) assert.deepEqual(answer.body, DENIED);
    });
  }

  it('answers JSON 404 to an unknown route and to another tailnet', async () => {
    const unknown = await tailnet.call('GET', '/api/v2/tailnet/-/nothing');
    assert.deepEqual([unknown.status, unknown.body], [404, { message: 'not found' }]);
    const foreign = await tailnet.call('GET', '/api/v2/tailnet/other.example/keys');
    assert.deepEqual([foreign.status, foreign.body], [404, { message: 'tailnet not found' }]);
    const own = await tailnet.call('GET', '/api/v2/tailnet/sandbox.ts.net/keys');
    assert.equal(own.status, 200);
  });
});
