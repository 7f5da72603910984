import { formatCidr, formatIp, includes, overlaps, parseCidr, parseIp, type Cidr } from './cidr';
import { ApiError, invalidField } from './errors';
import type { Network, Project } from './state';

/** Gateway of the public network's default route; never handed out. */
const RESERVED_ADDRESS = '172.31.1.1';
const DEFAULT_SUBNET_BITS = 24;

/** A stored range; the API has checked it before. */
export function rangeOf(text: string): Cidr {
  const range = parseCidr(text);
  if (!range) throw new Error(`stored range "${text}" is not a CIDR`);
  return range;
}

/** The network's own address: the first of its whole range, whatever the subnet. */
export const gatewayOf = (network: Network): string => formatIp(rangeOf(network.ipRange).first + 1);

/** Every address that servers have in the network, alias addresses included. */
export function usedAddresses(project: Project, networkId: number): Set<string> {
  const used = new Set<string>();
  for (const server of Object.values(project.servers)) {
    for (const attachment of server.privateNet) {
      if (attachment.network !== networkId) continue;
      used.add(attachment.ip);
      for (const alias of attachment.aliasIps) used.add(alias);
    }
  }
  return used;
}

/**
 * Draws an address for a server: the one that was asked for, else the first free one of the subnet that was
 * asked for, else of the network's last subnet.
 * @throws ApiError no_subnet_available, ip_not_available, invalid_input
 */
export function allocateAddress(
  project: Project,
  network: Network,
  wish: { ip?: string | undefined; ipRange?: string | undefined },
): string {
  if (network.subnets.length === 0) throw noSubnet();
  if (wish.ip !== undefined) {
    checkFreeAddress(project, network, wish.ip, 'ip');
    return wish.ip;
  }
  const subnet =
    wish.ipRange === undefined
      ? network.subnets.at(-1)
      : network.subnets.find((candidate) => candidate.ipRange === wish.ipRange);
  if (!subnet) throw noSubnet();
  const used = usedAddresses(project, network.id);
  const range = rangeOf(subnet.ipRange);
  for (let address = range.first; address <= range.last; address += 1) {
    const text = formatIp(address);
    if (!isReserved(network, address) && !used.has(text)) return text;
  }
  throw noSubnet();
}

/** @throws ApiError when the address is outside every subnet, reserved or taken */
export function checkFreeAddress(project: Project, network: Network, ip: string, field: string): void {
  const address = parseIp(ip);
  if (address === undefined) throw invalidField(field, 'must be a valid IPv4 address');
  const inSubnet = network.subnets.some((subnet) => includes(rangeOf(subnet.ipRange), address));
  if (!inSubnet) throw invalidField(field, 'is not in a subnet of the network');
  if (isReserved(network, address) || usedAddresses(project, network.id).has(ip)) {
    throw new ApiError(422, 'ip_not_available', `IP ${ip} is not available`);
  }
}

/** The first /24 of the network that no subnet uses. @throws ApiError when none is left */
export function freeSubnetRange(network: Network): string {
  const whole = rangeOf(network.ipRange);
  const bits = Math.max(DEFAULT_SUBNET_BITS, whole.bits);
  const size = 2 ** (32 - bits);
  const taken = network.subnets.map((subnet) => rangeOf(subnet.ipRange));
  for (let first = whole.first; first <= whole.last; first += size) {
    const candidate = { first, last: first + size - 1, bits };
    if (!taken.some((range) => overlaps(range, candidate))) return formatCidr(candidate);
  }
  throw invalidField('ip_range', 'no free range is left in the network');
}

/** First and last address of the network and of each subnet, the gateway, and the vendor's own. */
function isReserved(network: Network, address: number): boolean {
  const whole = rangeOf(network.ipRange);
  return (
    address === whole.first ||
    address === whole.first + 1 ||
    address === whole.last ||
    formatIp(address) === RESERVED_ADDRESS ||
    network.subnets.some((subnet) => {
      const range = rangeOf(subnet.ipRange);
      return range.bits < 31 && (address === range.first || address === range.last);
    })
  );
}

const noSubnet = (): ApiError =>
  new ApiError(422, 'no_subnet_available', 'no subnet or IP is available for the server in the network');
