import assert from 'node:assert/strict';
import { isPrivateOnly, sizeBounds } from '../../../components/model/pool';
import { access, ciPool, faultsOf, least, parsed, withPool, withPools, type Raw } from '../configs';

const network: Raw = { cidr: '10.20.0.0/16', zone: 'eu-central' };
const gateway: Raw = { serverType: 'cx23', location: 'fsn1', image: 'debian-12' };
const privateOnly: Raw = { publicNetwork: { ipv4: false, ipv6: false } };
const direct: Raw = { connectivity: 'direct', sshKeys: access['sshKeys'], ssh: { from: ['203.0.113.7/32'] } };

const at = (path: string, message: string): string => `worker-pools:${path}: ${message}`;
const images = 'debian-11, debian-12, debian-13, ubuntu-22.04, ubuntu-24.04, ubuntu-26.04';

describe('configuration: what is right is taken', () => {
  const rows: [string, Raw][] = [
    ['the least', least],
    ['no pools yet', withPools({})],
    ['a fixed size', withPool({ size: { fixed: 3 } })],
    ['min equal to max', withPool({ size: { min: 2, max: 2 } })],
    ['a network of its own', { ...least, network }],
    ['another stack’s network', { ...least, network: { stack: 'acme/worker-pools/production' } }],
    [
      'private workers behind a gateway',
      { ...withPool(privateOnly), network: { ...network, natGateway: gateway } },
    ],
    [
      'private workers in another stack’s network',
      { ...withPool(privateOnly), network: { stack: 'production' } },
    ],
    ['direct SSH', { ...least, access: direct }],
    ['names for workers', { ...least, dns: { zone: 'example.com', workers: true } }],
    ['tenants of a pool', { ...least, dns: { zone: 'example.com', tenants: { acme: 'ci' } } }],
    [
      'a wildcard over a pool that serves',
      { ...withPool({ workload: { traefik: true } }), dns: { zone: 'example.com', wildcard: true } },
    ],
    ['a hundred workers in a network', { ...withPool({ size: { min: 0, max: 100 } }), network }],
    ['five hundred workers in placement groups', withPool({ size: { min: 0, max: 500 } })],
    ['more, where they need not spread', withPool({ size: { min: 0, max: 800 }, spread: false })],
  ];
  for (const [what, raw] of rows) {
    it(what, () => assert.deepEqual(faultsOf(raw), []));
  }

  it('fills in what was left out', () => {
    const { pools, dns } = parsed({ ...least, dns: { zone: 'example.com' } });
    assert.deepEqual(pools['ci'], {
      ...ciPool,
      publicNetwork: { ipv4: true, ipv6: true },
      spread: true,
      ingress: [],
      workload: { docker: false, traefik: false },
      waitForReady: false,
      scaling: { targetWait: 300, standby: 0, schedule: [], rollout: { maxSurge: 1, maxUnavailable: 0 } },
    });
    assert.deepEqual(dns, {
      zone: 'example.com',
      wildcard: false,
      workers: false,
      tenants: {},
      proxied: false,
    });
  });

  it('knows a pool’s bounds and its way out', () => {
    assert.deepEqual(sizeBounds(parsed(least).pools['ci']!), { min: 0, max: 40 });
    assert.deepEqual(sizeBounds(parsed(withPool({ size: { fixed: 3 } })).pools['ci']!), { min: 3, max: 3 });
    for (const [ipv4, ipv6, expected] of [
      [true, true, false],
      [true, false, false],
      [false, true, false],
      [false, false, true],
    ] as const) {
      const { pools } = parsed({
        ...withPool({ publicNetwork: { ipv4, ipv6 } }),
        network: { stack: 'production' },
      });
      assert.equal(isPrivateOnly(pools['ci']!), expected);
    }
  });
});

