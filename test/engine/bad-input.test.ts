import assert from 'node:assert/strict';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { State } from '../../sandbox/hetzner/state';
import { reads, writes } from './cloud';
import { least, type Raw, WORKLOAD_SECRET, withPool } from './configs';
import { Environment, STACK } from './harness';

interface Row {
  what: string;
  /** The stack's file; a text is written as it is. */
  edit?: (config: Raw) => Raw;
  text?: (file: string) => string;
  variables?: NodeJS.ProcessEnv;
  says: RegExp[];
}

const ONE_SCREEN = 24;
const pool = (changes: Raw) => (config: Raw) => withPool(config, 'ci', changes);
const placement = (serverType: string, location: string) => pool({ placements: [{ serverType, location }] });
const access = (config: Raw, changes: Raw): Raw => ({
  ...config,
  access: { ...(config['access'] as Raw), ...changes },
});

const rows: Row[] = [
  {
    what: 'an unknown key',
    edit: pool({ placments: [] }),
    says: [/worker-pools:pools\.ci\.placments: is not a known key\. Did you mean "placements"\?/],
  },
  {
    what: 'a wrong type',
    edit: pool({ slots: 'four' }),
    says: [/worker-pools:pools\.ci\.slots: expected .*; it is "four"/],
  },
  {
    what: 'max below min',
    edit: pool({ size: { min: 3, max: 1 } }),
    says: [/worker-pools:pools\.ci\.size\.max: max is less than min/],
  },
  {
    what: 'an unknown server type',
    edit: placement('cx32', 'fsn1'),
    says: [/placements\[0\]\.serverType: Hetzner has no server type "cx32"\. Did you mean .*"cx33"/],
  },
  {
    what: 'an unknown location',
    edit: placement('cx33', 'fns1'),
    says: [/placements\[0\]\.location: Hetzner has no location "fns1"\. Did you mean .*"fsn1"/],
  },
  {
    what: 'an image of another architecture',
    edit: (config) =>
      withPool(config, 'ci', { placements: [{ serverType: 'cax11', location: 'nbg1' }], image: 'debian-13' }),
    says: [/worker-pools:pools\.ci\.image: image debian-13 is for x86, and cax11 \(.*\) is arm/],
  },
  {
    what: 'a placement that is not sold any more',
    edit: placement('cx43', 'fsn1'),
    // Hetzner lists it no more, so its date is not to be had.
    says: [/placements\[0\]: server type cx43 is not offered in fsn1; it is in /],
  },
  {
    what: 'a zone that is not in the account',
    edit: (config) => ({ ...config, dns: { zone: 'sandbox.exmaple.com' } }),
    says: [
      /worker-pools:dns\.zone: the Cloudflare token sees no zone "sandbox\.exmaple\.com"/,
      /sandbox\.example/,
    ],
  },
  {
    what: 'a missing token',
    variables: { HCLOUD_TOKEN: '' },
    says: [/hcloud:token: is missing: set it with `pulumi config set --secret hcloud:token`/, /HCLOUD_TOKEN/],
  },
  {
    what: 'a refused token',
    variables: { HCLOUD_TOKEN: 'x'.repeat(64) },
    says: [/hcloud:token: Hetzner refuses it/],
  },
  {
    what: 'a refused OAuth client',
    variables: { TAILSCALE_OAUTH_CLIENT_SECRET: 'tskey-client-wrong' },
    says: [/tailscale:oauthClientSecret: Tailscale refuses it/],
  },
  {
    what: 'user data that is too long',
    edit: pool({ workload: { container: { image: 'acme/runner:1', env: { BLOB: noise(60_000) } } } }),
    says: [/the rendered user data has \d{5} bytes, and Hetzner takes 32768\. It is filled by .*\(\d+\)/],
  },
  {
    what: 'a key file that is missing',
    edit: (config) => access(config, { sshKeys: ['/nowhere/id_ed25519.pub'] }),
    says: [/worker-pools:access\.sshKeys\[0\]: there is no file \/nowhere\/id_ed25519\.pub/],
  },
  {
    what: 'network ranges that overlap',
    edit: (config) => ({
      ...config,
      network: {
        cidr: '10.20.0.0/16',
        zone: 'eu-central',
        natGateway: {
          serverType: 'cx23',
          location: 'fsn1',
          image: 'debian-12',
          destinations: ['10.20.4.0/24'],
        },
      },
    }),
    says: [/natGateway\.destinations\[0\]: 10\.20\.4\.0\/24 overlaps 10\.20\.0\.0\/16/],
  },
  {
    what: 'two pools of one name',
    text: (file) => file.replace(/^( +)ci:\n/m, '$1ci: {}\n$1ci:\n'),
    says: [/mapping key "ci" already defined/],
  },
  {
    what: 'a new pool on a placement that will not be sold for ever',
    edit: (config) =>
      withPool(config, 'next', {
        size: { min: 0, max: 1 },
        image: 'debian-12',
        placements: [{ serverType: 'cpx32', location: 'nbg1' }],
      }),
    says: [
      /pools\.next\.placements\[0\].*cpx32.* is deprecated \(announced 2025-10-15\) and cannot be ordered after 2090-01-15; begin with another/,
    ],
  },
  {
    what: 'several faults, in one go',
    edit: (config) =>
      access(withPool(config, 'ci', { slots: 0, size: { min: 3, max: 1 } }), { tags: ['worker'] }),
    says: [/has 3 faults\. Nothing was changed/, /slots/, /size\.max/, /access\.tags/],
  },
];

