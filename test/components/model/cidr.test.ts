import assert from 'node:assert/strict';
import fc from 'fast-check';
import {
  lastAddress,
  addressAt,
  contains,
  isIpv4Network,
  isNetwork,
  overlap,
  prefixLength,
} from '../../../components/model/cidr';

const bits = fc.integer({ min: 0, max: 32 });
const anyAddress = fc.nat({ max: 2 ** 32 - 1 });

const text = (address: number): string =>
  [24, 16, 8, 0].map((shift) => (Math.floor(address / 2 ** shift) % 256).toString()).join('.');

/** The network of these many bits that the address is in. */
const networkOf = (address: number, length: number): { first: number; size: number; cidr: string } => {
  const size = 2 ** (32 - length);
  const first = Math.floor(address / size) * size;
  return { first, size, cidr: `${text(first)}/${length}` };
};

/** Networks that are near one another often enough to overlap. */
const anyNetwork = fc
  .tuple(fc.nat({ max: 255 }), fc.integer({ min: 24, max: 32 }))
  .map(([last, length]) => networkOf(0x0a140000 + last, length));

const addressesOf = ({ first, size }: { first: number; size: number }): Set<number> =>
  new Set(Array.from({ length: size }, (_, index) => first + index));

describe('cidr', () => {
  it('law: a network is one exactly when all its host bits are 0', () => {
    fc.assert(
      fc.property(anyAddress, bits, (address, length) => {
        const isFirst = address % 2 ** (32 - length) === 0;
        assert.equal(isNetwork(`${text(address)}/${length}`), isFirst);
        assert.equal(isIpv4Network(`${text(address)}/${length}`), isFirst);
      }),
    );
  });

  const rows: [string, boolean, boolean][] = [
    ['10.20.0.0/16', true, true],
    ['0.0.0.0/0', true, true],
    ['203.0.113.7/32', true, true],
    ['2001:db8::/32', true, false],
    ['::/0', true, false],
    ['2001:db8::1/32', false, false],
    ['10.20.0.1/16', false, false],
    ['10.20.0.0', false, false],
    ['10.20.0.0/33', false, false],
    ['10.20.0.0/-1', false, false],
    ['10.20.0.0/', false, false],
    ['10.20.0.0/16 ', false, false],
    ['10.20.0/16', false, false],
    ['10/8', false, false],
    ['010.20.0.0/16', false, false],
    ['0x0a.0.0.0/8', false, false],
    ['167772160/8', false, false],
    ['10.20.0.0/016', false, false],
    ['office', false, false],
    ['', false, false],
  ];
  for (const [given, any, ipv4] of rows) {
    it(`takes "${given}" for ${any ? (ipv4 ? 'an IPv4 network' : 'an IPv6 network') : 'no network'}`, () => {
      assert.deepEqual([isNetwork(given), isIpv4Network(given)], [any, ipv4]);
    });
  }

  it('law: two networks overlap exactly when they share an address', () => {
    fc.assert(
      fc.property(anyNetwork, anyNetwork, (a, b) => {
        const inB = addressesOf(b);
        const shared = [...addressesOf(a)].some((address) => inB.has(address));
        assert.equal(overlap(a.cidr, b.cidr), shared);
      }),
      { numRuns: 300 },
    );
  });

  it('law: one network contains another exactly when it has all its addresses', () => {
    fc.assert(
      fc.property(anyNetwork, anyNetwork, (outer, inner) => {
        const inOuter = addressesOf(outer);
        const all = [...addressesOf(inner)].every((address) => inOuter.has(address));
        assert.equal(contains(outer.cidr, inner.cidr), all);
        assert.equal(2 ** (32 - prefixLength(inner.cidr)), inner.size);
      }),
      { numRuns: 300 },
    );
  });

  it('law: overlapping is mutual, at any size', () => {
    fc.assert(
      fc.property(anyAddress, bits, anyAddress, bits, (a, bitsA, b, bitsB) => {
        const one = networkOf(a, bitsA);
        const other = networkOf(b, bitsB);
        const expected = one.first < other.first + other.size && other.first < one.first + one.size;
        assert.equal(overlap(one.cidr, other.cidr), expected);
        assert.equal(overlap(other.cidr, one.cidr), expected);
      }),
    );
  });

  it('never finds that networks of different families overlap', () => {
    assert.equal(overlap('0.0.0.0/0', '::/0'), false);
    assert.equal(overlap('2001:db8::/32', '2001:db8:1::/48'), true);
    assert.equal(overlap('2001:db8::/32', '2001:db9::/32'), false);
  });

  it('law: counts addresses from the network’s own', () => {
    fc.assert(
      fc.property(anyAddress, bits, fc.nat(), (address, length, step) => {
        const { first, size, cidr } = networkOf(address, length);
        const index = step % size;
        assert.equal(addressAt(cidr, index), text(first + index));
      }),
    );
    assert.equal(lastAddress('10.20.0.0/16'), '10.20.255.254');
    assert.equal(lastAddress('10.20.7.0/24'), '10.20.7.254');
    assert.equal(addressAt('10.20.0.0/16', 1), '10.20.0.1');
    assert.equal(addressAt('10.20.0.0/16', 256), '10.20.1.0');
  });
});