describe('configuration: what is wrong is said with its path, what was given and what would be right', () => {
  const rows: [string, Raw, string[]][] = [
    [
      'nothing at all',
      {},
      [
        at('access', 'is missing (expected object)'),
        at('registrationSecret', 'is missing (expected string)'),
        at('pools', 'is missing (expected record)'),
      ],
    ],
    [
      'an unknown key at the top',
      { ...least, acces: {} },
      [at('acces', 'is not a known key. Did you mean "access"?')],
    ],
    [
      'an unknown key of a pool',
      withPool({ placement: [] }),
      [at('pools.ci.placement', 'is not a known key. Did you mean "placements"?')],
    ],
    [
      'an unknown key far inside',
      withPool({ scaling: { rollout: { maxSurg: 1 } } }),
      [at('pools.ci.scaling.rollout.maxSurg', 'is not a known key. Did you mean "maxSurge"?')],
    ],
    [
      'an unknown key in a list',
      withPool({ placements: [{ serverType: 'cx33', location: 'fsn1', zone: 'x' }] }),
      [at('pools.ci.placements[0].zone', 'is not a known key.')],
    ],
    [
      'an unknown key of a queue',
      withPool({ queue: { kind: 'redis-list', url: 'redis://queue', key: 'jobs', kee: 1 } }),
      [at('pools.ci.queue.kee', 'is not a known key. Did you mean "key"?')],
    ],
    [
      'an unknown key near nothing',
      { ...least, kubernetes: true },
      [at('kubernetes', 'is not a known key.')],
    ],
    [
      'a wrong type',
      withPool({ slots: 'four' }),
      [at('pools.ci.slots', 'expected number, received string; it is "four"')],
    ],
    [
      'a fraction',
      withPool({ slots: 1.5 }),
      [at('pools.ci.slots', 'expected int, received number; it is 1.5')],
    ],
    [
      'a negative number',
      withPool({ size: { min: -1, max: 2 } }),
      [at('pools.ci.size.min', 'Too small: expected number to be >=0; it is -1')],
    ],
    [
      'max below min',
      withPool({ size: { min: 5, max: 1 } }),
      [at('pools.ci.size.max', 'max is less than min; max must be at least min; it is 1')],
    ],
    [
      'half a size',
      withPool({ size: { min: 3 } }),
      [at('pools.ci.size.max', 'is missing (expected number)')],
    ],
    [
      'a size of both kinds',
      withPool({ size: { fixed: 3, max: 5 } }),
      [
        at(
          'pools.ci.size.max',
          'cannot be given together with the keys beside it; leave one or the other out',
        ),
      ],
    ],
    [
      'a size that is a number',
      withPool({ size: 3 }),
      [at('pools.ci.size', 'expected object, received number; it is 3')],
    ],
    [
      'a number for a placement list',
      withPool({ placements: [] }),
      [at('pools.ci.placements', 'Too small: expected array to have >=1 items')],
    ],
    [
      'an unsupported image',
      withPool({ image: 'debian-21' }),
      [
        at(
          'pools.ci.image',
          `machines cannot be set up from the image "debian-21". Did you mean "debian-11" or "debian-12" or "debian-13"? There are: ${images}.`,
        ),
      ],
    ],
    [
      'an unsupported image of the gateway',
      { ...least, network: { ...network, natGateway: { ...gateway, image: 'fedora-43' } } },
      [
        at(
          'network.natGateway.image',
          `machines cannot be set up from the image "fedora-43". There are: ${images}.`,
        ),
      ],
    ],
    [
      'a queue of an unknown kind',
      withPool({ queue: { kind: 'sqs' } }),
      [
        at(
          'pools.ci.queue.kind',
          "Invalid discriminator value. Expected 'postgres' | 'pg-boss' | 'graphile-worker' | 'redis-list' | 'redis-stream' | 'bullmq' | 'rabbitmq' | 'nats' | 'http' | 'prometheus' | 'slots'; it is \"sqs\"",
        ),
      ],
    ],
    [
      'a queue’s wrong scheme',
      withPool({ queue: { kind: 'bullmq', url: 'http://queue', queue: 'jobs' } }),
      [at('pools.ci.queue.url', 'must be a URL that begins with redis:// or rediss://')],
    ],
    [
      'a queue for a fixed pool',
      withPool({ size: { fixed: 2 }, queue: { kind: 'slots' } }),
      [
        at(
          'pools.ci.queue',
          'a pool of fixed size follows no queue: give size min and max, or drop the queue',
        ),
      ],
    ],
    [
      'a budget that replaces nothing',
      withPool({ scaling: { rollout: { maxSurge: 0, maxUnavailable: 0 } } }),
      [
        at(
          'pools.ci.scaling.rollout',
          'maxSurge and maxUnavailable are both 0, so nothing could ever be replaced; give one of them 1',
        ),
      ],
    ],
    [
      'a schedule',
      withPool({
        scaling: { schedule: [{ days: ['mo'], from: '8:00', to: '25:00', timezone: 'Berlin', min: 1 }] },
      }),
      [
        at(
          'pools.ci.scaling.schedule[0].days[0]',
          'Invalid option: expected one of "mon"|"tue"|"wed"|"thu"|"fri"|"sat"|"sun"; it is "mo"',
        ),
        at('pools.ci.scaling.schedule[0].from', 'must be a time, e.g. 08:00; it is "8:00"'),
        at('pools.ci.scaling.schedule[0].to', 'must be a time, e.g. 18:30; it is "25:00"'),
        at(
          'pools.ci.scaling.schedule[0].timezone',
          'must be a time zone name, e.g. Europe/Berlin; it is "Berlin"',
        ),
      ],
    ],
    [
      'a pool’s name',
      withPools({ Ci_1: ciPool }),
      [at('pools.Ci_1', 'is not a pool name: use lower-case letters, digits and single hyphens')],
    ],
    [
      'a pool’s long name',
      withPools({ [`${'a'.repeat(25)}`]: ciPool }),
      [at(`pools.${'a'.repeat(25)}`, 'is too long: a pool name has at most 24 characters')],
    ],
    [
      'a pool named like the gateway',
      withPools({ nat: ciPool }),
      [at('pools.nat', 'is a name that this program uses itself; choose another')],
    ],
    [
      'a pool named like a part of JavaScript',
      withPools({ constructor: ciPool }),
      [at('pools.constructor', 'is a name that this program uses itself; choose another')],
    ],
    [
      'an environment variable’s name',
      withPool({ workload: { container: { image: 'runner:1', env: { 'A-B': 'x' } } } }),
      [at('pools.ci.workload.container.env.A-B', 'is not the name of an environment variable')],
    ],
    [
      'an environment variable that no container can have',
      withPool({ workload: { container: { image: 'runner:1', env: { A: 'x\0y' } } } }),
      [
        at(
          'pools.ci.workload.container.env.A',
          'contains a NUL character, which no environment variable can',
        ),
      ],
    ],
    [
      'a number for an environment variable',
      withPool({ workload: { container: { image: 'runner:1', env: { PORT: 80 } } } }),
      [at('pools.ci.workload.container.env.PORT', 'expected string, received number')],
    ],
    [
      'a short registration secret',
      { ...least, registrationSecret: 'short' },
      [
        at(
          'registrationSecret',
          'is too short: give at least 32 characters, e.g. from `openssl rand -hex 32`',
        ),
      ],
    ],
    [
      'no key',
      { ...least, access: { ...access, sshKeys: [] } },
      [at('access.sshKeys', 'Too small: expected array to have >=1 items')],
    ],
    [
      'another connectivity',
      { ...least, access: { ...access, connectivity: 'vpn' } },
      [at('access.connectivity', 'Invalid option: expected one of "tailscale"|"direct"; it is "vpn"')],
    ],
    [
      'no tag',
      { ...least, access: { ...access, tags: [] } },
      [at('access.tags', 'is empty: keys from an OAuth client must carry at least one tag, e.g. tag:worker')],
    ],
    [
      'a tag without its prefix',
      { ...least, access: { ...access, tags: ['worker'] } },
      [at('access.tags[0]', 'must be a tailnet tag, e.g. tag:worker; it is "worker"')],
    ],
    [
      'direct SSH from nowhere',
      { ...least, access: { ...direct, ssh: {} } },
      [
        at(
          'access.ssh.from',
          'is empty: in direct mode, name the networks that may open SSH, e.g. 203.0.113.7/32',
        ),
      ],
    ],
    [
      'direct SSH from half a network',
      { ...least, access: { ...direct, ssh: { from: ['203.0.113.7/24'] } } },
      [
        at(
          'access.ssh.from[0]',
          'must be a network in CIDR form without host bits, e.g. 203.0.113.0/24; it is "203.0.113.7/24"',
        ),
      ],
    ],
    [
      'a network with host bits',
      { ...least, network: { ...network, cidr: '10.20.0.1/16' } },
      [
        at(
          'network.cidr',
          'must be an IPv4 network in CIDR form without host bits, e.g. 10.20.0.0/16; it is "10.20.0.1/16"',
        ),
      ],
    ],
    [
      'a network over the tailnet’s range',
      { ...least, network: { ...network, cidr: '100.64.0.0/16' } },
      [
        at(
          'network.cidr',
          '100.64.0.0/16 overlaps 100.64.0.0/10 (tailnet addresses); choose another private range, e.g. 10.20.0.0/16',
        ),
      ],
    ],
    [
      'a network over Docker’s and Hetzner’s ranges',
      { ...least, network: { ...network, cidr: '172.16.0.0/12' } },
      [
        at(
          'network.cidr',
          "172.16.0.0/12 overlaps 172.17.0.0/16 (Docker's default bridge); choose another private range, e.g. 10.20.0.0/16",
        ),
        at(
          'network.cidr',
          "172.16.0.0/12 overlaps 172.31.1.1/32 (Hetzner's public gateway); choose another private range, e.g. 10.20.0.0/16",
        ),
      ],
    ],
    [
      'somebody else’s network',
      { ...least, network: { ...network, cidr: '8.8.8.0/24' } },
      [
        at(
          'network.cidr',
          '8.8.8.0/24 is not a private range; choose one in 10.0.0.0/8, 172.16.0.0/12, 192.168.0.0/16, e.g. 10.20.0.0/16',
        ),
      ],
    ],
    [
      'a network that is too small',
      { ...least, network: { ...network, cidr: '10.20.0.0/29' } },
      [
        at(
          'network.cidr',
          '10.20.0.0/29 is too small: give at least a /24, so that workers and gateway never meet',
        ),
      ],
    ],
    [
      'destinations that overlap',
      {
        ...least,
        network: {
          ...network,
          natGateway: {
            ...gateway,
            destinations: ['0.0.0.0/0', '10.20.5.0/24', '192.168.0.0/16', '192.168.7.0/24'],
          },
        },
      },
      [
        at(
          'network.natGateway.destinations[1]',
          '10.20.5.0/24 overlaps 10.20.0.0/16; ranges of one network must not overlap',
        ),
        at(
          'network.natGateway.destinations[3]',
          '192.168.7.0/24 overlaps 192.168.0.0/16; ranges of one network must not overlap',
        ),
      ],
    ],
    [
      'half a network',
      { ...least, network: { cidr: '10.20.0.0/16', zon: 'eu-central' } },
      [
        at('network.zone', 'is missing (expected string)'),
        at('network.zon', 'is not a known key. Did you mean "zone"?'),
      ],
    ],
    [
      'a network of both kinds',
      { ...least, network: { ...network, stack: 'production' } },
      [at('network.stack', 'cannot be given together with the keys beside it; leave one or the other out')],
    ],
    [
      'another stack’s unreadable name',
      { ...least, network: { stack: 'the production' } },
      [
        at(
          'network.stack',
          'must name a stack, e.g. organization/worker-pools/production; it is "the production"',
        ),
      ],
    ],
    [
      'private workers without a network',
      withPool(privateOnly),
      [
        at(
          'pools.ci.publicNetwork',
          'both families are off, and there is no network: workers would reach nothing; add `network` with a natGateway, or switch one family on',
        ),
      ],
    ],
    [
      'private workers without a way out',
      { ...withPool(privateOnly), network },
      [
        at(
          'pools.ci.publicNetwork',
          'both families are off, and network.natGateway is missing: workers could not reach the internet; add network.natGateway, or switch one family on',
        ),
      ],
    ],
    [
      'open ports of private workers',
      {
        ...withPool({ ...privateOnly, ingress: [{ port: 443, from: ['0.0.0.0/0'] }] }),
        network: { stack: 'production' },
      },
      [at('pools.ci.ingress', 'opens ports, but workers without a public address have none to open')],
    ],
    [
      'readiness over SSH without an IPv4 address',
      { ...withPool({ publicNetwork: { ipv4: false }, waitForReady: true }), access: direct },
      [at('pools.ci.waitForReady', 'needs an address for SSH: in direct mode, switch publicNetwork.ipv4 on')],
    ],
    [
      'a wildcard without a pool that serves',
      { ...least, dns: { zone: 'example.com', wildcard: true } },
      [at('dns.wildcard', 'is on, but no pool serves: give one `workload: { traefik: true }`')],
    ],
    [
      'a tenant of an unknown pool',
      { ...least, dns: { zone: 'example.com', tenants: { acme: 'cii' } } },
      [at('dns.tenants.acme', 'there is no pool "cii". Did you mean "ci"?')],
    ],
    [
      'a zone with a trailing dot',
      { ...least, dns: { zone: 'example.com.' } },
      [at('dns.zone', 'must be a domain name in lower case, e.g. example.com; it is "example.com."')],
    ],
    [
      'a service without a scheme',
      { ...least, service: { url: 'workers.example.com' } },
      [
        at(
          'service.url',
          'must be a plain URL that begins with https:// or http://, e.g. https://pools.example.com',
        ),
      ],
    ],
    [
      'a package repository that would end its shell command',
      { ...least, access: { ...access, tailscale: { packages: 'https://pkgs.example.com/$(reboot)' } } },
      [
        at(
          'access.tailscale.packages',
          'must be a plain URL that begins with https:// or http://, e.g. https://pools.example.com; it is "https://pkgs.example.com/$(reboot)"',
        ),
      ],
    ],
    [
      'a route that would end its rule',
      withPool({
        workload: {
          traefik: true,
          container: { image: 'app:1', route: { host: 'a`) || Host(`b', port: 80 } },
        },
      }),
      [
        at(
          'pools.ci.workload.container.route.host',
          'must be a host name in lower case, e.g. app.example.com; it is "a`) || Host(`b"',
        ),
      ],
    ],
    [
      'a proxied name over workers that only a private network reaches',
      {
        ...withPool({ publicNetwork: { ipv4: false, ipv6: false } }),
        network: { ...network, natGateway: { serverType: 'cx23', location: 'fsn1', image: 'debian-12' } },
        dns: { zone: 'example.com', tenants: { acme: 'ci' }, proxied: true },
      },
      [
        at(
          'dns.proxied',
          'Cloudflare cannot reach pool ci, whose workers have no public address: switch proxied off, or give the pool publicNetwork.ipv4',
        ),
      ],
    ],
    [
      'a check over SSH that no machine in between can carry',
      {
        ...withPool({ publicNetwork: { ipv4: false, ipv6: false }, waitForReady: true }),
        access: { ...access, connectivity: 'direct', ssh: { from: ['203.0.113.0/24'] } },
        network: { stack: 'acme/worker-pools/production' },
      },
      [
        at(
          'pools.ci.waitForReady',
          "needs a way in: in direct mode, workers without a public address are reached through the NAT gateway of the stack's own network only",
        ),
      ],
    ],
    [
      'more placement groups than a project has',
      withPool({ size: { min: 0, max: 501 } }),
      [
        at(
          'pools',
          'at their largest they would need 51 placement groups, and a project has 50: set `spread: false` on the large ones',
        ),
      ],
    ],
    [
      'more workers than a network takes',
      { ...withPool({ size: { min: 0, max: 101 } }), network },
      [
        at(
          'pools',
          'at their largest they have 101 workers, and one private network takes 100 servers: lower a max, or put pools into a stack without `network`',
        ),
      ],
    ],
  ];
  for (const [what, raw, faults] of rows) {
    it(what, () => assert.deepEqual(faultsOf(raw), faults));
  }

  for (const name of ['Staging', 'my_stack', 'a--b', '1st', 'x'.repeat(32)]) {
    it(`a stack named ${name}`, () => {
      assert.deepEqual(faultsOf(least, name), [
        `stack ${name}: a stack's name becomes part of host names: use lower-case letters, digits and single hyphens, at most 31 characters`,
      ]);
    });
  }
});

