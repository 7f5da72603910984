import assert from 'node:assert/strict';
import { BootWorld, NAT_MACHINE } from './boot-world';
import { BOOT_SECONDS, debianPool, workerOf } from './pools';

const MINUTE = 60_000;

describe('a worker without a public address, behind a NAT machine, both booted for real', function () {
  this.timeout(5 * MINUTE);
  let boot: BootWorld;
  let machine: string;

  before('comes up for a job that waits', async function () {
    this.timeout(25 * MINUTE);
    boot = await BootWorld.start(() => ({
      config: {
        network: {
          cidr: '10.20.0.0/16',
          zone: 'eu-central',
          natGateway: { serverType: 'cx23', location: 'fsn1', image: 'debian-12' },
        },
      },
      pools: { ci: { ...debianPool, publicNetwork: { ipv4: false, ipv6: false } } },
    }));
    await boot.addJobs('ci', 1);
    await boot.until('a worker of ci is ready', () => boot.isReady('ci'), BOOT_SECONDS);
    ({ machine } = await workerOf(boot, 'ci'));
  });
  after(() => boot?.close());

  it('got its packages and registered through the NAT machine', async () => {
    const log = await boot.ssh(machine, 'cat /var/log/cloud-init-output.log');
    assert.match(log, /worker-pools: route: 10\.20\.0\.1 forwards/);
    assert.ok(log.indexOf('forwards') < log.indexOf('worker-pools: clock synchronised'), log);
    const routes = await boot.ssh(machine, 'ip -4 route show default');
    assert.match(routes, /^default via 10\.20\.0\.1 dev eth0 onlink/m);
    const translated = await boot.ssh(NAT_MACHINE, 'nft list table inet worker_pools');
    assert.match(translated, /ip saddr 10\.20\.0\.0\/16 ip daddr != 10\.20\.0\.0\/16 masquerade/);
  });

  it('went through cloud-init without an error, as the NAT machine did', async () => {
    for (const name of [machine, NAT_MACHINE])
      assert.match(await boot.ssh(name, 'cloud-init status --long'), /^status: done$/m);
  });

  it('reads its own metadata, and not the NAT machine’s', async () => {
    const url = 'http://169.254.169.254/hetzner/v1/metadata/hostname';
    const fetch = `curl -s -m 20 ${url}`;
    assert.equal(await boot.ssh(machine, fetch), machine);
    assert.equal(await boot.ssh(NAT_MACHINE, fetch), NAT_MACHINE);
  });

  it('is gone when the pool is empty, and the NAT machine stays', async () => {
    await boot.takeJobsBack('ci');
    await boot.scale('ci', 0);
    await boot.until('the pool is empty', () => boot.isEmpty('ci'), 300);
    assert.deepEqual(boot.world.servers(), [NAT_MACHINE]);
  });
});
