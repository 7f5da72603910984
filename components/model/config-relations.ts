import { z } from 'zod';
import { supportedImages } from '../../cloud-init';
import { contains, overlap, prefixLength } from './cidr';
import {
  accessSchema,
  networkSchema,
  poolSchema,
  type DnsConfig,
  type PoolConfig,
  type StackConfig,
} from './config-schema';
import type { ConfigFault } from './errors';
import { PLACEMENT_GROUP_CAPACITY } from './membership';
import { didYouMean } from './near-matches';
import { isPrivateOnly, sizeBounds } from './pool';
import { CONFIG_NAMESPACE } from './schema-faults';

/** Smallest private network: room for every server that one network takes, twice over. */
const LONGEST_PREFIX = 24;
/** Overlaps everything by its nature. */
const DEFAULT_ROUTE = '0.0.0.0/0';
/** Placement groups in one project (docs.hetzner.com, Placement Groups, "Limits"). */
const PLACEMENT_GROUP_LIMIT = 50;
/** Servers attached to one private network (docs.hetzner.com, Networks FAQ). */
const NETWORK_ATTACHMENT_LIMIT = 100;
/** What a network's range must lie in (docs.hetzner.cloud, Networks, "Create a Network"). */
const PRIVATE_RANGES = ['10.0.0.0/8', '172.16.0.0/12', '192.168.0.0/16'];
/** Ranges that machines of this project already use for something else. */
const RESERVED_RANGES = [
  { range: '100.64.0.0/10', use: 'tailnet addresses' },
  { range: '172.17.0.0/16', use: "Docker's default bridge" },
  { range: '169.254.0.0/16', use: 'link-local addresses, the metadata service among them' },
  { range: '172.31.1.1/32', use: "Hetzner's public gateway" },
];

/** What contradicts what between the parts of a file that is well formed. */
export function relationFaults(config: StackConfig): ConfigFault[] {
  return [
    ...accessFaults(config),
    ...networkFaults(config),
    ...dnsFaults(config),
    ...Object.entries(config.pools).flatMap(([name, pool]) => poolFaults(config, name, pool)),
    ...limitFaults(config),
  ];
}

/** The relations between those sections that parse, for a file in which others do not: nothing waits for the next try. */
export function partialRelationFaults(raw: Record<string, unknown>): ConfigFault[] {
  const access = accessSchema.safeParse(raw['access']);
  const network = networkSchema.optional().safeParse(raw['network']);
  const pools = z.record(z.string(), z.unknown()).safeParse(raw['pools']).data ?? {};
  const surroundings =
    access.success && network.success ? { access: access.data, network: network.data } : undefined;
  return [
    ...(access.success ? accessFaults({ access: access.data }) : []),
    ...(network.success ? networkFaults({ network: network.data }) : []),
    ...Object.entries(pools).flatMap(([name, value]) => {
      const pool = poolSchema.safeParse(value);
      return surroundings && pool.success ? poolFaults(surroundings, name, pool.data) : [];
    }),
  ];
}

function accessFaults({ access }: Pick<StackConfig, 'access'>): ConfigFault[] {
  if (access.connectivity === 'tailscale' && access.tags.length === 0) {
    return [
      fault(
        'access.tags',
        'is empty: keys from an OAuth client must carry at least one tag, e.g. tag:worker',
      ),
    ];
  }
  if (access.connectivity === 'direct' && access.ssh.from.length === 0) {
    return [
      fault(
        'access.ssh.from',
        'is empty: in direct mode, name the networks that may open SSH, e.g. 203.0.113.7/32',
      ),
    ];
  }
  return [];
}

function networkFaults({ network }: Pick<StackConfig, 'network'>): ConfigFault[] {
  if (!network || 'stack' in network) return [];
  const { cidr, natGateway } = network;
  const destinations = natGateway?.destinations ?? [];
  const crossing = destinations.flatMap((range, index) => {
    if (range === DEFAULT_ROUTE) return [];
    const other = [cidr, ...destinations.slice(0, index)].find(
      (earlier) => earlier !== DEFAULT_ROUTE && overlap(range, earlier),
    );
    if (!other) return [];
    return [
      fault(
        `network.natGateway.destinations[${index}]`,
        `${range} overlaps ${other}; ranges of one network must not overlap`,
      ),
    ];
  });
  const images = natGateway ? imageFaults('network.natGateway.image', natGateway.image) : [];
  return [...rangeFaults(cidr), ...crossing, ...images];
}

function rangeFaults(cidr: string): ConfigFault[] {
  const at = 'network.cidr';
  const reserved = RESERVED_RANGES.filter(({ range }) => overlap(cidr, range)).map(({ range, use }) =>
    fault(at, `${cidr} overlaps ${range} (${use}); choose another private range, e.g. 10.20.0.0/16`),
  );
  if (reserved.length > 0) return reserved;
  if (!PRIVATE_RANGES.some((range) => contains(range, cidr))) {
    return [
      fault(
        at,
        `${cidr} is not a private range; choose one in ${PRIVATE_RANGES.join(', ')}, e.g. 10.20.0.0/16`,
      ),
    ];
  }
  if (prefixLength(cidr) <= LONGEST_PREFIX) return [];
  return [
    fault(
      at,
      `${cidr} is too small: give at least a /${LONGEST_PREFIX}, so that workers and gateway never meet`,
    ),
  ];
}

