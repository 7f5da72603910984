import { ipBytes, macBytes } from './frames';

/** What a machine learns of its private network. */
export interface Lease {
  ip: string;
  mac: string;
  gateway: string;
  /** Networks that are reached through the gateway. */
  destinations: readonly string[];
}

const COOKIE = 0x63825363;
const DISCOVER = 1;
const REQUEST = 3;
const OFFER = 2;
const ACKNOWLEDGE = 5;
const LEASE_SECONDS = 86_400;
/** Private networks of the vendor carry an encapsulated packet. */
const MTU = 1450;

/** The answer to a DHCP message (RFC 2131), or undefined when it is none that needs one. */
export function dhcpAnswer(message: Buffer, lease: Lease): Buffer | undefined {
  if (message.length < 244 || message[0] !== 1 || message.readUInt32BE(236) !== COOKIE) return undefined;
  const asked = optionOf(message, 53)?.[0];
  if (asked !== DISCOVER && asked !== REQUEST) return undefined;
  const wanted = optionOf(message, 50);
  // Another server's lease, of an image that was a machine elsewhere: the machine asks anew when nobody answers.
  if (asked === REQUEST && wanted !== undefined && wanted.join('.') !== lease.ip) return undefined;
  const head = Buffer.alloc(240);
  head[0] = 2;
  head[1] = 1;
  head[2] = 6;
  message.copy(head, 4, 4, 8);
  Buffer.from(ipBytes(lease.ip)).copy(head, 16);
  Buffer.from(ipBytes(lease.gateway)).copy(head, 20);
  Buffer.from(macBytes(lease.mac)).copy(head, 28);
  head.writeUInt32BE(COOKIE, 236);
  const seconds = Buffer.alloc(4);
  seconds.writeUInt32BE(LEASE_SECONDS);
  return Buffer.concat([
    head,
    option(53, [asked === DISCOVER ? OFFER : ACKNOWLEDGE]),
    option(54, ipBytes(lease.gateway)),
    option(51, seconds),
    option(1, [255, 255, 255, 255]),
    option(26, [MTU >> 8, MTU & 255]),
    option(121, classlessRoutes(lease)),
    Buffer.from([255]),
  ]);
}

/** The machine's own network has no other member (/32): first how to reach the gateway, then what lies behind it. */
function classlessRoutes({ gateway, destinations }: Lease): number[] {
  return [
    ...[32, ...ipBytes(gateway), 0, 0, 0, 0],
    ...destinations.flatMap((destination) => {
      const [network = '', bits = '32'] = destination.split('/');
      return [Number(bits), ...ipBytes(network).slice(0, Math.ceil(Number(bits) / 8)), ...ipBytes(gateway)];
    }),
  ];
}

const option = (code: number, value: Buffer | number[]): Buffer =>
  Buffer.concat([Buffer.from([code, value.length]), Buffer.from(value)]);

function optionOf(message: Buffer, wanted: number): Buffer | undefined {
  for (let at = 240; at + 1 < message.length && message[at] !== 255;) {
    const [code = 0, length = 0] = [message[at], message[at + 1]];
    if (code === 0) at += 1;
    else if (code === wanted) return message.subarray(at + 2, at + 2 + length);
    else at += 2 + length;
  }
  return undefined;
}
