import assert from 'node:assert/strict';
import * as pulumi from '@pulumi/pulumi';
import { readConfigValues } from '../../components/config-values';
import { readCredentials } from '../../components/preflight/credentials';

describe('values of the stack’s file', () => {
  afterEach(() => pulumi.runtime.setAllConfig({}));

  it('objects and lists come as data, text as text, and other namespaces not at all', () => {
    pulumi.runtime.setAllConfig({
      'worker-pools:access': '{"connectivity":"tailscale","tags":["tag:worker"]}',
      'worker-pools:list': '[1, 2]',
      'worker-pools:registrationSecret': '0123',
      'worker-pools:almost': '{not JSON',
      'worker-pools-2:access': '{}',
      'hcloud:token': 'secret',
    });
    assert.deepEqual(readConfigValues(), {
      access: { connectivity: 'tailscale', tags: ['tag:worker'] },
      list: [1, 2],
      registrationSecret: '0123',
      almost: '{not JSON',
    });
  });

  it('credentials: the file goes before the environment, and the vendors’ own end points are the default', () => {
    pulumi.runtime.setAllConfig({
      'hcloud:token': 'from the file',
      'tailscale:baseUrl': 'http://127.0.0.1:1//',
    });
    const environment = {
      HCLOUD_TOKEN: 'from the environment',
      HCLOUD_ENDPOINT: 'http://127.0.0.1:2/v1/',
      TAILSCALE_API_KEY: 'key',
      TAILSCALE_OAUTH_CLIENT_ID: '',
      CLOUDFLARE_API_TOKEN: 'token',
    };
    assert.deepEqual(readCredentials(environment), {
      hetzner: { url: 'http://127.0.0.1:2/v1', token: 'from the file' },
      tailscale: {
        url: 'http://127.0.0.1:1',
        tailnet: '-',
        oauthClientId: undefined,
        oauthClientSecret: undefined,
        apiKey: 'key',
      },
      cloudflare: { url: 'https://api.cloudflare.com/client/v4', token: 'token' },
    });
    assert.equal(readCredentials({ HCLOUD_TOKEN: 'x' }).tailscale.url, 'http://127.0.0.1:1');
  });
});
