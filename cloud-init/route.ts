import { defaultResolvers, type Network } from './machine';
import { programs, type Section } from './section';
import { start } from './steps';

type PrivateOnly = Extract<Network, { kind: 'private-only' }>;

/**
 * The way out for a machine without a public address: default route through the network's first IP, and name
 * servers, before the clock and the first package step.
 *
 * The interface is the physical one whose MAC begins with 86 (Hetzner's private networks), or that DHCP gave the
 * route to the network; its name differs by server type. The same small program runs on as a service, because a
 * DHCP renewal or a re-configuration by networkd, netplan or ifupdown may drop the route. It changes the route only
 * when it is missing: every change makes tailscaled look at its links again.
 */
export function route(network: PrivateOnly): Section {
  const resolvers = network.resolvers ?? defaultResolvers;
  return {
    name: 'route',
    bootcmd: setUp(network, resolvers) + waitForForwarding(network.gateway),
    step: start('route'),
  };
}

function setUp({ gateway, cidr }: PrivateOnly, resolvers: readonly string[]): string {
  const servers = resolvers.join(' ');
  return `mkdir -p ${programs} /etc/systemd/resolved.conf.d
cat >${programs}/route <<'END'
#!/bin/sh
while :; do
  for d in /sys/class/net/*/device; do
    d=\${d%/device}
    case "$(cat $d/address) $(ip route show ${cidr} dev \${d##*/})" in
      86:* | *via*) ip route show default via ${gateway} | grep -q . ||
        ip route replace default via ${gateway} dev \${d##*/} onlink ;;
    esac
  done
  grep -qs ^nameserver /etc/resolv.conf || printf 'nameserver %s\\n' ${servers} >/etc/resolv.conf
  [ "$1" != once ] || exit 0
  sleep 5
done
END
chmod 755 ${programs}/route
if [ -d /run/systemd/resolve ]; then
  printf '[Resolve]\\nDNS=${servers}\\n' >/etc/systemd/resolved.conf.d/worker-pools.conf
  timeout 20 systemctl restart systemd-resolved
else
  printf 'nameserver %s\\n' ${servers} >/etc/resolv.conf
fi
`;
}

/**
 * Up to about five minutes: the NAT machine may still be booting. A name looked up proves the way there and back,
 * and that the name servers answer. The name is a package archive that the machine itself is set up with,
 * in any of apt's formats: the package steps need it anyway, and an image with a mirror of its own names that.
 */
function waitForForwarding(gateway: string): string {
  return `name=$(cd /etc/apt && grep -Ehros '^[^#]*https?://[^/ ]+' sources.list sources.list.d mirrors | sed 's|.*[/@]||;s|:.*||;q')
n=1
until ${programs}/route once; timeout 5 getent ahostsv4 "$name" >/dev/null; do
  [ $n -lt 40 ] || break
  [ $((n % 4)) -ne 1 ] || echo "worker-pools: route: nothing forwarded by ${gateway} yet, try $n of 40"
  n=$((n + 1))
  sleep 2
done
[ $n -lt 40 ] && echo "worker-pools: route: ${gateway} forwards" ||
  echo "worker-pools: route: gave up waiting for ${gateway} to forward; look at the NAT machine"
`;
}