describe('configuration: every fault in one go', () => {
  it('of the schema', () => {
    const raw = {
      ...withPools({ ci: { ...ciPool, slots: 0, image: 5 }, web: { size: { min: 3, max: 1 } } }),
      acces: {},
    };
    assert.deepEqual(
      faultsOf(raw, 'My_Stack').map((line) => line.split(': ')[0]),
      [
        'stack My_Stack',
        'worker-pools:pools.ci.slots',
        'worker-pools:pools.ci.image',
        'worker-pools:pools.web.size.max',
        'worker-pools:pools.web.image',
        'worker-pools:pools.web.placements',
        'worker-pools:acces',
      ],
    );
  });

  it('of the parts’ relations', () => {
    const raw = {
      ...withPools({
        ci: { ...ciPool, ...privateOnly, image: 'debian-10' },
        web: { ...ciPool, size: { fixed: 200 }, queue: { kind: 'slots' } },
      }),
      access: { ...access, tags: [] },
      network: { ...network, cidr: '172.17.0.0/16' },
      dns: { zone: 'example.com', wildcard: true, tenants: { acme: 'db' } },
    };
    assert.deepEqual(
      faultsOf(raw).map((line) => line.split(': ')[0]),
      [
        'worker-pools:access.tags',
        'worker-pools:network.cidr',
        'worker-pools:dns.tenants.acme',
        'worker-pools:dns.wildcard',
        'worker-pools:pools.ci.image',
        'worker-pools:pools.ci.publicNetwork',
        'worker-pools:pools.web.queue',
        'worker-pools:pools',
      ],
    );
  });

  it('of the schema, and of the relations between the parts that are well formed', () => {
    const raw = {
      ...withPools({
        ci: { ...ciPool, slots: 0 },
        web: { ...ciPool, size: { fixed: 2 }, queue: { kind: 'slots' }, image: 'debian-10' },
      }),
      access: { ...access, tags: [] },
      network: { ...network, cidr: '172.17.0.0/16' },
      budget: { hourly: -1 },
    };
    assert.deepEqual(
      faultsOf(raw).map((line) => line.split(': ')[0]),
      [
        'worker-pools:budget.hourly',
        'worker-pools:pools.ci.slots',
        'worker-pools:access.tags',
        'worker-pools:network.cidr',
        'worker-pools:pools.web.image',
        'worker-pools:pools.web.queue',
      ],
    );
  });
});
