import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { gatewayDocument, workerDocument } from '../../cloud-init';
import { bare, gateway, worker } from './machines';
import { contentOf, inFolder, need } from './programs';

const rules = '/etc/worker-pools/firewall.nft';
const documents = { worker: workerDocument(worker), gateway: gatewayDocument(gateway) };

/** Runs shell in a network of its own, with the rules in a file named $RULES. */
function inNetwork(ruleText: string, program: string, as = ['--map-root-user']) {
  return inFolder((folder) => {
    const path = join(folder, 'rules.nft');
    writeFileSync(path, ruleText);
    const { status, stdout, stderr } = spawnSync('unshare', [...as, '--net', 'sh', '-ec', program], {
      encoding: 'utf8',
      env: { PATH: '/usr/sbin:/usr/bin:/sbin:/bin', RULES: path },
    });
    assert.equal(status, 0, stderr);
    return stdout;
  });
}

describe('the firewall rules', function () {
  this.timeout(60_000);
  before(() => need('nft', 'nftables'));

  for (const [name, document] of Object.entries(documents))
    it(`of a ${name} load, also a second time, and leave other tables alone`, async () => {
      const listed = await inNetwork(
        contentOf(document, rules),
        'nft add table inet theirs; nft -f $RULES; nft -f $RULES; nft list ruleset',
      );
      assert.match(listed, /table inet theirs/);
      assert.equal(listed.match(/table inet worker_pools/g)?.length, 1);
      assert.equal(listed.match(/ip daddr 169\.254\.169\.254 meta skuid != 0 reject/g)?.length, 1);
      assert.equal(listed.match(/ip6 daddr fe80::a9fe:a9fe meta skuid != 0 reject/g)?.length, 1);
    });

  it('of a worker drop what containers send to the metadata service, and nothing else that is forwarded', async () => {
    const listed = await inNetwork(
      contentOf(documents.worker, rules),
      'nft -f $RULES; nft list chain inet worker_pools forward',
    );
    assert.match(
      listed,
      /policy accept;\s+ip daddr 169\.254\.169\.254 drop\s+ip6 daddr fe80::a9fe:a9fe drop\s+}/,
    );
  });

  it('of the NAT machine forward and masquerade only what leaves the network, never to link-local addresses', async () => {
    const listed = await inNetwork(contentOf(documents.gateway, rules), 'nft -f $RULES; nft list ruleset');
    assert.match(
      listed,
      /hook forward priority filter; policy drop;\s+ip daddr 169\.254\.0\.0\/16 drop\s+ct state established,related accept\s+ip saddr 10\.20\.0\.0\/16 ip daddr != 10\.20\.0\.0\/16 accept\s+}/,
    );
    assert.match(
      listed,
      /hook postrouting priority srcnat; policy accept;\s+ip saddr 10\.20\.0\.0\/16 ip daddr != 10\.20\.0\.0\/16 masquerade\s+}/,
    );
    assert.equal(
      contentOf(documents.gateway, '/etc/sysctl.d/90-worker-pools.conf'),
      'net.ipv4.ip_forward=1\n',
    );
  });

  // Becoming another user in a network of one's own takes the real root.
  const whenRoot = process.getuid?.() === 0 ? it : () => undefined;
  whenRoot('let root and nobody else reach the metadata service', async () => {
    need('curl', 'curl');
    const program = `ip link set lo up
ip addr add 169.254.169.254/32 dev lo
/usr/bin/python3 -m http.server 80 --bind 169.254.169.254 >/dev/null 2>&1 &
ask() { "$@" curl -so /dev/null --retry 20 --retry-connrefused --retry-delay 1 http://169.254.169.254/; }
ask env
nft -f $RULES
ask env && echo root
setpriv --reuid=65534 --clear-groups curl -so /dev/null -m 5 http://169.254.169.254/ || echo not nobody
kill $!
`;
    const said = await inNetwork(contentOf(documents.worker, rules), program, []);
    assert.equal(said, 'root\nnot nobody\n');
  });

  it('are the same whatever else the worker does', () => {
    assert.equal(contentOf(workerDocument(bare), rules), contentOf(documents.worker, rules));
  });
});
