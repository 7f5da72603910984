import ipaddr from 'ipaddr.js';

/**
 * Whether the text is an IPv4 or IPv6 network in CIDR form without host bits, e.g. `10.20.0.0/16`. IPv4 has to be
 * written out: other readers take `010.0.0.0/8` (octal here), `10.20/16` or `167772160/8` for something else.
 */
export function isNetwork(text: string): boolean {
  if (!ipaddr.isValidCIDR(text)) return false;
  const [address, bits] = ipaddr.parseCIDR(text);
  return address.kind() === 'ipv4'
    ? `${ipaddr.IPv4.networkAddressFromCIDR(text).toString()}/${bits}` === text
    : ipaddr.IPv6.networkAddressFromCIDR(text).toString() === address.toString();
}

/** Whether the text is an IPv4 network in CIDR form without host bits. */
export function isIpv4Network(text: string): boolean {
  return isNetwork(text) && ipaddr.parseCIDR(text)[0].kind() === 'ipv4';
}

/** Whether two networks share an address. Networks of different families never do. */
export function overlap(a: string, b: string): boolean {
  const [addressA, bitsA] = ipaddr.parseCIDR(a);
  const [addressB, bitsB] = ipaddr.parseCIDR(b);
  if (addressA.kind() !== addressB.kind()) return false;
  return bitsA <= bitsB ? addressB.match(addressA, bitsA) : addressA.match(addressB, bitsB);
}

/** Bits of the network part: 16 for `10.20.0.0/16`. */
export function prefixLength(cidr: string): number {
  return ipaddr.parseCIDR(cidr)[1];
}

/** The last address that a machine can have, e.g. `10.20.255.254` in `10.20.0.0/16`. */
export function lastAddress(cidr: string): string {
  return addressAt(cidr, 2 ** (32 - prefixLength(cidr)) - 2);
}

/** Whether all of network `inner` lies in network `outer`. */
export function contains(outer: string, inner: string): boolean {
  return overlap(outer, inner) && prefixLength(outer) <= prefixLength(inner);
}

/** The `index`-th address of an IPv4 network, e.g. 1 in `10.20.0.0/16` is `10.20.0.1`. */
export function addressAt(cidr: string, index: number): string {
  const [first] = ipaddr.IPv4.parseCIDR(cidr);
  const value = first.toByteArray().reduce((sum, byte) => sum * 256 + byte, 0) + index;
  return [24, 16, 8, 0].map((shift) => Math.floor(value / 2 ** shift) % 256).join('.');
}
