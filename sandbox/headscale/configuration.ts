import { join } from 'node:path';
import { stringify } from 'yaml';
import { HOST_ADDRESS } from '../kernel/guest-network';

/** Where the control server and what belongs to it listen, all on the loopback interface. */
export interface Ports {
  /** HTTP: machines, their relayed packets, and the API. */
  control: number;
  /** The relay as machines speak to it, over TLS. */
  relay: number;
  /** UDP: tells machines how they look from outside. */
  stun: number;
}

/** Headscale takes no ephemeral machine away sooner after it went offline. */
const SHORTEST_REMOVAL = 66;

/** Headscale's configuration. Everything it keeps is in `folder`. */
export function configuration(
  folder: string,
  ports: Ports,
  tailnet: { name: string; ephemeralRemovalAfter: number },
): string {
  return stringify({
    server_url: `http://${HOST_ADDRESS}:${ports.control}`,
    listen_addr: `127.0.0.1:${ports.control}`,
    metrics_listen_addr: '127.0.0.1:0',
    unix_socket: socketIn(folder),
    unix_socket_permission: '0600',
    noise: { private_key_path: join(folder, 'noise.key') },
    database: { type: 'sqlite', sqlite: { path: join(folder, 'tailnet.sqlite'), write_ahead_log: true } },
    prefixes: { v4: '100.64.0.0/10', v6: 'fd7a:115c:a1e0::/48', allocation: 'sequential' },
    policy: { mode: 'database' },
    ephemeral_node_inactivity_timeout: `${Math.max(SHORTEST_REMOVAL, tailnet.ephemeralRemovalAfter)}s`,
    dns: {
      magic_dns: true,
      base_domain: tailnet.name,
      // Names of everybody else are the machine's own resolvers' affair.
      override_local_dns: false,
      nameservers: { global: [] },
    },
    derp: {
      server: {
        enabled: true,
        region_id: 900,
        region_code: 'sandbox',
        region_name: 'The local cloud',
        stun_listen_addr: `127.0.0.1:${ports.stun}`,
        private_key_path: join(folder, 'relay.key'),
        automatically_add_embedded_derp_region: false,
      },
      urls: [],
      paths: [relayMapIn(folder)],
      auto_update_enabled: false,
    },
    logtail: { enabled: false },
    disable_check_updates: true,
    log: { format: 'text', level: 'info' },
  });
}

/**
 * The relay by the two addresses that it has: this machine's own, which a guest finds closed at once and passes over,
 * and the one under which guests see this machine.
 */
export function relayMap(ports: Ports): string {
  const node = (name: string, address: string): object => ({
    name,
    regionid: 900,
    hostname: address,
    ipv4: address,
    ipv6: 'none',
    stunport: ports.stun,
    derpport: ports.relay,
    // What it relays is encrypted from machine to machine, and nobody vouches for a relay of the loopback interface.
    insecurefortests: true,
  });
  const region = {
    regionid: 900,
    regioncode: 'sandbox',
    regionname: 'The local cloud',
    nodes: [node('900a', '127.0.0.1'), node('900b', HOST_ADDRESS)],
  };
  // Its number has to stay one, which it would not as the name of a field.
  return stringify({ regions: new Map([[900, region]]) });
}

export const socketIn = (folder: string): string => join(folder, 'control.sock');
export const relayMapIn = (folder: string): string => join(folder, 'relays.yaml');
