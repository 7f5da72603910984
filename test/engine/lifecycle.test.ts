import assert from 'node:assert/strict';
import { utils } from 'ssh2';
import { remove } from '../../components/model/membership';
import { inventory, joined, NOTHING, reads, serverIds, writes } from './cloud';
import { complete, type Raw, webPool, withPool } from './configs';
import { launched } from './intent';
import { Environment } from './harness';
import { Secrets } from './secrets';

/** What a run without changes asks the vendors; the provider itself asks nothing. */
const PREFLIGHT = [
  'GET /api/v2/tailnet/-/keys',
  'GET /client/v4/zones',
  'GET /v1/images',
  'GET /v1/images',
  'GET /v1/locations',
  'GET /v1/server_types',
  'GET /v1/servers',
  'GET /v1/ssh_keys',
  'POST /api/v2/oauth/token',
];

describe('A stack on the real engine', function () {
  this.timeout(60_000);
  // One story: what follows a failed step would only repeat it.
  this.bail(true);
  let environment: Environment;
  let secrets: Secrets;
  let config: Raw;

  before(async () => {
    environment = await Environment.start();
    secrets = new Secrets(environment);
    const reused = utils.generateKeyPairSync('ed25519').public;
    await addSshKey(environment, 'of-the-team', reused);
    const { access, ...rest } = complete(environment);
    config = { ...rest, access: { ...(access as Raw), sshKeys: [environment.publicKeyFile, reused] } };
    environment.configure(config);
  });
  beforeEach(() => environment.sandbox.requests.clear());
  afterEach(() => secrets.observe());
  after(() => environment?.close());

  describe('by steps', () => {
    it('comes up as the file plans it, and nothing more', async () => {
      const { code, text } = await environment.up();
      assert.equal(code, 0, text);
      const { sshKeys, devices, unusedKeys, ...made } = inventory(environment.sandbox);
      assert.deepEqual(made, {
        servers: ['sandbox-ci-0001', 'sandbox-ci-0002', 'sandbox-ci-0003', 'sandbox-web-0001'],
        networks: ['sandbox'],
        subnets: ['10.20.0.0/16'],
        routes: [],
        firewalls: ['sandbox-ci-closed', 'sandbox-web-open'],
        placementGroups: ['sandbox-ci-fsn1-1', 'sandbox-web-nbg1-1'],
        primaryIps: 8,
        records: [
          '*.sandbox.sandbox.example A',
          'ci-0001.sandbox.sandbox.example A',
          'ci-0002.sandbox.sandbox.example A',
          'ci-0003.sandbox.sandbox.example A',
          'web-0001.sandbox.sandbox.example A',
        ],
      });
      assert.equal(sshKeys.length, 2, 'the reused key and one of the stack');
      // Some machines have joined by now, each with the key that was made for it.
      assert.equal(devices.length + unusedKeys.length, 4);
    });

    it('changes nothing and writes nothing when nothing is to be done', async () => {
      await joined(environment.sandbox, 4);
      const { code, text } = await environment.up();
      assert.equal(code, 0, text);
      assert.match(text, /Resources:\n\s+\d+ unchanged/);
      assert.deepEqual(writes(environment.sandbox), []);
      assert.deepEqual(reads(environment.sandbox).sort(), PREFLIGHT);
    });

    it('previews without a write', async () => {
      const { changes, finished } = await environment.preview();
      assert.equal(finished.code, 0, finished.text);
      assert.deepEqual(changes, {});
      assert.deepEqual(writes(environment.sandbox), []);
      assert.deepEqual(reads(environment.sandbox).sort(), PREFLIGHT);
    });

    it('adds exactly the workers that a caller intends', async () => {
      const before = serverIds(environment.sandbox);
      const { summary } = await environment.upInline(launched(environment, 2));
      assert.equal(summary.result, 'succeeded');
      assert.deepEqual(serversMade(environment, before), ['sandbox-ci-0004', 'sandbox-ci-0005']);
      assert.equal(writes(environment.sandbox).filter((line) => line === 'POST /v1/servers').length, 2);
    });

    it('lets a human’s update leave the size alone', async () => {
      const before = serverIds(environment.sandbox);
      const { code, text } = await environment.up();
      assert.equal(code, 0, text);
      assert.match(text, /Resources:\n\s+\d+ unchanged/);
      assert.deepEqual(writes(environment.sandbox), []);
      assert.deepEqual(serverIds(environment.sandbox), before);
    });

    it('removes the member that was chosen, and no other', async () => {
      const { 'sandbox-ci-0003': chosen, ...others } = serverIds(environment.sandbox);
      const { membership } = environment.record();
      await environment.upInline({ ...membership, ci: remove(membership['ci']!, ['ci-0003']) });
      assert.deepEqual(serverIds(environment.sandbox), others);
      const deleted = writes(environment.sandbox).filter((line) => /^\w+ \/v1\/servers/.test(line));
      assert.deepEqual(deleted, [`DELETE /v1/servers/${chosen}`]);
      assert.ok(!inventory(environment.sandbox).records.some((name) => name.startsWith('ci-0003')));
    });

    it('never uses an id again', async () => {
      const before = serverIds(environment.sandbox);
      await environment.upInline(launched(environment, 1));
      assert.deepEqual(serversMade(environment, before), ['sandbox-ci-0006']);
    });
  });

  describe('An edit of what is fixed at a server’s creation', () => {
    const edits: { what: string; edit: (config: Raw) => Raw; sameHash?: true }[] = [
      {
        what: 'the server type of a placement',
        edit: (raw) => withPool(raw, 'ci', { placements: [{ serverType: 'cx43', location: 'fsn1' }] }),
        // A placement is part of the member's record, and compared there.
        sameHash: true,
      },
      { what: 'the image', edit: (raw) => withPool(raw, 'ci', { image: 'debian-13' }) },
      {
        what: 'the workload',
        edit: (raw) => withPool(raw, 'ci', { workload: { container: { image: 'acme/runner:2' } } }),
      },
      {
        what: 'the SSH keys',
        edit: (raw) => ({
          ...raw,
          access: {
            ...(raw['access'] as Raw),
            sshKeys: [utils.generateKeyPairSync('ed25519').public],
          },
        }),
      },
      {
        what: 'the public network',
        edit: (raw) => withPool(raw, 'ci', { publicNetwork: { ipv4: true, ipv6: false } }),
      },
      { what: 'the spread over hosts', edit: (raw) => withPool(raw, 'ci', { spread: false }) },
    ];
    for (const { what, edit, sameHash } of edits) {
      it(`${what}: touches no running server, and says that the members have drifted`, async () => {
        const before = serverStates(environment);
        const hash = environment.record().pools['ci']!.configHash;
        environment.configure(edit(config));
        const { summary } = await environment.upInline();
        assert.equal(summary.result, 'succeeded');
        assert.equal(summary.resourceChanges?.replace, undefined);
        assert.deepEqual(serverWrites(environment), []);
        assert.deepEqual(serverStates(environment), before);
        assert.equal(environment.record().pools['ci']!.configHash === hash, sameHash === true);
      });
    }

    it('shows no replacement in a person’s preview of all of them', async () => {
      environment.configure(edits.reduce((raw, { edit }) => edit(raw), config));
      const { changes, finished } = await environment.preview();
      environment.configure(config);
      assert.equal(finished.code, 0, finished.text);
      assert.deepEqual(
        Object.keys(changes).filter((op) => op.includes('replace')),
        [],
        JSON.stringify(changes),
      );
      const touched = Object.values(changes).flat();
      assert.deepEqual(
        touched.filter((name) => name.endsWith('-server')),
        [],
      );
      assert.deepEqual(writes(environment.sandbox), []);
    });
  });

  describe('A change that takes workers away', () => {
    const edits: { what: string; edit: (config: Raw) => Raw }[] = [
      {
        what: 'lowering a fixed size',
        edit: (raw) => withPool(raw, 'web', { ...webPool, size: { fixed: 0 } }),
      },
      {
        what: 'dropping a pool',
        edit: (raw) => {
          const { ci } = raw['pools'] as Record<string, Raw>;
          return { ...raw, pools: { ci }, dns: { zone: 'sandbox.example', workers: true } };
        },
      },
    ];
    for (const { what, edit } of edits) {
      it(`${what} stops before anything changes`, async () => {
        const before = environment.identities();
        environment.configure(edit(config));
        const { code, text } = await environment.up();
        assert.notEqual(code, 0);
        assert.match(text, /would remove web-0001, and maxUnavailable is 0/);
        assert.match(text, /WORKER_POOLS_ALLOW_REMOVAL=web pulumi up/);
        assert.deepEqual(writes(environment.sandbox), []);
        assert.deepEqual(environment.identities(), before);
      });

      it(`${what} is a warning in a preview`, async () => {
        const { finished, changes } = await environment.preview();
        assert.equal(finished.code, 0, finished.text);
        assert.match(finished.text, /would remove web-0001/);
        assert.ok(changes['delete']?.includes('web-0001-server'));
      });
    }

    it('goes through when it is said by name', async () => {
      const { code, text } = await environment.up({ WORKER_POOLS_ALLOW_REMOVAL: 'web' });
      assert.equal(code, 0, text);
      const { servers, firewalls } = inventory(environment.sandbox);
      assert.ok(!servers.includes('sandbox-web-0001'));
      assert.deepEqual(firewalls, ['sandbox-ci-closed']);
    });
  });

  describe('at its end', () => {
    it('is taken down without a trace, but for the key that was there before', async () => {
      await joined(environment.sandbox, inventory(environment.sandbox).servers.length);
      const { code, text } = await environment.cli(['destroy', '--yes', '--skip-preview']);
      assert.equal(code, 0, text);
      assert.deepEqual(inventory(environment.sandbox), { ...NOTHING, sshKeys: ['of-the-team'] });
      assert.deepEqual(environment.resources(), []);
    });

    it('has written no secret in plain text, anywhere', () => {
      assert.deepEqual(secrets.kinds(), [
        'auth key',
        'decoded user data of',
        'host key of',
        'the Cloudflare token',
        'the Hetzner token',
        'the OAuth secret',
        'the registration secret',
        'the workload’s secret',
        'token of',
        'user data of',
      ]);
      assert.ok(environment.transcripts.join('').includes('sandbox-ci-0006'), 'the outputs are looked at');
      assert.deepEqual(secrets.leaks(), []);
    });
  });
});

function serversMade({ sandbox }: Environment, before: Record<string, number>): string[] {
  const after = serverIds(sandbox);
  for (const [name, id] of Object.entries(before)) assert.equal(after[name], id, `${name} was touched`);
  return Object.keys(after)
    .filter((name) => !(name in before))
    .sort();
}

function serverWrites({ sandbox }: Environment): string[] {
  return writes(sandbox).filter((line) => line.includes('/v1/servers'));
}

/** The servers as the state has them, their labels with the stamp among them. */
function serverStates(environment: Environment): unknown[] {
  return (
    environment
      .resources()
      .filter(({ type }) => type === 'hcloud:index/server:Server')
      // The same secret is encrypted anew at each write.
      .map(({ outputs: { userData: _, ...outputs } = {}, ...resource }) => ({ ...resource, outputs }))
      .sort((a, b) => a.urn.localeCompare(b.urn))
  );
}

async function addSshKey({ sandbox }: Environment, name: string, publicKey: string): Promise<void> {
  const { url, token } = sandbox.endpoints.hetzner;
  const response = await fetch(`${url}/ssh_keys`, {
    method: 'POST',
    headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
    body: JSON.stringify({ name, public_key: publicKey }),
  });
  assert.equal(response.status, 201);
}
