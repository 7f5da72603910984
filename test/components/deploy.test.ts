import assert from 'node:assert/strict';
import { gunzipSync } from 'node:zlib';
import * as pulumi from '@pulumi/pulumi';
import type { Membership } from '../../components/model/membership';
import { hostKey } from '../../components/model/worker-machine';
import { deploy as program, type DeployOptions } from '../../deploy';
import { KEY_LINE, SECRET, ciPool, type Raw } from './configs';
import { Recorder, Secret } from './recorder';
import { Stand } from './preflight/stand';

const tailnet: Raw = { connectivity: 'tailscale', sshKeys: [KEY_LINE], tags: ['tag:worker'] };
const direct: Raw = {
  connectivity: 'direct',
  sshKeys: [KEY_LINE],
  ssh: { port: 2222, from: ['203.0.113.7/32'] },
};
const network: Raw = {
  cidr: '10.20.0.0/16',
  zone: 'eu-central',
  natGateway: { serverType: 'cx23', location: 'fsn1', image: 'debian-12' },
};
const hidden: Raw = { publicNetwork: { ipv4: false, ipv6: false } };

const SERVER = 'hcloud:index/server:Server';
const FIREWALL = 'hcloud:index/firewall:Firewall';
const RECORD = 'cloudflare:index/dnsRecord:DnsRecord';
const COMMAND = 'command:local:Command';
const labels = { 'managed-by': 'hcloud-worker-pools', stack: 'production' };

/** A record with this many members of pool `ci`. */
const members = (count: number, changes: Raw = {}): Membership => ({
  ci: {
    nextSerial: count + 1,
    members: Array.from({ length: count }, (_, index) => ({
      id: `ci-${(index + 1).toString(36).padStart(4, '0')}`,
      configHash: '0123456789abcdef',
      configHashVersion: 1,
      serverType: 'cx33',
      location: 'fsn1',
      launchedAt: '2026-10-01T08:00:00.000Z',
      placementGroup: Math.floor(index / 10) + 1,
      ...changes,
    })),
  },
});

