/** Ethernet frames with IPv4, UDP and TCP inside, as far as a private network's router needs them. */

export const BROADCAST = 'ff:ff:ff:ff:ff:ff';

const ARP = 0x0806;
const IPV4 = 0x0800;
const UDP = 17;
const TCP = 6;
const ETHERNET = 14;
const ACKNOWLEDGE = 0x10;
const RESET = 0x04;

/** A question for the hardware address of an IP address. */
export interface ArpRequest {
  senderMac: string;
  senderIp: string;
  target: string;
}

export interface Udp {
  source: { ip: string; port: number };
  destination: { ip: string; port: number };
  payload: Buffer;
}

/** The ARP request in a frame, if it is one. */
export function arpRequest(frame: Buffer): ArpRequest | undefined {
  if (frame.length < 42 || frame.readUInt16BE(12) !== ARP || frame.readUInt16BE(20) !== 1) return undefined;
  return { senderMac: macAt(frame, 22), senderIp: ipAt(frame, 28), target: ipAt(frame, 38) };
}

/** The answer to an ARP request: `mac` has the address that was asked for. */
export function arpReply(request: ArpRequest, mac: string): Buffer {
  const frame = Buffer.alloc(60);
  writeEthernet(frame, request.senderMac, mac, ARP);
  frame.writeUInt16BE(1, 14); // Ethernet
  frame.writeUInt16BE(IPV4, 16);
  frame[18] = 6;
  frame[19] = 4;
  frame.writeUInt16BE(2, 20);
  writeMac(frame, mac, 22);
  writeIp(frame, request.target, 28);
  writeMac(frame, request.senderMac, 32);
  writeIp(frame, request.senderIp, 38);
  return frame;
}

/** Where an IPv4 packet is meant to go; undefined for a frame without one. */
export function destinationOf(frame: Buffer): string | undefined {
  return frame.length >= 34 && frame.readUInt16BE(12) === IPV4 ? ipAt(frame, 30) : undefined;
}

/** The same packet on its next leg. */
export function forwarded(frame: Buffer, to: string, from: string): Buffer {
  const copy = Buffer.from(frame);
  writeMac(copy, to, 0);
  writeMac(copy, from, 6);
  return copy;
}

/** The UDP datagram in a frame, if it is one. */
export function udpOf(frame: Buffer): Udp | undefined {
  if (destinationOf(frame) === undefined || frame[23] !== UDP) return undefined;
  const start = startOfPayload(frame);
  if (frame.length < start + 8) return undefined;
  const length = frame.readUInt16BE(start + 4);
  return {
    source: { ip: ipAt(frame, 26), port: frame.readUInt16BE(start) },
    destination: { ip: ipAt(frame, 30), port: frame.readUInt16BE(start + 2) },
    payload: frame.subarray(start + 8, start + length),
  };
}

export function udpFrame(macs: { to: string; from: string }, { source, destination, payload }: Udp): Buffer {
  const frame = Buffer.alloc(ETHERNET + 28 + payload.length);
  writeEthernet(frame, macs.to, macs.from, IPV4);
  writeIpv4(frame, UDP, { source: source.ip, destination: destination.ip, length: 8 + payload.length });
  // The UDP checksum stays 0: none was made (RFC 768).
  frame.writeUInt16BE(source.port, 34);
  frame.writeUInt16BE(destination.port, 36);
  frame.writeUInt16BE(8 + payload.length, 38);
  payload.copy(frame, 42);
  return frame;
}

/**
 * What ends the connection that a TCP segment belongs to (RFC 9293, 3.5.2); undefined for a frame without one, for a
 * segment that opens a connection, and for one that ends it itself.
 */
export function resetOf(frame: Buffer, macs: { to: string; from: string }): Buffer | undefined {
  if (destinationOf(frame) === undefined || frame[23] !== TCP) return undefined;
  const start = startOfPayload(frame);
  const flags = frame[start + 13] ?? 0;
  if (frame.length < start + 20 || (flags & (ACKNOWLEDGE | RESET)) !== ACKNOWLEDGE) return undefined;
  const reset = Buffer.alloc(ETHERNET + 40);
  writeEthernet(reset, macs.to, macs.from, IPV4);
  writeIpv4(reset, TCP, { source: ipAt(frame, 30), destination: ipAt(frame, 26), length: 20 });
  frame.copy(reset, 34, start + 2, start + 4);
  frame.copy(reset, 36, start, start + 2);
  frame.copy(reset, 38, start + 8, start + 12);
  reset[46] = 0x50;
  reset[47] = RESET;
  const pseudoHeader = Buffer.from([...reset.subarray(26, 34), 0, TCP, 0, 20]);
  reset.writeUInt16BE(checksum(Buffer.concat([pseudoHeader, reset.subarray(34)])), 50);
  return reset;
}

export const ipBytes = (ip: string): number[] => ip.split('.').map(Number);

export const macBytes = (mac: string): number[] => mac.split(':').map((octet) => Number.parseInt(octet, 16));

/** The internet checksum of an even number of bytes whose own checksum is still 0 (RFC 1071). */
function checksum(header: Buffer): number {
  let sum = 0;
  for (let at = 0; at < header.length; at += 2) sum += header.readUInt16BE(at);
  while (sum > 0xffff) sum = (sum & 0xffff) + (sum >>> 16);
  return ~sum & 0xffff;
}

function writeEthernet(frame: Buffer, to: string, from: string, type: number): void {
  writeMac(frame, to, 0);
  writeMac(frame, from, 6);
  frame.writeUInt16BE(type, 12);
}

function writeIpv4(
  frame: Buffer,
  protocol: number,
  { source, destination, length }: { source: string; destination: string; length: number },
): void {
  frame[14] = 0x45;
  frame.writeUInt16BE(20 + length, 16);
  frame[22] = 64;
  frame[23] = protocol;
  writeIp(frame, source, 26);
  writeIp(frame, destination, 30);
  frame.writeUInt16BE(checksum(frame.subarray(14, 34)), 24);
}

function writeMac(frame: Buffer, mac: string, at: number): void {
  Buffer.from(macBytes(mac)).copy(frame, at);
}

function writeIp(frame: Buffer, ip: string, at: number): void {
  Buffer.from(ipBytes(ip)).copy(frame, at);
}

/** Where what an IPv4 packet carries begins: its header may have options. */
const startOfPayload = (frame: Buffer): number => ETHERNET + ((frame[ETHERNET] ?? 0) & 15) * 4;

const macAt = (frame: Buffer, at: number): string =>
  [...frame.subarray(at, at + 6)].map((octet) => octet.toString(16).padStart(2, '0')).join(':');

const ipAt = (frame: Buffer, at: number): string => frame.subarray(at, at + 4).join('.');
