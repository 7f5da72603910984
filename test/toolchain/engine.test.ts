import assert from 'node:assert/strict';
import { cpSync, mkdirSync, readFileSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';

import type { Engine } from '../../toolchain/ensure.mjs';
import { repository, runProgram, temporaryFolder } from './support';
import { Vendors, authKey, cloudflareToken, hetznerToken } from './vendors';

/** How a user may tell the default providers where they are and who is asking. */
const settings = [
  { plugin: 'hcloud', key: 'endpoint', variable: 'HCLOUD_ENDPOINT', value: (url: string) => `${url}/v1` },
  { plugin: 'hcloud', key: 'token', variable: 'HCLOUD_TOKEN', value: () => hetznerToken },
  { plugin: 'tailscale', key: 'baseUrl', variable: 'TAILSCALE_BASE_URL', value: (url: string) => url },
  { plugin: 'tailscale', key: 'oauthClientId', variable: 'TAILSCALE_OAUTH_CLIENT_ID', value: () => 'client' },
  {
    plugin: 'tailscale',
    key: 'oauthClientSecret',
    variable: 'TAILSCALE_OAUTH_CLIENT_SECRET',
    value: () => 'client-secret',
  },
  {
    plugin: 'cloudflare',
    key: 'baseUrl',
    variable: 'CLOUDFLARE_BASE_URL',
    value: (url: string) => `${url}/client/v4`,
  },
  { plugin: 'cloudflare', key: 'apiToken', variable: 'CLOUDFLARE_API_TOKEN', value: () => cloudflareToken },
];

describe('toolchain: the engine runs a program in TypeScript', () => {
  let folder: ReturnType<typeof temporaryFolder>;
  let vendors: Vendors;
  let url: string;
  let engine: Engine;
  let env: NodeJS.ProcessEnv;

  beforeEach(async function () {
    // Where nothing is cached yet, this is where the engine is built.
    this.timeout(30 * 60_000);
    const { ensureEngine, linkPlugins } = await import('../../toolchain/ensure.mjs');
    engine = await ensureEngine();
    folder = temporaryFolder();
    vendors = new Vendors();
    url = await vendors.start();
    cpSync(join(__dirname, 'program'), join(folder.path, 'program'), { recursive: true });
    symlinkSync(join(repository, 'node_modules'), join(folder.path, 'program/node_modules'));
    mkdirSync(join(folder.path, 'state'));
    env = {
      ...engine.env,
      ...linkPlugins(engine, join(folder.path, 'home')),
      PULUMI_BACKEND_URL: `file://${join(folder.path, 'state')}`,
      PULUMI_CONFIG_PASSPHRASE: 'passphrase',
    };
  });
  afterEach(async () => {
    await vendors.stop();
    folder.remove();
  });

  const pulumi = async (...args: string[]): Promise<string> => {
    const options = { cwd: join(folder.path, 'program'), env };
    const { code, stdout, stderr } = await runProgram(join(engine.binDir, 'pulumi'), args, options);
    assert.equal(code, 0, `pulumi ${args.join(' ')}:\n${stdout}${stderr}`);
    return stdout + stderr;
  };

  for (const how of ['stack configuration', 'environment'] as const) {
    it(`with its default providers set by ${how}`, async function () {
      this.timeout(120_000);
      await pulumi('stack', 'init', 'dev');
      for (const { plugin, key, variable, value } of settings) {
        if (how === 'environment') env[variable] = value(url);
        else
          await pulumi(
            'config',
            'set',
            ...(/token|secret/i.test(key) ? ['--secret'] : []),
            `${plugin}:${key}`,
            value(url),
          );
      }
      const preview = await pulumi('preview', '--non-interactive');
      assert.match(preview, /\+ 5 to create/);
      assert.match(preview, /stdout *: (\[unknown\]|output<string>)/);
      assert.doesNotMatch(preview, /warning/);
      assert.deepEqual(vendors.writes, []);

      await pulumi('up', '--yes', '--skip-preview', '--non-interactive');
      assert.equal(vendors.held.size, 3);
      const outputs = JSON.parse(await pulumi('stack', 'output', '--json')) as Record<string, unknown>;
      assert.deepEqual(outputs, {
        authKey: '[secret]',
        keyId: 'kCNTRL',
        stdout: 'worker.example.com has b7:2f:30:a0:2f:6c:58:6c:21:04:58:61:ba:06:3b:2f',
      });
      const state = readFileSync(join(folder.path, 'state/.pulumi/stacks/toolchain/dev.json'), 'utf8');
      for (const secret of [authKey, hetznerToken, cloudflareToken, 'client-secret']) {
        assert.equal(state.includes(secret), false, `${secret} is in the state`);
      }

      const writes = vendors.writes.length;
      await pulumi('up', '--yes', '--skip-preview', '--refresh', '--expect-no-changes', '--non-interactive');
      assert.equal(vendors.writes.length, writes);

      await pulumi('destroy', '--yes', '--skip-preview', '--non-interactive');
      assert.deepEqual([...vendors.held.keys()], []);
    });
  }
});
