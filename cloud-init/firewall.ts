import { file, settings, type Section } from './section';

/** The metadata service, which hands the machine's user data to whoever may ask. */
const metadata = { ipv4: '169.254.169.254', ipv6: 'fe80::a9fe:a9fe' };
const rules = `${settings}/firewall.nft`;

/**
 * Closes the metadata service to containers and to every user but root.
 *
 * A table of its own: a packet passes the base chains of every table, so what is dropped here stays dropped
 * whatever Docker's own chains accept.
 */
export function metadataGuard(): Section {
  return {
    name: 'firewall',
    packages: ['nftables'],
    files: [
      ruleFile(`${outputGuard}chain forward {
type filter hook forward priority 0
ip daddr ${metadata.ipv4} drop
ip6 daddr ${metadata.ipv6} drop
}
`),
    ],
    step: load,
  };
}

/**
 * The NAT machine: forwards and masquerades what comes from the network and leaves it, and nothing else.
 *
 * Addresses say which packets those are, so no interface needs a name. Link-local destinations are never
 * forwarded: a worker could otherwise read the NAT machine's metadata through it.
 */
export function sourceNat(cidr: string): Section {
  const leaving = `ip saddr ${cidr} ip daddr != ${cidr}`;
  return {
    name: 'firewall',
    packages: ['nftables'],
    files: [
      ruleFile(`${outputGuard}chain forward {
type filter hook forward priority 0; policy drop
ip daddr 169.254.0.0/16 drop
ct state established,related accept
${leaving} accept
}
chain postrouting {
type nat hook postrouting priority 100
${leaving} masquerade
}
`),
      file('/etc/sysctl.d/90-worker-pools.conf', 'net.ipv4.ip_forward=1\n'),
    ],
    step: `${load}systemctl restart systemd-sysctl\n`,
  };
}

const outputGuard = `chain output {
type filter hook output priority 0
ip daddr ${metadata.ipv4} meta skuid != 0 reject
ip6 daddr ${metadata.ipv6} meta skuid != 0 reject
}
`;

function ruleFile(chains: string) {
  const table = 'table inet worker_pools';
  return file(rules, `${table}\ndelete ${table}\n${table} {\n${chains}}\n`);
}

/** Loaded at once, without flushing Docker's rules, and by the distribution's own unit at every boot. */
const load = `chmod 700 /var/lib/cloud
echo 'include "${rules}"' >>/etc/nftables.conf
nft -f ${rules}
systemctl -q enable nftables
`;
