import assert from 'node:assert/strict';
import { tailscaleSettingsSchema } from '../../../sandbox/tailscale';
import { keyRequest, startTailnet, type Tailnet } from './tailnet';

describe('Tailscale settings', () => {
  let tailnet: Tailnet;
  const start = async (settings: object): Promise<Tailnet> => (tailnet = await startTailnet(settings));
  afterEach(async () => tailnet?.close());

  it('name the tailnet and the tags of its clients', async () => {
    const { tailscale, enrol, newKey, call } = await start({
      tailnetName: 'tail1234.ts.net',
      oauthClients: [
        { description: 'ci', tags: ['tag:ci'] },
        { scopes: ['auth_keys'], tags: [] },
      ],
      tagOwners: { 'tag:ci': [] },
    });
    assert.equal(tailscale.tailnetName, 'tail1234.ts.net');
    assert.deepEqual(
      tailscale.oauthClients.map(({ description, tags }) => [description, tags]),
      [
        ['ci', ['tag:ci']],
        ['', []],
      ],
    );
    const { key } = await newKey({ tags: ['tag:ci'] });
    assert.equal(enrol(key, 'a').name, 'a.tail1234.ts.net');
    assert.equal((await call('GET', '/api/v2/tailnet/tail1234.ts.net/devices')).status, 200);
  });

  it('can let every device in without approval', async () => {
    const { enrol, newKey, call } = await start({ deviceApproval: false });
    const { nodeId } = enrol((await newKey({ preauthorized: false })).key);
    const answer = await call('GET', `/api/v2/device/${nodeId}`);
    assert.equal((answer.body as { authorized: boolean }).authorized, true);
  });

  it('can bring a policy file of their own', async () => {
    const policy = '{"tagOwners": {"tag:own": ["tag:own"]}} // ours';
    const { call } = await start({ policy, oauthClients: [{ tags: ['tag:own', 'tag:gone'] }] });
    const raw = await call('GET', '/api/v2/tailnet/-/acl', undefined, { accept: 'application/hujson' });
    assert.equal(raw.body, policy);
    assert.equal(
      (await call('POST', '/api/v2/tailnet/-/keys', keyRequest({ tags: ['tag:own'] }))).status,
      200,
    );
  });

  it('refuse a client whose tag nobody owns', () => {
    const { error } = tailscaleSettingsSchema.safeParse({ oauthClients: [{ tags: ['tag:x'] }] });
    assert.deepEqual(
      error?.issues.map(({ path, message }) => [path.join('.'), message]),
      [['oauthClients.0.tags', 'tag:x is not in tagOwners: add it there or take it from the client']],
    );
  });

  it('show in the tailnet’s settings, and MagicDNS can be switched', async () => {
    const { tailscale, call } = await start({ enableApiKey: true });
    const as = { authorization: `Bearer ${tailscale.apiKey}` };
    const settings = await call('GET', '/api/v2/tailnet/-/settings', undefined, as);
    assert.equal((settings.body as { devicesApprovalOn: boolean }).devicesApprovalOn, true);
    const preferences = '/api/v2/tailnet/-/dns/preferences';
    assert.deepEqual((await call('GET', preferences, undefined, as)).body, { magicDNS: true });
    await call('POST', preferences, { magicDNS: false }, as);
    assert.deepEqual((await call('GET', preferences, undefined, as)).body, { magicDNS: false });
    await tailscale.reset();
    assert.deepEqual((await call('GET', preferences, undefined, as)).body, { magicDNS: true });
  });
});
