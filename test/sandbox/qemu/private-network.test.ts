import { strict as assert } from 'node:assert';
import { dhcpAnswer } from '../../../sandbox/qemu/network/dhcp';
import {
  arpRequest,
  destinationOf,
  ipBytes,
  macBytes,
  udpFrame,
  udpOf,
} from '../../../sandbox/qemu/network/frames';
import { type Port, Router } from '../../../sandbox/qemu/network/router';

const GATEWAY = '10.20.0.1';
const RESET = 4;
const ACKNOWLEDGE = 16;

describe('a private network of guests', () => {
  let sent: { to: string; frame: Buffer }[];
  let router: Router;
  beforeEach(() => {
    sent = [];
    router = new Router((destination) => (destination.startsWith('10.') ? undefined : '10.20.255.254'));
  });

  it('answers for its gateway, and for no machine', () => {
    const worker = plug('worker', '10.20.0.2');
    router.fromMachine(worker, arp(worker, GATEWAY));
    router.fromMachine(worker, arp(worker, '10.20.0.3'));
    assert.deepEqual(
      sent.map(({ to, frame }) => [to, frame.readUInt16BE(20), frame.subarray(28, 32).join('.')]),
      [['worker', 2, GATEWAY]],
    );
  });

  it('carries a packet to the machine that has the address, by the hardware address of each leg', () => {
    const worker = plug('worker', '10.20.0.2');
    const other = plug('other', '10.20.0.3');
    router.fromMachine(worker, packet(worker, '10.20.0.3'));
    assert.deepEqual(
      sent.map(({ to }) => to),
      ['other'],
    );
    const frame = lastFrame();
    assert.deepEqual([...frame.subarray(0, 6)], macBytes(other.facts.macAddress));
    assert.notDeepEqual([...frame.subarray(6, 12)], macBytes(worker.facts.macAddress));
    assert.equal(udpOf(frame)?.payload.toString(), 'hello');
  });

  it("sends what leaves the network where the network's routes point", () => {
    const worker = plug('worker', '10.20.0.2');
    plug('nat', '10.20.255.254');
    router.fromMachine(worker, packet(worker, '192.0.2.1'));
    assert.deepEqual(
      sent.map(({ to, frame }) => [to, destinationOf(frame)]),
      [['nat', '192.0.2.1']],
    );
  });

  it('does not send a packet back to the machine that the route points at', () => {
    const nat = plug('nat', '10.20.255.254');
    router.fromMachine(nat, packet(nat, '192.0.2.1'));
    assert.deepEqual(sent, []);
  });

  describe('when a NAT machine sends something on to a machine that is gone', () => {
    beforeEach(() => (router = new Router(() => '10.20.255.254')));

    it('ends the connection', () => {
      router.fromMachine(plug('nat', '10.20.255.254'), segment(ACKNOWLEDGE));
      const reset = lastFrame();
      const ip = reset.subarray(14, 34);
      const tcp = reset.subarray(34);
      assert.deepEqual(
        [ip.subarray(12, 16).join('.'), ip.subarray(16).join('.')],
        ['10.20.0.2', '192.0.2.1'],
      );
      assert.deepEqual([tcp.readUInt16BE(0), tcp.readUInt16BE(2)], [40_000, 443]);
      assert.equal(tcp.readUInt32BE(4), 77);
      assert.equal(tcp[13], RESET);
      assert.equal(sumOf(ip), 0xffff);
      assert.equal(sumOf(Buffer.from([...ip.subarray(12), 0, 6, 0, tcp.length, ...tcp])), 0xffff);
    });

    for (const [what, flags] of [
      ['a connection that only opens', 2],
      ['one that has been ended', ACKNOWLEDGE | RESET],
    ] as const)
      it(`leaves ${what} without an answer`, () => {
        router.fromMachine(plug('nat', '10.20.255.254'), segment(flags));
        assert.deepEqual(sent, []);
      });
  });

  it('loses what is for nobody, and everything of a machine that was unplugged', () => {
    const worker = plug('worker', '10.20.0.2');
    router.unplug(plug('other', '10.20.0.3'));
    router.fromMachine(worker, packet(worker, '10.20.0.3'));
    assert.deepEqual(sent, []);
  });

  it('gives each machine its own address and the routes through the gateway', () => {
    const worker = plug('worker', '10.20.0.2');
    router.fromMachine(worker, lease(worker, 1));
    const offer = udpOf(lastFrame());
    assert.deepEqual(offer?.destination, { ip: '10.20.0.2', port: 68 });
    assert.equal(offer?.payload.subarray(16, 20).join('.'), '10.20.0.2');
    assert.deepEqual(options(offer?.payload).get(1), [255, 255, 255, 255]);
    assert.deepEqual(options(offer?.payload).get(121), [
      ...[32, 10, 20, 0, 1, 0, 0, 0, 0],
      ...[16, 10, 20, 10, 20, 0, 1],
    ]);
  });

  it('leads to the metadata service only machines that have no other way to it', () => {
    const uplink: Buffer[] = [];
    const inside = plug('inside', '10.20.0.2', (frame) => uplink.push(frame));
    const outside = plug('outside', '10.20.0.3');
    router.fromMachine(inside, packet(inside, '169.254.169.254'));
    router.fromMachine(outside, packet(outside, '169.254.169.254'));
    assert.deepEqual(uplink.map(destinationOf), ['169.254.169.254']);
    assert.deepEqual(sent, []);

    router.fromUplink(inside, packet(outside, '10.20.0.2'));
    assert.deepEqual(
      sent.map(({ to }) => to),
      ['inside'],
    );
    router.fromMachine(inside, lease(inside, 1));
    const routes = options(udpOf(lastFrame())?.payload).get(121);
    assert.deepEqual(routes?.slice(-9), [32, 169, 254, 169, 254, 10, 20, 0, 1]);
  });

  it('acknowledges the lease that it gave, and leaves a request for another unanswered', () => {
    const given = { ip: '10.20.0.2', mac: '86:00:00:00:00:02', gateway: GATEWAY, destinations: [] };
    assert.deepEqual(options(dhcpAnswer(message(3, given.ip), given)).get(53), [5]);
    assert.equal(dhcpAnswer(message(3, '192.168.1.9'), given), undefined);
    assert.equal(dhcpAnswer(Buffer.from('no message'), given), undefined);
  });

  const lastFrame = (): Buffer => sent.at(-1)?.frame ?? Buffer.alloc(0);

  function plug(name: string, ip: string, uplink?: (frame: Buffer) => void): Port {
    const port: Port = {
      facts: {
        networkId: 1,
        networkName: 'pools',
        range: '10.20.0.0/16',
        gateway: GATEWAY,
        ip,
        aliasIps: [],
        macAddress: `86:00:00:00:00:0${ip.at(-1)}`,
      },
      send: (frame) => void sent.push({ to: name, frame }),
      ...(uplink && { uplink }),
    };
    router.plug(port);
    return port;
  }
});

