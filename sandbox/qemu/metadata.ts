import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { stringify } from 'yaml';
import type { PrivateInterface, ServerStart } from '../kernel/lifecycle';

/** What one machine's metadata service tells. */
export interface MachineFacts {
  server: ServerStart;
  /** Hardware address of its first interface, which cloud-init sets up. */
  firstMac: string;
  networks: PrivateInterface[];
}

export interface MetadataService {
  port: number;
  close(): Promise<void>;
}

const BASE = '/hetzner/v1';
const ZONES: Readonly<Record<string, string>> = {
  ash: 'us-east',
  hil: 'us-west',
  sin: 'ap-southeast',
};

/** Serves one machine's metadata and user data on a port of the loopback interface. */
export async function serveMetadata(facts: MachineFacts): Promise<MetadataService> {
  const answers = answersOf(facts);
  const server = createServer((request, response) => {
    const path = (request.url ?? '').replace(/\/+$/, '');
    const body = answers[path];
    if (body === undefined) response.writeHead(404).end('not found\n');
    else if (body === '') response.writeHead(204).end();
    else response.writeHead(200, { 'content-type': 'text/plain; charset=utf-8' }).end(body);
  });
  await listen(server);
  return {
    port: (server.address() as AddressInfo).port,
    close: async () => {
      const closed = new Promise((resolve) => server.close(resolve));
      server.closeAllConnections();
      await closed;
    },
  };
}

/** Every path with its answer; an empty one is "204 No Content". */
export function answersOf({ server, firstMac, networks }: MachineFacts): Record<string, string> {
  const metadata = {
    'instance-id': server.serverId,
    hostname: server.name,
    'public-ipv4': server.publicIpv4 ?? '',
    region: ZONES[server.location] ?? 'eu-central',
    'availability-zone': `${server.location}-dc1`,
    'public-keys': server.sshPublicKeys,
    'network-config': {
      version: 1,
      config: [
        {
          type: 'physical',
          name: 'eth0',
          mac_address: firstMac,
          subnets: [{ type: 'dhcp', ipv4: true }],
        },
      ],
    },
  };
  const scalar = (name: 'instance-id' | 'hostname' | 'public-ipv4' | 'region' | 'availability-zone') => ({
    [`${BASE}/metadata/${name}`]: String(metadata[name]),
  });
  return {
    [`${BASE}/metadata`]: stringify(metadata),
    ...scalar('instance-id'),
    ...scalar('hostname'),
    ...scalar('public-ipv4'),
    ...scalar('region'),
    ...scalar('availability-zone'),
    [`${BASE}/metadata/public-keys`]: JSON.stringify(server.sshPublicKeys),
    [`${BASE}/metadata/private-networks`]: stringify(networks.map(privateNetwork)),
    [`${BASE}/userdata`]: server.userData ?? '',
  };
}

function privateNetwork(facts: PrivateInterface, index: number): Record<string, unknown> {
  return {
    ip: facts.ip,
    alias_ips: facts.aliasIps,
    interface_num: index + 1,
    mac_address: facts.macAddress,
    network_id: facts.networkId,
    network_name: facts.networkName,
    network: facts.range,
    subnet: facts.range,
    gateway: facts.gateway,
  };
}

async function listen(server: Server): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(0, '127.0.0.1', resolve);
  });
}
