import assert from 'node:assert/strict';
import fc from 'fast-check';
import type { StackConfig } from '../../../components/model/config-schema';
import { configHash, hostKey, workerMachine, workerToken } from '../../../components/model/worker-machine';
import { KEY_LINE, SECRET, access, ciPool, least, parsed, withPool, type Raw } from '../configs';

const facts = { environment: 'production', pool: 'ci', authorizedKeys: [KEY_LINE], networkCidr: undefined };

const container: Raw = {
  image: 'runner:1',
  env: { A: 'one', PASSWORD: 'p4ssw0rd-of-the-queue' },
  args: ['run'],
  stopGrace: 30,
};
/** A pool that has everything, so that every change is one of a single value. */
const pool: Raw = { ...ciPool, workload: { docker: true, traefik: true, container } };
const whole: Raw = { ...least, pools: { ci: pool }, service: { url: 'https://workers.example.com' } };

const hashOf = (raw: Raw, changes: Partial<typeof facts> | { networkCidr: string } = {}): string =>
  configHash(parsed(raw), { ...facts, ...changes });

const CERTIFICATE = '-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n';

const withContainer = (changes: Raw): Raw => ({
  ...whole,
  pools: {
    ci: { ...pool, workload: { docker: true, traefik: true, container: { ...container, ...changes } } },
  },
});
const withWhole = (changes: Raw): Raw => ({ ...whole, pools: { ci: { ...pool, ...changes } } });

describe('worker machine: what it proves itself with', () => {
  it('is derived: the same for the same worker, and in a known form', () => {
    assert.match(
      workerToken(SECRET, { environment: 'production', pool: 'ci', id: 'ci-0001' }),
      /^[0-9a-f]{64}$/,
    );
    assert.equal(
      workerToken(SECRET, { environment: 'production', pool: 'ci', id: 'ci-0001' }),
      workerToken(SECRET, { environment: 'production', pool: 'ci', id: 'ci-0001' }),
    );
    assert.deepEqual(hostKey(SECRET, 'production-ci-0001'), hostKey(SECRET, 'production-ci-0001'));
  });

  const identity = fc.record({
    secret: fc.constantFrom(SECRET, `${SECRET}2`),
    environment: fc.constantFrom('staging', 'production'),
    pool: fc.constantFrom('ci', 'web'),
    serial: fc.constantFrom('0001', '0002', '000a'),
  });
  const same = (a: unknown, b: unknown): boolean => JSON.stringify(a) === JSON.stringify(b);

  it('law: no two workers, environments or secrets share a token or a host key', () => {
    fc.assert(
      fc.property(identity, identity, (a, b) => {
        const token = ({ secret, environment, pool: name, serial }: typeof a): string =>
          workerToken(secret, { environment, pool: name, id: `${name}-${serial}` });
        const key = ({ secret, environment, pool: name, serial }: typeof a): string =>
          hostKey(secret, `${environment}-${name}-${serial}`).publicKey.split(' ')[1]!;
        assert.equal(token(a) === token(b), same(a, b));
        assert.equal(key(a) === key(b), same(a, b));
      }),
    );
  });

  it('says nothing of the secret it is derived from', () => {
    const { privateKey, publicKey } = hostKey(SECRET, 'production-ci-0001');
    const token = workerToken(SECRET, { environment: 'production', pool: 'ci', id: 'ci-0001' });
    for (const text of [privateKey, publicKey, token]) assert.equal(text.includes(SECRET), false);
  });
});

