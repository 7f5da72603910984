import assert from 'node:assert/strict';
import { choosePlacement, checkPlacements } from '../../../components/preflight/placements';
import { labelledWorkers } from '../../../components/preflight/labelled-workers';
import { ciPool, least, parsed, withPool, withPools, type Raw } from '../configs';
import { Stand } from './stand';

const DAY = 86_400_000;
const at = (path: string, message: string): string => `worker-pools:${path}: ${message}`;
const placed = (serverType: string, location: string): Raw =>
  withPool({ placements: [{ serverType, location }] });
const network: Raw = { cidr: '10.20.0.0/16', zone: 'eu-central' };

describe('preflight: what Hetzner offers', () => {
  const stand = new Stand({ hetzner: { durationFactor: 0, limits: { servers: 60 } } });

  const wrong: [string, Raw, string[]][] = [
    [
      'an unknown server type',
      placed('cx32', 'fsn1'),
      [
        at(
          'pools.ci.placements[0].serverType',
          'Hetzner has no server type "cx32". Did you mean "cpx32" or "cx33" or "cax31"?',
        ),
      ],
    ],
    [
      'an unknown location, once',
      placed('cx33', 'fsn2'),
      [
        at(
          'pools.ci.placements[0].location',
          'Hetzner has no location "fsn2". Did you mean "fsn1"? There are: fsn1, nbg1, hel1, ash, hil, sin.',
        ),
      ],
    ],
    [
      'a type that is not sold in the location',
      placed('cx33', 'ash'),
      [at('pools.ci.placements[0]', 'server type cx33 is not offered in ash; it is in fsn1, nbg1, hel1')],
    ],
    [
      'a location out of the network’s zone',
      { ...placed('cpx31', 'ash'), network },
      [
        at(
          'pools.ci.placements[0].location',
          'ash is in network zone us-east, and the network is in eu-central; all machines of one network must be in its zone',
        ),
      ],
    ],
    [
      'the gateway’s placement',
      {
        ...least,
        network: { ...network, natGateway: { serverType: 'cx22', location: 'fsn1', image: 'debian-12' } },
      },
      [
        at(
          'network.natGateway.serverType',
          'Hetzner has no server type "cx22". Did you mean "cpx22" or "cx23" or "cax21"?',
        ),
      ],
    ],
    [
      'two placements of two pools, in one go',
      withPools({
        ci: {
          ...ciPool,
          placements: [
            { serverType: 'cx33', location: 'fsn1' },
            { serverType: 'cx99', location: 'moon' },
          ],
        },
        web: { ...ciPool, placements: [{ serverType: 'cax11', location: 'sin' }] },
      }),
      [
        at(
          'pools.ci.placements[1].serverType',
          'Hetzner has no server type "cx99". Did you mean "cx23" or "cx33" or "cx43"?',
        ),
        at(
          'pools.ci.placements[1].location',
          'Hetzner has no location "moon". There are: fsn1, nbg1, hel1, ash, hil, sin.',
        ),
        at('pools.web.placements[0]', 'server type cax11 is not offered in sin; it is in fsn1, nbg1, hel1'),
      ],
    ],
    [
      'another stack’s network that is not there',
      { ...least, network: { stack: 'acme/worker-pools/shared' } },
      [
        at(
          'network.stack',
          'the project has no network "shared" with a subnet; bring the stack acme/worker-pools/shared up first, with its own `network`',
        ),
      ],
    ],
  ];
  for (const [what, raw, faults] of wrong) {
    it(`${what} is a fault`, async () => {
      assert.deepEqual(await stand.faults(raw), faults);
      assert.deepEqual(stand.writes(), []);
    });
  }

  it('a type whose end is announced is a warning with both dates', async () => {
    const now = stand.cloud.clock.now();
    const ends = { announced: now - 10 * DAY, unavailableAfter: now + 20 * DAY };
    stand.cloud.hetzner.catalogue.deprecateServerType('cx33', ends);
    const day = (time: number): string => new Date(time).toISOString().slice(0, 10);
    const { warnings } = await stand.ask(placed('cx33', 'fsn1'));
    assert.equal(
      warnings.at(-1),
      at(
        'pools.ci.placements[0]',
        `server type cx33 in fsn1 is deprecated (announced ${day(ends.announced)}) and cannot be ordered after ${day(ends.unavailableAfter)}; plan a successor`,
      ),
    );
  });

  it('a type whose end is announced is nothing to begin a new pool with', async () => {
    const now = stand.cloud.clock.now();
    const ends = { announced: now - 10 * DAY, unavailableAfter: now + 20 * DAY };
    stand.cloud.hetzner.catalogue.deprecateServerType('cx33', ends, 'fsn1');
    const day = (time: number): string => new Date(time).toISOString().slice(0, 10);
    assert.deepEqual(await stand.faults(placed('cx33', 'fsn1'), { knownPools: [] }), [
      at(
        'pools.ci.placements[0]',
        `server type cx33 in fsn1 is deprecated (announced ${day(ends.announced)}) and cannot be ordered after ${day(ends.unavailableAfter)}; begin with another`,
      ),
    ]);
  });

  it('a type whose end is past is a fault with its date, where it ends', async () => {
    const now = stand.cloud.clock.now();
    const ends = { announced: now, unavailableAfter: now + 20 * DAY };
    stand.cloud.hetzner.catalogue.deprecateServerType('cx33', ends, 'fsn1');
    const since = new Date(ends.unavailableAfter).toISOString().slice(0, 10);
    assert.deepEqual(await stand.faults(placed('cx33', 'fsn1'), { now: now + 21 * DAY }), [
      at(
        'pools.ci.placements[0]',
        `server type cx33 in fsn1 is deprecated and cannot be ordered since ${since}; choose another`,
      ),
    ]);
    assert.deepEqual(await stand.faults(placed('cx33', 'nbg1'), { now: now + 21 * DAY }), []);
  });

  it('a type that has been taken off a location is a fault with where it still is', async () => {
    const now = stand.cloud.clock.now();
    const ended = { announced: now - 100 * DAY, unavailableAfter: now - DAY };
    stand.cloud.hetzner.catalogue.deprecateServerType('cx33', ended, 'fsn1');
    assert.deepEqual(await stand.faults(placed('cx33', 'fsn1')), [
      at('pools.ci.placements[0]', 'server type cx33 is not offered in fsn1; it is in nbg1, hel1'),
    ]);
  });

  it('what is gone is a warning to a caller who chooses among what can be had: one pool’s loss stops no other', async () => {
    const now = stand.cloud.clock.now();
    const ended = { announced: now - 100 * DAY, unavailableAfter: now - DAY };
    stand.cloud.hetzner.catalogue.deprecateServerType('cx33', ended, 'fsn1');
    const { warnings } = await stand.ask(placed('cx33', 'fsn1'), { choosesPlacements: true });
    assert.deepEqual(warnings, [
      at('pools.ci.placements[0]', 'server type cx33 is not offered in fsn1; it is in nbg1, hel1'),
    ]);
  });

  it('a sold-out placement is a warning, and the next one is taken', async () => {
    const { placements } = parsed(least).pools['ci']!;
    const [first, second] = placements;
    assert.deepEqual(choosePlacement(placements, (await stand.ask(least)).serverTypes), first);

    stand.cloud.hetzner.catalogue.setAvailable('cx33', false, 'fsn1');
    const { warnings, serverTypes } = await stand.ask(least);
    assert.deepEqual(warnings, [
      at(
        'pools.ci.placements[0]',
        'cx33 is sold out in fsn1 at the moment; later placements are used instead',
      ),
    ]);
    assert.deepEqual(choosePlacement(placements, serverTypes), second);

    stand.cloud.hetzner.catalogue.setAvailable('cpx32', false);
    assert.deepEqual(choosePlacement(placements, (await stand.ask(least)).serverTypes), first);
  });

  it('a deprecated image is a warning with its date', async () => {
    const since = stand.cloud.clock.now() - DAY;
    stand.cloud.hetzner.catalogue.deprecateImage('debian-11', since);
    const { warnings } = await stand.ask(withPool({ image: 'debian-11' }));
    assert.deepEqual(warnings, [
      at(
        'pools.ci.image',
        `image debian-11 is deprecated since ${new Date(since).toISOString().slice(0, 10)} and goes three months after that; move to a newer one`,
      ),
    ]);
  });

  it('an image that exists for the other architecture only is a fault', () => {
    const facts = {
      serverTypes: [
        { name: 'cx33', architecture: 'x86' as const, deprecation: null, prices: [], locations: [] },
      ],
      locations: [{ name: 'fsn1', network_zone: 'eu-central' }],
      images: [{ id: 1, name: 'debian-12', architecture: 'arm' as const, deprecated: null }],
      sshKeys: [],
      networks: [],
      servers: [],
    };
    assert.deepEqual(checkPlacements(parsed(placed('cx33', 'fsn1')), facts, 0, []), {
      warnings: [],
      faults: [
        {
          path: 'worker-pools:pools.ci.image',
          message:
            "image debian-12 is for arm, and cx33 (pools.ci.placements[0]) is x86; choose an image or a server type of the other's architecture",
        },
      ],
    });
  });

  it('an image that is gone is a fault', () => {
    const none = { serverTypes: [], locations: [], images: [], sshKeys: [], networks: [], servers: [] };
    assert.ok(
      checkPlacements(parsed(least), none, 0, []).faults.some(
        ({ path, message }) =>
          path === 'worker-pools:pools.ci.image' &&
          message === 'Hetzner has no image "debian-12"; see the list with `hcloud image list --type system`',
      ),
    );
  });

  it('another stack’s network is found by the stack’s name', async () => {
    const answer = (await stand.hetzner('POST', '/networks', {
      name: 'shared',
      ip_range: '10.30.0.0/16',
      subnets: [{ type: 'cloud', ip_range: '10.30.0.0/16', network_zone: 'eu-central' }],
    })) as { network: { id: number } };
    const { sharedNetwork } = await stand.ask({ ...least, network: { stack: 'acme/worker-pools/shared' } });
    assert.deepEqual(sharedNetwork, { id: answer.network.id, cidr: '10.30.0.0/16' });
    assert.equal((await stand.ask(least)).sharedNetwork, undefined);
  });

  it('all workers of the stack are read back from their labels, over several pages, and nobody else’s', async () => {
    const server = (name: string, labels: Record<string, string>): Promise<unknown> =>
      stand.hetzner('POST', '/servers', {
        name,
        server_type: 'cx33',
        location: 'fsn1',
        image: 'debian-12',
        public_net: { enable_ipv4: false, enable_ipv6: true },
        labels,
      });
    const labels = (serial: number) => ({
      'managed-by': 'hcloud-worker-pools',
      stack: 'production',
      pool: 'ci',
      'worker-id': `ci-${String(serial).padStart(4, '0')}`,
      'config-hash': '0123456789abcdef',
      'config-hash-version': '1',
    });
    const ids = Array.from({ length: 52 }, (_, index) => index + 1);
    for (const serial of ids.toReversed()) await server(`production-ci-${serial}`, labels(serial));
    await server('staging-ci-1', { ...labels(1), stack: 'staging' });
    await server('production-nat', { 'managed-by': 'hcloud-worker-pools', stack: 'production', role: 'nat' });
    await server('pet', {});
    await server('production-ci-renamed', { ...labels(90), 'config-hash-version': 'one' });

    const workers = labelledWorkers((await stand.ask(least)).servers);
    assert.deepEqual(
      workers.map(({ member }) => member.id),
      ids.map((serial) => labels(serial)['worker-id']),
    );
    assert.deepEqual(workers[0], {
      pool: 'ci',
      status: 'running',
      member: {
        id: 'ci-0001',
        configHash: '0123456789abcdef',
        configHashVersion: 1,
        serverType: 'cx33',
        location: 'fsn1',
        launchedAt: new Date(Math.floor(stand.cloud.clock.now() / 1000) * 1000).toISOString(),
      },
    });
  });
});
