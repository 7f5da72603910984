/** IPv4 ranges as numbers, for networks and firewall rules. */
export interface Cidr {
  /** First address. */
  first: number;
  /** Last address. */
  last: number;
  bits: number;
}

/** Reads `10.0.0.0/16`; undefined when it is malformed or has host bits set. */
export function parseCidr(text: string): Cidr | undefined {
  const match = /^([\d.]+)\/(\d{1,2})$/.exec(text);
  const address = match && parseIp(match[1] ?? '');
  const bits = Number(match?.[2]);
  if (typeof address !== 'number' || bits > 32) return undefined;
  const size = 2 ** (32 - bits);
  return address % size === 0 ? { first: address, last: address + size - 1, bits } : undefined;
}

/** Reads a dotted IPv4 address; undefined when it is none. */
export function parseIp(text: string): number | undefined {
  const parts = text.split('.');
  if (parts.length !== 4) return undefined;
  let value = 0;
  for (const part of parts) {
    if (!/^(0|[1-9]\d{0,2})$/.test(part) || Number(part) > 255) return undefined;
    value = value * 256 + Number(part);
  }
  return value;
}

export const formatIp = (value: number): string =>
  [24, 16, 8, 0].map((shift) => Math.floor(value / 2 ** shift) % 256).join('.');

export const formatCidr = (range: Cidr): string => `${formatIp(range.first)}/${range.bits}`;

export const contains = (outer: Cidr, inner: Cidr): boolean =>
  outer.first <= inner.first && inner.last <= outer.last;

export const overlaps = (left: Cidr, right: Cidr): boolean =>
  left.first <= right.last && right.first <= left.last;

export const includes = (range: Cidr, address: number): boolean =>
  range.first <= address && address <= range.last;

const PRIVATE: readonly Cidr[] = ['10.0.0.0/8', '172.16.0.0/12', '192.168.0.0/16'].flatMap(
  (text) => parseCidr(text) ?? [],
);

/** Whether the range lies in RFC 1918 space. */
export const isPrivate = (range: Cidr): boolean => PRIVATE.some((space) => contains(space, range));