describe('worker machine: what the machine is told', () => {
  const machine = (raw: Raw, changes: { authKey?: string; networkCidr?: string } = {}) =>
    workerMachine(parsed(raw), {
      ...facts,
      id: 'ci-000a',
      authKey: undefined,
      networkCidr: undefined,
      ...changes,
    });

  it('in full', () => {
    assert.deepEqual(machine(whole, { authKey: 'tskey-auth-1' }), {
      environment: 'production',
      pool: 'ci',
      workerId: 'ci-000a',
      hostname: 'production-ci-000a',
      os: { distribution: 'debian', suite: 'bookworm' },
      ssh: { port: 22, authorizedKeys: [KEY_LINE], hostKey: hostKey(SECRET, 'production-ci-000a') },
      network: { kind: 'public' },
      tailscale: {
        authKey: 'tskey-auth-1',
        tags: ['tag:worker'],
        packages: 'https://pkgs.tailscale.com/stable',
      },
      docker: true,
      traefik: { image: 'traefik:v3.6.13' },
      workload: { container },
      slots: 4,
      service: {
        url: 'https://workers.example.com',
        token: workerToken(SECRET, { environment: 'production', pool: 'ci', id: 'ci-000a' }),
      },
    });
  });

  it('only what there is', () => {
    const { tailscale, traefik, workload, service, docker } = machine(least);
    assert.deepEqual(
      { tailscale, traefik, workload, service, docker },
      {
        tailscale: undefined,
        traefik: undefined,
        workload: undefined,
        service: undefined,
        docker: false,
      },
    );
  });

  const dockers: [string, Raw, boolean][] = [
    ['asked for', { docker: true }, true],
    ['implied by Traefik', { traefik: true }, true],
    ['implied by a container', { container: { image: 'runner:1' } }, true],
    ['not asked for', {}, false],
  ];
  for (const [what, workload, docker] of dockers) {
    it(`Docker, ${what}`, () => assert.equal(machine(withPool({ workload })).docker, docker));
  }

  it('the way out through the network’s first address when it has no public one, and only then', () => {
    const hidden = {
      ...withPool({ publicNetwork: { ipv4: false, ipv6: false } }),
      network: { stack: 'production' },
    };
    assert.deepEqual(machine(hidden, { networkCidr: '10.30.0.0/16' }).network, {
      kind: 'private-only',
      gateway: '10.30.0.1',
      cidr: '10.30.0.0/16',
    });
    assert.deepEqual(machine(least, { networkCidr: '10.30.0.0/16' }).network, { kind: 'public' });
  });
});

