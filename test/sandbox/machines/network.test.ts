import assert from 'node:assert/strict';
import { gatewayDocument, render, workerDocument } from '../../../cloud-init';
import type { Sandbox } from '../../../sandbox/sandbox';
import { os, ssh as sshSettings, tailscale as tailscaleSettings, worker } from '../../cloud-init/machines';
import {
  cloudConfig,
  createServer,
  hetzner,
  joiningConfig,
  loginKey,
  sandboxes,
  ssh,
  SSH_PORT,
  tailnetDevices,
  tailnetKey,
} from '../control/support';

const GATEWAY_IP = '10.20.0.2';
const bootSeconds = { min: 60, max: 60 };

/** What a gateway needs; single parts are left out by the tests. */
const forwarding = [
  { path: '/etc/sysctl.d/90-forward.conf', content: 'net.ipv4.ip_forward=1\n' },
  { path: '/etc/nftables.conf', content: 'table ip nat { chain post { oifname "eth0" masquerade } }\n' },
];
const applied = ['sysctl --system', 'systemctl enable --now nftables'];

const route = [
  'ip route replace default via 10.20.0.1',
  "printf 'nameserver 185.12.64.1\\n' >/etc/resolv.conf",
];

/** A network with a route to the gateway, and the gateway in it. */
async function gatewayNetwork(
  sandbox: Sandbox,
  userData: string,
): Promise<{ network: number; gateway: string }> {
  const made = await hetzner(sandbox, 'POST', '/networks', {
    name: 'pool',
    ip_range: '10.20.0.0/16',
    subnets: [{ type: 'cloud', ip_range: '10.20.0.0/24', network_zone: 'eu-central' }],
  });
  const network = (made.body as { network: { id: number } }).network.id;
  const { id, ip } = await createServer(sandbox, 'gateway', userData);
  const attached = await hetzner(sandbox, 'POST', `/servers/${id}/actions/attach_to_network`, {
    network,
    ip: GATEWAY_IP,
  });
  assert.equal(attached.status, 201, JSON.stringify(attached.body));
  const routed = await hetzner(sandbox, 'POST', `/networks/${network}/actions/add_route`, {
    destination: '0.0.0.0/0',
    gateway: GATEWAY_IP,
  });
  assert.equal(routed.status, 201, JSON.stringify(routed.body));
  return { network, gateway: ip };
}

async function privateServer(sandbox: Sandbox, network: number, userData: string): Promise<void> {
  await createServer(sandbox, 'private', userData, {
    networks: [network],
    public_net: { enable_ipv4: false, enable_ipv6: false },
  });
}

const machine = (sandbox: Sandbox, name: string) => {
  const found = sandbox.machines.list().find((candidate) => candidate.name === name);
  assert.ok(found, `no machine "${name}"`);
  return found;
};