describe('deploy, declared to a stand-in for the engine', function () {
  const stand = new Stand();
  let recorder: Recorder;
  after(() => pulumi.runtime.resetOptions('', '', -1, '', '', false, ''));

  /** Runs the program on a stack's file, and waits until everything is declared. */
  async function deploy(
    file: Raw,
    options: DeployOptions = {},
    { recorded, outputs: left, preview }: { recorded?: Membership; outputs?: Raw; preview?: boolean } = {},
  ) {
    const { hetzner, tailscale, cloudflare } = stand.cloud.endpoints;
    recorder = new Recorder(left ?? (recorded && { membership: recorded }));
    const config = {
      'hcloud:token': hetzner.token,
      'hcloud:endpoint': hetzner.url,
      'tailscale:baseUrl': tailscale.url,
      'tailscale:oauthClientId': tailscale.oauthClientId,
      'tailscale:oauthClientSecret': tailscale.oauthClientSecret,
      'cloudflare:apiToken': cloudflare.token,
      'cloudflare:baseUrl': cloudflare.url,
      'worker-pools:registrationSecret': SECRET,
      ...Object.fromEntries(Object.entries(file).map(([key, value]) => [`worker-pools:${key}`, value])),
    };
    await recorder.install('production', config, preview);
    const outputs = await program({
      now: () => Date.parse('2026-10-02T09:00:00Z'),
      environment: {},
      directory: __dirname,
      ...options,
    });
    await pulumi.runtime.disconnect();
    return { outputs };
  }

  it('a tailnet pool: keys, a firewall that lets nothing in, and its servers, exactly', async () => {
    const file = { access: tailnet, pools: { ci: { ...ciPool, size: { min: 1, max: 5 } } } };
    const { outputs } = await deploy(file);

    assert.deepEqual(recorder.list, [
      'command:local:Command tailnet-cleanup',
      'hcloud:index/firewall:Firewall ci-closed',
      'hcloud:index/placementGroup:PlacementGroup ci-fsn1-1',
      'hcloud:index/server:Server ci-0001-server',
      'hcloud:index/sshKey:SshKey ssh-' + fingerprintOf(),
      'tailscale:index/tailnetKey:TailnetKey ci-0001-key',
      'workerpools:index:SshAccess ssh',
      'workerpools:index:Worker ci-0001',
      'workerpools:index:WorkerPool ci',
    ]);
    assert.deepEqual(recorder.inputsOf('tailscale:index/tailnetKey:TailnetKey', 'ci-0001-key'), {
      reusable: false,
      ephemeral: true,
      preauthorized: true,
      tags: ['tag:worker'],
      expiry: 3600,
      description: 'production ci-0001',
      recreateIfInvalid: 'never',
    });
    assert.deepEqual(recorder.inputsOf(FIREWALL, 'ci-closed'), {
      name: 'production-ci-closed',
      labels: { ...labels, pool: 'ci' },
      rules: [],
    });
    assert.deepEqual(recorder.inputsOf('hcloud:index/placementGroup:PlacementGroup', 'ci-fsn1-1'), {
      name: 'production-ci-fsn1-1',
      type: 'spread',
      labels: { ...labels, pool: 'ci' },
    });
    const { userData, sshKeys, firewallIds, placementGroupId, ...server } = recorder.inputsOf(
      SERVER,
      'ci-0001-server',
    );
    const { configHash } = outputs.membership['ci']!.members[0]!;
    assert.deepEqual(server, {
      name: 'production-ci-0001',
      serverType: 'cx33',
      location: 'fsn1',
      image: 'debian-12',
      allowDeprecatedImages: true,
      publicNets: [{ ipv4Enabled: true, ipv6Enabled: true }],
      labels: {
        ...labels,
        pool: 'ci',
        'worker-id': 'ci-0001',
        'config-hash': configHash,
        'config-hash-version': '1',
      },
    });
    for (const ids of [sshKeys, firewallIds]) assert.equal((ids as unknown[]).length, 1);
    assert.equal(typeof placementGroupId, 'number');
    const text = decoded(userData);
    assert.match(text, /^#cloud-config\n/);
    assert.ok(text.includes('tskey of ci-0001-key'));
    assert.ok(text.includes(KEY_LINE));
    assert.equal(text.includes(SECRET), false);

    assert.deepEqual(outputs, {
      membership: {
        ci: {
          nextSerial: 2,
          members: [
            {
              id: 'ci-0001',
              serverType: 'cx33',
              location: 'fsn1',
              configHash,
              configHashVersion: 1,
              launchedAt: '2026-10-02T09:00:00.000Z',
              placementGroup: 1,
            },
          ],
        },
      },
      network: null,
      pools: { ci: { min: 1, max: 5, slots: 4, configHash, configHashVersion: 1 } },
    });
    assert.deepEqual(JSON.parse(JSON.stringify(outputs)), outputs, 'plain values only');
  });

  it('the tailnet’s clean-up: its question is secret and names what is the stack’s', async () => {
    await deploy({ access: tailnet, pools: { ci: ciPool } });
    const { environment, ...command } = recorder.inputsOf(COMMAND, 'tailnet-cleanup');
    assert.deepEqual(command, {
      delete: 'cd "${WORKER_POOLS_ROOT:-.}" && node --require tsx/cjs components/checks/tailnet-cleanup.ts',
      logging: 'stderr',
      addPreviousOutputInEnv: false,
    });
    const { url, oauthClientId, oauthClientSecret } = stand.cloud.endpoints.tailscale;
    assert.deepEqual(questionIn(environment), {
      environment: 'production',
      pools: ['ci'],
      tags: ['tag:worker'],
      tailscale: { url, oauthClientId, oauthClientSecret },
    });
  });

  for (const { what, pools, message } of [
    {
      what: 'says nothing of a pool of the file',
      pools: { ci: ciPool, web: ciPool },
      message: 'the intended membership says nothing of pool web',
    },
    {
      what: 'has workers in a pool that the file has dropped',
      pools: { web: ciPool },
      message: /says nothing of pool web/,
    },
    {
      what: 'has workers in the only pool, and the file has none',
      pools: {},
      message: "the stack's file has no pool ci, and the intended membership has workers in it",
    },
  ]) {
    it(`refuses a membership that ${what}, and declares nothing`, async () => {
      await assert.rejects(deploy({ access: tailnet, pools }, { intend: () => members(2) }), { message });
      assert.deepEqual(recorder.registered, []);
    });
  }

  it('declares exactly the membership that it is given, whatever is recorded', async () => {
    const given = { ci: { nextSerial: 40, members: members(13)['ci']!.members.slice(1) } };
    const file = { access: tailnet, pools: { ci: { ...ciPool, size: { min: 20, max: 40 } } } };
    const { outputs } = await deploy(file, { intend: () => given }, { recorded: members(3) });
    assert.deepEqual(outputs.membership, given);
    assert.deepEqual(
      serversOf(recorder),
      given.ci.members.map(({ id }) => `production-${id}`),
    );
    const groupOf = (id: string): unknown => recorder.inputsOf(SERVER, `${id}-server`)['placementGroupId'];
    assert.equal(new Set(['ci-0002', 'ci-0005', 'ci-000a'].map(groupOf)).size, 1);
    assert.equal(groupOf('ci-000b'), groupOf('ci-000d'));
    assert.notEqual(groupOf('ci-0002'), groupOf('ci-000b'));
    assert.deepEqual(stand.writes(), [], 'the caller asked for it: no tag is tried');
  });

  describe('running workers whose pool’s public network is edited', () => {
    const open: Raw = { ingress: [{ port: 443, from: ['0.0.0.0/0'] }] };
    const running = (publicNet: boolean) =>
      stand.hetzner('POST', '/servers', {
        name: 'production-ci-0001',
        server_type: 'cx33',
        location: 'fsn1',
        image: 'debian-12',
        labels: {
          ...labels,
          pool: 'ci',
          'worker-id': 'ci-0001',
          'config-hash': '0',
          'config-hash-version': '1',
        },
        public_net: { enable_ipv4: publicNet, enable_ipv6: publicNet },
        start_after_create: publicNet,
      });

    it('keep their firewall when new ones get no public address', async () => {
      await running(true);
      await deploy(
        { access: tailnet, network, pools: { ci: { ...ciPool, ...hidden } } },
        { intend: () => members(2) },
      );
      const firewall = recorder.registered.findIndex(
        ({ type, name }) => type === FIREWALL && name === 'ci-closed',
      );
      assert.notEqual(firewall, -1);
      assert.equal((recorder.inputsOf(SERVER, 'ci-0001-server')['firewallIds'] as unknown[]).length, 1);
      assert.equal(Object.hasOwn(recorder.inputsOf(SERVER, 'ci-0002-server'), 'firewallIds'), false);
    });

    it('keep their way out when new ones get a public address', async () => {
      await running(false);
      await deploy(
        { access: tailnet, network, pools: { ci: { ...ciPool, ...open } } },
        { intend: () => members(2) },
      );
      assert.ok(serversOf(recorder).includes('production-nat'));
      assert.equal(Object.hasOwn(recorder.inputsOf(SERVER, 'ci-0001-server'), 'firewallIds'), false);
      assert.equal((recorder.inputsOf(SERVER, 'ci-0002-server')['firewallIds'] as unknown[]).length, 1);
    });

    it('do not lose the gateway that is their only way out', async () => {
      await running(false);
      const bare = { cidr: network['cidr'], zone: network['zone'] };
      await assert.rejects(
        deploy({ access: tailnet, network: bare, pools: { ci: ciPool } }, { intend: () => members(2) }),
        {
          message:
            /^This would take the way out away from running workers\. Nothing was changed\.\n {2}• worker-pools:network\.natGateway: is gone, and ci-0001 run without a public address/,
        },
      );
      assert.deepEqual(recorder.registered, []);
    });
  });

  describe('a network under running workers', () => {
    const file = { access: tailnet, network, pools: { ci: ciPool } };
    const outputs = (range: string | null | undefined): Raw => ({
      membership: members(2),
      ...(range === undefined ? {} : { network: range }),
    });
    const stops = (became: string): RegExp =>
      new RegExp(
        `^This would take the private network away from running workers\\. Nothing was changed\\.\\n {2}• worker-pools:network: 10\\.20\\.0\\.0/16 would ${became}, and ci-0001, ci-0002 would lose`,
      );

    it('is not taken away', async () => {
      const without = { access: tailnet, pools: { ci: ciPool } };
      await assert.rejects(deploy(without, {}, { outputs: outputs('10.20.0.0/16') }), {
        message: stops('go'),
      });
      assert.deepEqual(recorder.registered, []);
    });

    it('does not become another one', async () => {
      const other = { ...file, network: { ...network, cidr: '10.30.0.0/16' } };
      await assert.rejects(
        deploy(other, { intend: () => members(2) }, { outputs: outputs('10.20.0.0/16') }),
        {
          message: stops('become 10\\.30\\.0\\.0/16'),
        },
      );
      assert.deepEqual(recorder.registered, []);
    });

    for (const { what, before, environment } of [
      { what: 'stays', before: '10.20.0.0/16', environment: {} },
      { what: 'is added', before: null, environment: {} },
      { what: 'was recorded by an older version', before: undefined, environment: {} },
      {
        what: 'goes as confirmed',
        before: '10.9.0.0/16',
        environment: { WORKER_POOLS_ALLOW_REMOVAL: 'network' },
      },
    ]) {
      it(`${what}, and the record says so`, async () => {
        const { outputs: after } = await deploy(file, { environment }, { outputs: outputs(before) });
        assert.equal(after.network, '10.20.0.0/16');
      });
    }
  });

  it('without one declares the recorded members, stamped as they were', async () => {
    const file = { access: tailnet, pools: { ci: { ...ciPool, image: 'debian-13' } } };
    const { outputs } = await deploy(file, {}, { recorded: members(2) });
    assert.deepEqual(outputs.membership, members(2));
    const { labels: stamped } = recorder.inputsOf(SERVER, 'ci-0002-server');
    assert.equal((stamped as Record<string, string>)['config-hash'], '0123456789abcdef');
    assert.deepEqual(stand.writes(), []);
  });

  it('a member without a placement group is in none, and there is none', async () => {
    const lone = members(1);
    const member = without(lone['ci']!.members[0]!, 'placementGroup');
    await deploy(
      { access: tailnet, pools: { ci: { ...ciPool, spread: false } } },
      { intend: () => ({ ci: { nextSerial: 2, members: [member] } }) },
    );
    assert.equal(Object.hasOwn(recorder.inputsOf(SERVER, 'ci-0001-server'), 'placementGroupId'), false);
    assert.ok(recorder.list.every((line) => !line.includes('PlacementGroup')));
  });

  it('direct mode: SSH from the given networks and the pool’s ports, and no tailnet', async () => {
    const ingress = [{ port: 443, from: ['0.0.0.0/0', '::/0'] }];
    await deploy({ access: direct, pools: { ci: { ...ciPool, ingress } } }, { intend: () => members(1) });
    assert.deepEqual(recorder.inputsOf(FIREWALL, 'ci-open'), {
      name: 'production-ci-open',
      labels: { ...labels, pool: 'ci' },
      rules: [
        { direction: 'in', protocol: 'tcp', port: '2222', sourceIps: ['203.0.113.7/32'] },
        { direction: 'in', protocol: 'tcp', port: '443', sourceIps: ['0.0.0.0/0', '::/0'] },
      ],
    });
    assert.ok(recorder.list.every((line) => !/tailscale|tailnet/.test(line)));
    assert.equal(
      decoded(recorder.inputsOf(SERVER, 'ci-0001-server')['userData']).includes('tailscale'),
      false,
    );
  });

  it('a key that the project has is used by its id and is no resource', async () => {
    const made = (await stand.hetzner('POST', '/ssh_keys', { name: 'mine', public_key: KEY_LINE })) as {
      ssh_key: { id: number };
    };
    await deploy({ access: tailnet, pools: { ci: ciPool } }, { intend: () => members(1) });
    assert.deepEqual(recorder.inputsOf(SERVER, 'ci-0001-server')['sshKeys'], [String(made.ssh_key.id)]);
    assert.ok(recorder.list.every((line) => !line.includes('SshKey')));
  });

  it('private workers: the network, the gateway with its routes and check, and no firewall of the pool', async () => {
    const file = { access: tailnet, network, pools: { ci: { ...ciPool, ...hidden } } };
    await deploy(file, { intend: () => members(1) });
    assert.deepEqual(recorder.inputsOf('hcloud:index/network:Network', 'network'), {
      name: 'production',
      ipRange: '10.20.0.0/16',
      labels,
    });
    const { networkId } = recorder.inputsOf('hcloud:index/networkSubnet:NetworkSubnet', 'network-subnet');
    assert.deepEqual(recorder.inputsOf('hcloud:index/networkSubnet:NetworkSubnet', 'network-subnet'), {
      networkId,
      type: 'cloud',
      networkZone: 'eu-central',
      ipRange: '10.20.0.0/16',
    });
    assert.deepEqual(recorder.inputsOf('hcloud:index/networkRoute:NetworkRoute', 'nat-route-0.0.0.0/0'), {
      networkId,
      destination: '0.0.0.0/0',
      gateway: '10.20.255.254',
    });
    const { userData, firewallIds, ...gateway } = recorder.inputsOf(SERVER, 'nat-server');
    assert.deepEqual(without(gateway, 'sshKeys'), {
      name: 'production-nat',
      serverType: 'cx23',
      location: 'fsn1',
      image: 'debian-12',
      allowDeprecatedImages: true,
      publicNets: [{ ipv4Enabled: true, ipv6Enabled: true }],
      networks: [{ networkId, ip: '10.20.255.254', aliasIps: [] }],
      labels: { ...labels, role: 'nat' },
    });
    assert.equal((firewallIds as unknown[]).length, 1);
    assert.match(decoded(userData), /masquerade/);
    assert.ok(decoded(userData).includes('tskey of nat-key'));
    assert.deepEqual(recorder.inputsOf(FIREWALL, 'nat-closed'), {
      name: 'production-nat-closed',
      labels,
      rules: [],
    });
    assert.ok(recorder.list.includes(`${COMMAND} nat-ready`));

    const worker = recorder.inputsOf(SERVER, 'ci-0001-server');
    assert.deepEqual(worker['networks'], [{ networkId, aliasIps: [] }]);
    assert.deepEqual(worker['publicNets'], [{ ipv4Enabled: false, ipv6Enabled: false }]);
    assert.equal(Object.hasOwn(worker, 'firewallIds'), false);
    assert.match(decoded(worker['userData']), /10\.20\.0\.1/);
    assert.ok(recorder.list.every((line) => !line.startsWith(`${FIREWALL} ci`)));
  });

  it('no gateway where every worker has a public address', async () => {
    await deploy({ access: tailnet, network, pools: { ci: ciPool } }, { intend: () => members(1) });
    assert.deepEqual(serversOf(recorder), ['production-ci-0001']);
  });

  const readiness: [string, Raw, Raw, object][] = [
    ['over the tailnet', tailnet, {}, { connectivity: 'tailscale', sshPort: 22 }],
    ['directly', direct, {}, { connectivity: 'direct', sshPort: 2222 }],
    [
      'through the gateway to a private address',
      direct,
      hidden,
      {
        connectivity: 'direct',
        sshPort: 2222,
        address: 'private ip of ci-0001-server',
        jump: { address: 'ipv4 of nat-server', hostKey: hostKey(SECRET, 'production-nat').publicKey },
      },
    ],
  ];
  for (const [way, access, pool, expected] of readiness) {
    it(`readiness is asked ${way}`, async () => {
      const file = { access, network, pools: { ci: { ...ciPool, ...pool, waitForReady: true } } };
      await deploy(file, { intend: () => members(1) });
      const question = questionIn(recorder.inputsOf(COMMAND, 'ci-0001-ready')['environment']);
      assert.deepEqual(without(question, 'tailscale'), {
        kind: 'worker',
        hostname: 'production-ci-0001',
        address: 'ipv4 of ci-0001-server',
        hostKey: hostKey(SECRET, 'production-ci-0001').publicKey,
        ...expected,
      });
    });
  }

  const addresses: [string, Raw, 'A' | 'AAAA', string][] = [
    ['both families', {}, 'A', 'ipv4 of ci-0001-server'],
    ['IPv6 only', { publicNetwork: { ipv4: false } }, 'AAAA', 'ipv6 of ci-0001-server'],
    ['no public address', hidden, 'A', 'private ip of ci-0001-server'],
  ];
  for (const [which, pool, type, content] of addresses) {
    it(`a worker’s name: ${which}`, async () => {
      const dns = { zone: 'sandbox.example', workers: true, proxied: true };
      const file = { access: tailnet, network, dns, pools: { ci: { ...ciPool, ...pool } } };
      await deploy(file, { intend: () => members(1) });
      const { zoneId, ...record } = recorder.inputsOf(RECORD, 'ci-0001-dns');
      assert.match(zoneId as string, /^[0-9a-f]{32}$/);
      assert.deepEqual(record, {
        name: 'ci-0001.production.sandbox.example',
        type,
        content,
        ttl: 60,
        proxied: false,
      });
    });
  }

  it('the environment’s names: a wildcard over pools that serve, and tenants over theirs', async () => {
    const web = { ...ciPool, workload: { traefik: true } };
    const dns = {
      zone: 'sandbox.example',
      subdomain: 'live',
      wildcard: true,
      tenants: { acme: 'ci' },
      proxied: true,
    };
    const membership = {
      ...members(2),
      web: { nextSerial: 2, members: [{ ...members(1)['ci']!.members[0]!, id: 'web-0001' }] },
    };
    await deploy({ access: tailnet, dns, pools: { ci: ciPool, web } }, { intend: () => membership });
    const records = recorder.registered
      .filter(({ type }) => type === RECORD)
      .map(({ name, inputs }) => [name, inputs['name'], inputs['content'], inputs['ttl'], inputs['proxied']]);
    assert.deepEqual(records.sort(), [
      ['ci-0001-tenant-acme', 'acme.live.sandbox.example', 'ipv4 of ci-0001-server', 1, true],
      ['ci-0002-tenant-acme', 'acme.live.sandbox.example', 'ipv4 of ci-0002-server', 1, true],
      ['web-0001-wildcard', '*.live.sandbox.example', 'ipv4 of web-0001-server', 1, true],
    ]);
  });

  const small: Raw = { access: tailnet, pools: { ci: { ...ciPool, size: { fixed: 1 } } } };

  it('an update that would take workers away stops before anything is declared', async () => {
    await assert.rejects(deploy(small, {}, { recorded: members(3) }), {
      name: 'ConfigError',
      message: /this would remove ci-0002, ci-0003, and maxUnavailable is 0/,
    });
    assert.deepEqual(recorder.registered, []);
  });

  it('a preview of it goes on, and so does an update that was told to', async () => {
    const preview = await deploy(small, {}, { recorded: members(3), preview: true });
    assert.deepEqual(
      preview.outputs.membership['ci']!.members.map(({ id }) => id),
      ['ci-0001'],
    );
    await deploy(
      small,
      { environment: { WORKER_POOLS_ALLOW_REMOVAL: ' ci-0002 , ci-0003' } },
      { recorded: members(3) },
    );
    assert.deepEqual(serversOf(recorder), ['production-ci-0001']);
  });

  it('a launch by a person tries the tags first; a preview does not', async () => {
    const file = { access: tailnet, pools: { ci: { ...ciPool, size: { fixed: 2 } } } };
    await deploy(file, {}, { recorded: members(1), preview: true });
    assert.deepEqual(stand.writes(), []);
    await deploy(file, {}, { recorded: members(1) });
    assert.deepEqual(
      stand.writes().map((line) => line.split(' ')[0]),
      ['POST', 'DELETE'],
    );
  });

  it('a stack with outputs but no membership stops: it is not a new one', async () => {
    await assert.rejects(deploy(small, {}, { outputs: { pools: {} } }), {
      name: 'ConfigError',
      message:
        'The record of this stack is incomplete. Nothing was changed.\n' +
        '  • stack acme/worker-pools/production: has outputs, but no membership among them; restore it from the last checkpoint with `pulumi stack export --version`',
    });
    assert.deepEqual(recorder.registered, []);
  });

  it('a record that cannot be read stops', async () => {
    const outputs = { membership: { ci: { nextSerial: 'many', members: [] } } };
    await assert.rejects(deploy(small, {}, { outputs }), {
      name: 'ConfigError',
      message:
        /^The recorded membership cannot be read\. Nothing was changed\.\n {2}• membership\.ci\.nextSerial: /,
    });
    assert.deepEqual(recorder.registered, []);
  });

  it('user data that Hetzner would refuse stops', async () => {
    const noise = Array.from({ length: 9000 }, (_, index) => Math.sin(index).toString(36).slice(4, 9)).join(
      '',
    );
    const workload = { container: { image: 'runner:1', env: { BLOB: noise } } };
    await assert.rejects(deploy({ access: tailnet, pools: { ci: { ...ciPool, workload } } }), {
      name: 'ConfigError',
      message:
        /worker-pools:pools\.ci\.workload: the rendered user data has \d+ bytes, and Hetzner takes 32768\. It is filled by workload \(/,
    });
    assert.deepEqual(recorder.registered, []);
  });

  describe('after an interrupted update', () => {
    const file: Raw = { access: tailnet, pools: { ci: { ...ciPool, size: { min: 0, max: 9 } } } };
    beforeEach(() =>
      stand.hetzner('POST', '/servers', {
        name: 'production-ci-0002',
        server_type: 'cx33',
        location: 'nbg1',
        image: 'debian-12',
        labels: {
          ...labels,
          pool: 'ci',
          'worker-id': 'ci-0002',
          'config-hash': '0123456789abcdef',
          'config-hash-version': '1',
        },
      }),
    );

    it('stops and names the worker that the record does not know', async () => {
      await assert.rejects(deploy(file, {}, { recorded: members(1) }), {
        name: 'ConfigError',
        message:
          /workers ci-0002: an update was interrupted before it recorded them\. .*WORKER_POOLS_ADOPT=ci-0002/,
      });
      assert.deepEqual(recorder.registered, []);
    });

    it('takes it back in when told to, once or again', async () => {
      const environment = { WORKER_POOLS_ADOPT: 'ci-0002' };
      const { outputs } = await deploy(file, { environment }, { recorded: members(1) });
      assert.deepEqual(serversOf(recorder), ['production-ci-0001', 'production-ci-0002']);
      assert.equal(outputs.membership['ci']!.nextSerial, 3);
      assert.equal(outputs.membership['ci']!.members[1]!.location, 'nbg1');
      const again = await deploy(file, { environment }, { recorded: outputs.membership });
      assert.deepEqual(again.outputs.membership, outputs.membership);
    });

    it('lets it go when told to, and never uses its id again', async () => {
      const environment = { WORKER_POOLS_ALLOW_REMOVAL: 'ci-0002' };
      const { outputs } = await deploy(file, { environment }, { recorded: members(1) });
      assert.deepEqual(outputs.membership, { ci: { ...members(1)['ci'], nextSerial: 3 } });
    });
  });

  /** The last part of the key's logical name. */
  function fingerprintOf(): string {
    const key = recorder.registered.find(({ type }) => type === 'hcloud:index/sshKey:SshKey');
    assert.deepEqual({ ...key!.inputs, name: undefined }, { name: undefined, publicKey: KEY_LINE, labels });
    const [, short] = /^ssh-([0-9a-f]{8})$/.exec(key!.name)!;
    assert.equal(key!.inputs['name'], `production-${short}`);
    return short!;
  }
});

function without<T extends object, K extends keyof T>(object: T, key: K): Omit<T, K> {
  return Object.fromEntries(Object.entries(object).filter(([name]) => name !== key)) as Omit<T, K>;
}

function serversOf(recorder: Recorder): unknown[] {
  return recorder.registered
    .filter(({ type }) => type === SERVER)
    .map(({ inputs }) => inputs['name'])
    .sort();
}

/** The text that a server's user data stands for; it must be a secret. */
function decoded(userData: unknown): string {
  assert.ok(userData instanceof Secret, 'user data is a secret');
  return gunzipSync(Buffer.from(String(userData.value), 'base64')).toString();
}

/** What a check is asked; it must be a secret. */
function questionIn(environment: unknown): Record<string, unknown> {
  assert.ok(environment instanceof Secret, 'the question is a secret');
  const { WORKER_POOLS_QUESTION: question } = environment.value as Record<string, unknown>;
  return JSON.parse(String(question)) as Record<string, unknown>;
}