describe('worker machine: the config hash', () => {
  it('is a label that Hetzner takes', () => assert.match(hashOf(whole), /^[0-9a-f]{16}$/));

  const changing: [string, Raw, { networkCidr?: string; authorizedKeys?: string[] }?][] = [
    ['image', withWhole({ image: 'debian-13' })],
    ['slots', withWhole({ slots: 5 })],
    ['public IPv4', withWhole({ publicNetwork: { ipv4: false } })],
    ['public IPv6', withWhole({ publicNetwork: { ipv6: false } })],
    ['spread', withWhole({ spread: false })],
    ['the container’s image', withContainer({ image: 'runner:2' })],
    ['a variable’s value', withContainer({ env: { A: 'two', PASSWORD: 'p4ssw0rd-of-the-queue' } })],
    ['a secret variable’s value', withContainer({ env: { A: 'one', PASSWORD: 'changed' } })],
    ['a further variable', withContainer({ env: { A: 'one', PASSWORD: 'p4ssw0rd-of-the-queue', B: '' } })],
    ['the container’s arguments', withContainer({ args: ['run', '--fast'] })],
    ['the grace to stop', withContainer({ stopGrace: 60 })],
    ['the container’s route', withContainer({ route: { host: 'ci.example.com', port: 80 } })],
    ['Traefik', withWhole({ workload: { docker: true, container } })],
    ['the container', withWhole({ workload: { docker: true, traefik: true } })],
    ['the service', { ...whole, service: { url: 'https://other.example.com' } }],
    ['no service', { ...whole, service: undefined }],
    ['SSH’s port', { ...whole, access: { ...access, ssh: { port: 2222 } } }],
    ['tags', { ...whole, access: { ...access, tags: ['tag:worker', 'tag:ci'] } }],
    [
      'Tailscale’s packages',
      { ...whole, access: { ...access, tailscale: { packages: 'https://mirror.example.com' } } },
    ],
    [
      'the control server',
      { ...whole, access: { ...access, tailscale: { loginServer: 'https://hs.example.com' } } },
    ],
    ['the time servers', { ...whole, machines: { timeServers: ['ntp.example.com'] } }],
    ['the mirrors of Docker Hub', { ...whole, machines: { registryMirrors: ['https://hub.example.com'] } }],
    ['trusted certificates', { ...whole, machines: { trustedCertificates: [CERTIFICATE] } }],
    [
      'connectivity',
      { ...whole, access: { ...access, connectivity: 'direct', ssh: { from: ['203.0.113.7/32'] } } },
    ],
    ['the registration secret', { ...whole, registrationSecret: `${SECRET}2` }],
    ['keys', whole, { authorizedKeys: [KEY_LINE, `${KEY_LINE}2`] }],
    ['the private network', whole, { networkCidr: '10.20.0.0/16' }],
  ];
  for (const [what, raw, changes] of changing) {
    it(`changes with ${what}`, () => assert.notEqual(hashOf(raw, changes ?? {}), hashOf(whole)));
  }

  it('changes with the name servers of a worker that uses them', () => {
    const resolvers = { resolvers: ['192.0.2.53'] };
    const privately = { publicNetwork: { ipv4: false, ipv6: false } };
    const natGateway = { serverType: 'cx23', location: 'fsn1', image: 'debian-12' };
    const network = { cidr: '10.20.0.0/16', zone: 'eu-central', natGateway };
    const inside = { ...withWhole(privately), network };
    const onNetwork = { networkCidr: network.cidr };
    assert.notEqual(hashOf({ ...inside, machines: resolvers }, onNetwork), hashOf(inside, onNetwork));
    assert.equal(hashOf({ ...whole, machines: resolvers }), hashOf(whole));
  });

  it('does not change with the mirrors of Docker Hub where there is no Docker', () => {
    const plain = withWhole({ workload: {} });
    const mirrored = { ...plain, machines: { registryMirrors: ['https://hub.example.com'] } };
    assert.equal(hashOf(mirrored), hashOf(plain));
  });

  it('changes with the environment and the pool', () => {
    const config = parsed({ ...whole, pools: { ci: pool, web: pool } });
    const hashes = ['production', 'staging'].flatMap((environment) =>
      ['ci', 'web'].map((name) => configHash(config, { ...facts, environment, pool: name })),
    );
    assert.equal(new Set(hashes).size, 4);
  });

  const keeping: [string, Raw][] = [
    ['bounds', withWhole({ size: { min: 3, max: 50 } })],
    ['the kind of size', withWhole({ size: { fixed: 3 } })],
    [
      'scaling',
      withWhole({ scaling: { targetWait: 10, standby: 2, rollout: { maxSurge: 3, maxUnavailable: 1 } } }),
    ],
    ['the queue', withWhole({ queue: { kind: 'slots' } })],
    ['open ports', withWhole({ ingress: [{ port: 443, from: ['0.0.0.0/0'] }] })],
    ['the wait for readiness', withWhole({ waitForReady: true })],
    ['placements', withWhole({ placements: [{ serverType: 'cx43', location: 'hel1' }] })],
    ['an explicit default', withWhole({ publicNetwork: { ipv4: true, ipv6: true } })],
    ['the registration secret before this one', { ...whole, previousRegistrationSecret: `${SECRET}1` }],
    ['budgets', { ...whole, budget: { hourly: 1, monthly: 100 } }],
    ['names', { ...whole, dns: { zone: 'example.com', workers: true } }],
    ['another pool', { ...whole, pools: { ci: pool, web: { ...pool, image: 'ubuntu-24.04' } } }],
    [
      'who may open SSH in direct mode later',
      { ...whole, access: { ...access, ssh: { from: ['203.0.113.7/32'] } } },
    ],
    [
      'the key of the checks',
      { ...whole, access: { ...access, ssh: { privateKeyFile: '~/.ssh/id_ed25519' } } },
    ],
    ['the order of the keys in the file', reversed(whole) as Raw],
  ];
  for (const [what, raw] of keeping) {
    it(`does not change with ${what}`, () => assert.equal(hashOf(raw), hashOf(whole)));
  }

  it('does not change with what is one worker’s own', () => {
    const hashes = ['ci-0001', 'ci-000a'].map((id) => {
      const ownFacts = { ...facts, id, authKey: `tskey-${id}` };
      return configHash(parsed(whole), ownFacts);
    });
    assert.equal(hashes[0], hashes[1]);
  });

  it('cannot be guessed from what the file says openly: it is keyed', () => {
    const config: StackConfig = parsed(whole);
    assert.notEqual(
      configHash({ ...config, registrationSecret: 'another' }, facts),
      configHash(config, facts),
    );
  });
});

/** The same data with the keys of every object the other way round. */
function reversed(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(reversed);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value)
      .reverse()
      .map(([key, inner]) => [key, reversed(inner)]),
  );
}