describe('a machine without a public address', () => {
  const { start, closeAll } = sandboxes();
  afterEach(closeAll);
  const startFast = (): Promise<Sandbox> =>
    start({ hetzner: { durationFactor: 0 }, machines: { bootSeconds } });

  it('joins through a gateway that forwards and masquerades', async () => {
    const sandbox = await startFast();
    const { network, gateway } = await gatewayNetwork(
      sandbox,
      cloudConfig({ write_files: forwarding, runcmd: applied }),
    );
    await sandbox.advance(60);
    await privateServer(
      sandbox,
      network,
      joiningConfig(await tailnetKey(sandbox), 'private', { bootcmd: route }),
    );
    await sandbox.advance(60);
    assert.equal(machine(sandbox, 'private').state, 'ready', machine(sandbox, 'private').log);
    assert.equal((await tailnetDevices(sandbox)).length, 1);
    assert.equal((await ssh(gateway, 'sysctl -n net.ipv4.ip_forward')).out, '1\n');
    assert.match((await ssh(gateway, 'nft list ruleset')).out, /masquerade/);
  });

  for (const { name, gateway, worker: own, says } of [
    {
      name: 'the gateway does not forward',
      gateway: { write_files: forwarding, runcmd: applied.slice(1) },
      worker: { bootcmd: route },
      says: /does not forward/,
    },
    {
      name: 'the gateway does not masquerade',
      gateway: { write_files: forwarding, runcmd: applied.slice(0, 1) },
      worker: { bootcmd: route },
      says: /no source NAT/,
    },
    {
      name: 'it sets no default route',
      gateway: { write_files: forwarding, runcmd: applied },
      worker: { bootcmd: route.slice(1) },
      says: /no default route/,
    },
    {
      name: 'it sets no resolvers',
      gateway: { write_files: forwarding, runcmd: applied },
      worker: { bootcmd: route.slice(0, 1) },
      says: /no resolvers/,
    },
    {
      name: 'its route comes only after the packages',
      gateway: { write_files: forwarding, runcmd: applied },
      worker: { write_files: [{ path: '/opt/route', content: route.join('\n') }], bootcmd: ['/opt/route'] },
      says: /\/opt\/route: not found/,
    },
  ])
    it(`fails as in life when ${name}`, async () => {
      const sandbox = await startFast();
      const { network } = await gatewayNetwork(sandbox, cloudConfig(gateway));
      await sandbox.advance(60);
      await privateServer(sandbox, network, joiningConfig(await tailnetKey(sandbox), 'private', own));
      await sandbox.advance(300);
      const { state, log } = machine(sandbox, 'private');
      assert.equal(state, 'failed', log);
      assert.match(log, says);
      assert.match(log, /Temporary failure resolving/);
      assert.deepEqual(await tailnetDevices(sandbox), []);
    });

  it('fails without any route out of its network', async () => {
    const sandbox = await startFast();
    const { network } = await gatewayNetwork(sandbox, cloudConfig());
    await hetzner(sandbox, 'POST', `/networks/${network}/actions/delete_route`, {
      destination: '0.0.0.0/0',
      gateway: GATEWAY_IP,
    });
    await sandbox.advance(60);
    await privateServer(
      sandbox,
      network,
      joiningConfig(await tailnetKey(sandbox), 'private', { bootcmd: route }),
    );
    await sandbox.advance(300);
    assert.equal(machine(sandbox, 'private').state, 'failed');
    assert.match(machine(sandbox, 'private').log, /no public address and no network route/);
  });

  for (const { waits, expected } of [
    { waits: true, expected: 'ready' },
    { waits: false, expected: 'failed' },
  ])
    it(`is ${expected} when the gateway comes up later and the document ${waits ? 'waits' : 'does not wait'}`, async () => {
      const sandbox = await startFast();
      const { network } = await gatewayNetwork(
        sandbox,
        cloudConfig({ write_files: forwarding, runcmd: applied }),
      );
      const loop = 'for i in $(seq 60); do curl -s http://mirror.hetzner.com && break; sleep 5; done';
      const config = joiningConfig(await tailnetKey(sandbox), 'private', {
        bootcmd: waits ? [...route, loop] : route,
      });
      sandbox.machines.changeSettings({ ...sandbox.machines.settings, bootSeconds: { min: 10, max: 10 } });
      await privateServer(sandbox, network, config);
      await sandbox.advance(180);
      assert.equal(machine(sandbox, 'gateway').state, 'ready');
      assert.equal(machine(sandbox, 'private').state, expected, machine(sandbox, 'private').log);
    });

  it('needs no network when its document asks for nothing from it', async () => {
    const sandbox = await startFast();
    const { network } = await gatewayNetwork(sandbox, cloudConfig());
    await privateServer(sandbox, network, cloudConfig({ hostname: 'quiet' }));
    await sandbox.advance(60);
    assert.equal(machine(sandbox, 'private').state, 'ready');
  });
});

describe('the documents that this project renders', () => {
  const { start, closeAll } = sandboxes();
  afterEach(closeAll);
  const startFast = (): Promise<Sandbox> =>
    start({ hetzner: { durationFactor: 0 }, machines: { bootSeconds } });
  const access = { ...sshSettings, port: SSH_PORT, authorizedKeys: [loginKey.public] };

  it('bring up the NAT machine, and a private worker behind it that was made at the same time', async () => {
    const sandbox = await startFast();
    const joins = async () => ({
      ...tailscaleSettings,
      tags: ['tag:worker'],
      authKey: await tailnetKey(sandbox),
    });
    const gateway = gatewayDocument({
      environment: 'staging',
      hostname: 'staging-nat',
      os: os('debian-12'),
      ssh: access,
      cidr: '10.20.0.0/16',
      tailscale: await joins(),
    });
    const privateWorker = workerDocument({
      ...worker,
      ssh: access,
      tailscale: await joins(),
      network: { kind: 'private-only', gateway: '10.20.0.1', cidr: '10.20.0.0/16' },
    });
    const { network, gateway: address } = await gatewayNetwork(sandbox, render(gateway).userData);
    await privateServer(sandbox, network, render(privateWorker).userData);
    await sandbox.advance(400);
    for (const name of ['gateway', 'private'])
      assert.equal(machine(sandbox, name).state, 'ready', machine(sandbox, name).log);
    const names = (await tailnetDevices(sandbox)).map(({ hostname }) => hostname).sort();
    assert.deepEqual(names, ['staging-ci-000a', 'staging-nat']);
    assert.match((await ssh(address, 'nft list ruleset')).out, /masquerade/);
    const [onTailnet = ''] = machine(sandbox, 'private').tailnetAddresses;
    assert.equal((await ssh(onTailnet, 'hostname')).out, 'staging-ci-000a\n');
  });
});