function dnsFaults({ dns, pools }: StackConfig): ConfigFault[] {
  if (!dns) return [];
  const names = Object.keys(pools);
  const tenants = Object.entries(dns.tenants)
    .filter(([, pool]) => !names.includes(pool))
    .map(([tenant, pool]) =>
      fault(`dns.tenants.${tenant}`, `there is no pool "${pool}".${didYouMean(pool, names)}`),
    );
  const serving = Object.entries(pools).filter(([, pool]) => pool.workload.traefik);
  const wildcard =
    dns.wildcard && serving.length === 0
      ? [fault('dns.wildcard', 'is on, but no pool serves: give one `workload: { traefik: true }`')]
      : [];
  return [
    ...tenants,
    ...wildcard,
    ...proxyFaults(dns, dns.wildcard ? serving.map(([name]) => name) : [], pools),
  ];
}

/** Cloudflare's proxy reaches public addresses only. */
function proxyFaults(dns: DnsConfig, wildcardPools: string[], pools: StackConfig['pools']): ConfigFault[] {
  if (!dns.proxied) return [];
  const reached = new Set([...wildcardPools, ...Object.values(dns.tenants)]);
  return [...reached]
    .filter((name) => pools[name] && isPrivateOnly(pools[name]))
    .map((name) =>
      fault(
        'dns.proxied',
        `Cloudflare cannot reach pool ${name}, whose workers have no public address: switch proxied off, or give the pool publicNetwork.ipv4`,
      ),
    );
}

function poolFaults(
  config: Pick<StackConfig, 'access' | 'network'>,
  name: string,
  pool: PoolConfig,
): ConfigFault[] {
  const at = `pools.${name}`;
  const faults: ConfigFault[] = imageFaults(`${at}.image`, pool.image);
  if (isPrivateOnly(pool)) {
    if (!config.network) {
      faults.push(
        fault(
          `${at}.publicNetwork`,
          'both families are off, and there is no network: workers would reach nothing; add `network` with a natGateway, or switch one family on',
        ),
      );
    } else if (!('stack' in config.network) && !config.network.natGateway) {
      faults.push(
        fault(
          `${at}.publicNetwork`,
          'both families are off, and network.natGateway is missing: workers could not reach the internet; add network.natGateway, or switch one family on',
        ),
      );
    }
    if (
      pool.waitForReady &&
      config.access.connectivity === 'direct' &&
      config.network &&
      'stack' in config.network
    ) {
      faults.push(
        fault(
          `${at}.waitForReady`,
          "needs a way in: in direct mode, workers without a public address are reached through the NAT gateway of the stack's own network only",
        ),
      );
    }
    if (pool.ingress.length > 0) {
      faults.push(
        fault(`${at}.ingress`, 'opens ports, but workers without a public address have none to open'),
      );
    }
  }
  if (
    config.access.connectivity === 'direct' &&
    !pool.publicNetwork.ipv4 &&
    !isPrivateOnly(pool) &&
    pool.waitForReady
  ) {
    faults.push(
      fault(`${at}.waitForReady`, 'needs an address for SSH: in direct mode, switch publicNetwork.ipv4 on'),
    );
  }
  if (pool.queue && 'fixed' in pool.size) {
    faults.push(
      fault(`${at}.queue`, 'a pool of fixed size follows no queue: give size min and max, or drop the queue'),
    );
  }
  return faults;
}

function imageFaults(path: string, image: string): ConfigFault[] {
  if (supportedImages.includes(image)) return [];
  return [
    fault(
      path,
      `machines cannot be set up from the image "${image}".${didYouMean(image, supportedImages)} There are: ${supportedImages.join(', ')}.`,
    ),
  ];
}

function limitFaults({ pools, network }: StackConfig): ConfigFault[] {
  const faults: ConfigFault[] = [];
  const groups = Object.values(pools)
    .filter((pool) => pool.spread)
    .reduce((sum, pool) => sum + Math.ceil(sizeBounds(pool).max / PLACEMENT_GROUP_CAPACITY), 0);
  if (groups > PLACEMENT_GROUP_LIMIT) {
    faults.push(
      fault(
        'pools',
        `at their largest they would need ${groups} placement groups, and a project has ${PLACEMENT_GROUP_LIMIT}: set \`spread: false\` on the large ones`,
      ),
    );
  }
  const workers = Object.values(pools).reduce((sum, pool) => sum + sizeBounds(pool).max, 0);
  if (network && workers > NETWORK_ATTACHMENT_LIMIT) {
    faults.push(
      fault(
        'pools',
        `at their largest they have ${workers} workers, and one private network takes ${NETWORK_ATTACHMENT_LIMIT} servers: lower a max, or put pools into a stack without \`network\``,
      ),
    );
  }
  return faults;
}

function fault(path: string, message: string): ConfigFault {
  return { path: `${CONFIG_NAMESPACE}:${path}`, message };
}