const packet = ({ facts }: Port, ip: string): Buffer =>
  udpFrame(
    { to: 'd2:00:00:00:00:01', from: facts.macAddress },
    {
      source: { ip: facts.ip, port: 4000 },
      destination: { ip, port: 5000 },
      payload: Buffer.from('hello'),
    },
  );

/** From 192.0.2.1:443 to 10.20.0.2:40000, which has sent 76 bytes; its IP header has four bytes of options. */
function segment(flags: number): Buffer {
  const frame = Buffer.alloc(14 + 24 + 20);
  frame.writeUInt16BE(0x0800, 12);
  frame[14] = 0x46;
  frame[23] = 6;
  Buffer.from([...ipBytes('192.0.2.1'), ...ipBytes('10.20.0.2')]).copy(frame, 26);
  frame.writeUInt16BE(443, 38);
  frame.writeUInt16BE(40_000, 40);
  frame.writeUInt32BE(77, 46);
  frame[51] = flags;
  return frame;
}

/** The ones' complement sum of 16-bit words; all ones where a checksum among them is right (RFC 1071). */
function sumOf(bytes: Buffer): number {
  let sum = 0;
  for (let at = 0; at < bytes.length; at += 2) sum += bytes.readUInt16BE(at);
  while (sum > 0xffff) sum = (sum & 0xffff) + (sum >>> 16);
  return sum;
}

const lease = ({ facts }: Port, kind: number): Buffer =>
  udpFrame(
    { to: 'ff:ff:ff:ff:ff:ff', from: facts.macAddress },
    {
      source: { ip: '0.0.0.0', port: 68 },
      destination: { ip: '255.255.255.255', port: 67 },
      payload: message(kind),
    },
  );

function message(kind: number, requested?: string): Buffer {
  const head = Buffer.alloc(240);
  head[0] = 1;
  head.writeUInt32BE(0x63825363, 236);
  const wanted = requested === undefined ? [] : [50, 4, ...ipBytes(requested)];
  return Buffer.concat([head, Buffer.from([53, 1, kind, ...wanted, 255, 0, 0])]);
}

function options(payload: Buffer = Buffer.alloc(0)): Map<number, number[]> {
  const found = new Map<number, number[]>();
  for (let at = 240; at < payload.length && payload[at] !== 255; at += 2 + (payload[at + 1] ?? 0))
    found.set(payload[at] ?? 0, [...payload.subarray(at + 2, at + 2 + (payload[at + 1] ?? 0))]);
  return found;
}

function arp({ facts }: Port, target: string): Buffer {
  const frame = Buffer.alloc(60);
  frame.writeUInt16BE(0x0806, 12);
  frame.writeUInt16BE(1, 20);
  Buffer.from(macBytes(facts.macAddress)).copy(frame, 22);
  Buffer.from(ipBytes(facts.ip)).copy(frame, 28);
  Buffer.from(ipBytes(target)).copy(frame, 38);
  assert.equal(arpRequest(frame)?.target, target);
  return frame;
}