describe('Bad input', function () {
  this.timeout(60_000);
  let environment: Environment;
  let config: Raw;
  before(async () => {
    environment = await Environment.start();
    const { catalogue } = environment.sandbox.hetzner;
    const announced = Date.parse('2025-10-15T00:00:00Z');
    catalogue.deprecateServerType(
      'cx43',
      { announced, unavailableAfter: Date.parse('2026-01-15T00:00:00Z') },
      'fsn1',
    );
    sellForX86Only(environment, 'debian-13');
    config = least(environment);
    environment.configure(config);
    const { code, text } = await environment.up();
    assert.equal(code, 0, text);
    catalogue.deprecateServerType('cpx32', {
      announced,
      unavailableAfter: Date.parse('2090-01-15T00:00:00Z'),
    });
  });
  beforeEach(() => {
    environment.configure(config);
    environment.sandbox.requests.clear();
  });
  after(() => environment?.close());

  for (const { what, edit, text: rewrite, variables, says } of rows) {
    it(`${what}: says so on one screen, and changes nothing`, async () => {
      const before = environment.identities();
      environment.configure(edit ? edit(config) : config);
      if (rewrite)
        writeFileSync(environment.configFile, rewrite(readFileSync(environment.configFile, 'utf8')));
      const { code, text } = await environment.up(variables);
      assertClear(code, text, says);
      assert.deepEqual(writes(environment.sandbox), []);
      assert.deepEqual(environment.identities(), before);
    });
  }

  it('a placement that will not be sold for ever: warns, with its dates', async () => {
    const { finished } = await environment.preview();
    assert.equal(finished.code, 0, finished.text);
    assert.match(
      finished.text,
      /placements\[1\].*cpx32.* is deprecated \(announced 2025-10-15\) and cannot be ordered after 2090-01-15/,
    );
  });

  it('asks no vendor while the file itself is wrong', async () => {
    environment.configure(withPool(config, 'ci', { slots: 0 }));
    assert.notEqual((await environment.up()).code, 0);
    assert.deepEqual(reads(environment.sandbox), []);
  });

  it('a tag that the OAuth client may not give: says so before the first worker is made', async () => {
    const before = environment.identities();
    const pools = config['pools'] as Record<string, Raw>;
    environment.configure(
      access(
        {
          ...config,
          pools: {
            ...pools,
            more: {
              ...pools['ci'],
              size: { fixed: 1 },
              placements: [{ serverType: 'cx33', location: 'fsn1' }],
            },
          },
        },
        { tags: ['tag:admin'] },
      ),
    );
    const { code, text } = await environment.up();
    assertClear(code, text, [/worker-pools:access\.tags: Tailscale refuses tag:admin: /]);
    // Only asking for a key tells: the vendor's refusal is the answer.
    assert.deepEqual(writes(environment.sandbox), ['POST /api/v2/tailnet/-/keys']);
    assert.deepEqual(environment.identities(), before);
  });

  it('a stack that another update holds: says so', async () => {
    const folder = join(environment.backend, '.pulumi', 'locks', 'organization', 'worker-pools', STACK);
    mkdirSync(folder, { recursive: true });
    const lock = { pid: 1, username: 'somebody', hostname: 'elsewhere', timestamp: '2026-03-01T12:00:00Z' };
    writeFileSync(join(folder, '0d7a8f0e-5a52-4c2f-9a39-0f5f1f1b1c55.json'), JSON.stringify(lock));
    const { code, text } = await environment.up();
    assertClear(code, text, [/the stack is currently locked by 1 lock/]);
    assert.deepEqual(writes(environment.sandbox), []);
  });
});

function assertClear(code: number | null, text: string, says: RegExp[]): void {
  assert.notEqual(code, 0, text);
  for (const pattern of says) assert.match(text, pattern);
  assert.doesNotMatch(text, /^\s+at /m, 'no stack trace');
  assert.doesNotMatch(text, /\.[jt]s:\d+|unhandled|Unhandled/, 'no file and line');
  assert.ok(!text.includes(WORKLOAD_SECRET));
  // The engine goes on to list what the stack has recorded.
  const lines = text.split('\nOutputs:')[0]!.trimEnd().split('\n').length;
  assert.ok(lines <= ONE_SCREEN, `${lines} lines:\n${text}`);
}

/** As some images of the vendor's are: all that machines can be set up from come in both kinds today. */
function sellForX86Only({ sandbox }: Environment, image: string): void {
  const state = sandbox.hetzner.snapshot() as State;
  const { systemImages } = state.catalogue;
  for (const [id, { name, architecture }] of Object.entries(systemImages)) {
    if (name === image && architecture === 'arm') delete systemImages[Number(id)];
  }
  sandbox.hetzner.restore(state);
}

/** Text that does not compress, the same each time. */
function noise(length: number): string {
  let state = 1;
  return Array.from({ length }, () => {
    state = (state * 48_271) % 2_147_483_647;
    return String.fromCharCode(33 + (state % 90));
  }).join('');
}
