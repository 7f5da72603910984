import assert from 'node:assert/strict';
import { openCatalogue, pricedPlacements, priceOfWorker } from '../../../automation/observe/catalogue';
import { deprecationsInUse } from '../../../automation/observe/deprecations';
import { ciPool, least, parsed, withPool, type Raw } from '../../components/configs';
import { ObserverStand } from './stand';

const DAY = 86_400;
/** Gross prices of the local cloud: net and 19 % on top. */
const gross = (net: number): number => Number((net * 1.19).toFixed(6));

describe('catalogue', () => {
  const stand = new ObserverStand();
  const open = () => openCatalogue(stand.hetzner, stand.access);
  const reads = (): string[] => stand.calls().sort();
  const ALL = ['GET /v1/images', 'GET /v1/locations', 'GET /v1/pricing', 'GET /v1/server_types'];
  const pool = (changes: Raw = {}) => parsed(withPool(changes)).pools['ci']!;

  it('has regions, server types, images and what is available now', async () => {
    stand.sandbox.hetzner.catalogue.setAvailable('cx33', false, 'fsn1');
    const catalogue = await open().read();
    assert.equal(catalogue.at, stand.now());
    assert.deepEqual(
      catalogue.locations.map(({ name, city, network_zone }) => [name, city, network_zone])[0],
      ['fsn1', 'Falkenstein', 'eu-central'],
    );
    const cx33 = catalogue.serverTypes.find(({ name }) => name === 'cx33');
    assert.deepEqual([cx33?.cores, cx33?.memory, cx33?.disk], [4, 8, 80]);
    assert.deepEqual(
      cx33?.locations.map(({ name, available }) => [name, available]),
      [
        ['fsn1', false],
        ['nbg1', true],
        ['hel1', true],
      ],
    );
    assert.ok(
      catalogue.images.some(({ name, architecture }) => name === 'debian-12' && architecture === 'arm'),
    );
    assert.deepEqual(reads(), ALL);
  });

  it('is read again after a minute: only what sells out', async () => {
    const catalogue = open();
    await catalogue.read();
    await stand.sandbox.advance(60);
    const before = await catalogue.read();
    assert.deepEqual(reads(), ALL);
    stand.sandbox.hetzner.catalogue.setAvailable('cx33', false, 'fsn1');
    await stand.sandbox.advance(1);
    const after = await catalogue.read();
    assert.deepEqual(reads(), [...ALL, 'GET /v1/server_types']);
    assert.notDeepEqual(after.serverTypes, before.serverTypes);
    await stand.sandbox.advance(3600);
    await catalogue.read();
    assert.deepEqual(reads(), [...ALL, 'GET /v1/server_types', ...ALL].sort());
  });

  it('is as old as the caller allows, and 0 means anew', async () => {
    const catalogue = open();
    await catalogue.read(3600);
    await stand.sandbox.advance(3000);
    await catalogue.read(3600);
    assert.equal(reads().length, 4);
    await catalogue.read(0);
    assert.deepEqual(reads(), [...ALL, ...ALL].sort());
  });

  it('is read once for all who ask at the same time', async () => {
    const catalogue = open();
    await Promise.all([catalogue.read(), catalogue.read(), catalogue.read()]);
    assert.deepEqual(reads(), ALL);
  });

  it('that cannot be read leaves the last one', async () => {
    const catalogue = open();
    assert.equal(catalogue.latest, undefined);
    const read = await catalogue.read();
    stand.sandbox.faults.add({ path: '/v1/server_types', status: 500, code: 'server_error', times: null });
    await stand.sandbox.advance(61);
    await assert.rejects(catalogue.read(), { name: 'VendorError', status: 500 });
    assert.deepEqual(catalogue.latest, read);
    stand.sandbox.faults.clear();
    assert.notDeepEqual((await catalogue.read()).at, read.at);
  });

  it('is left alone while only the reserve of requests is left', async () => {
    const headers = new Headers({ 'ratelimit-limit': '3600', 'ratelimit-remaining': '599' });
    stand.meter.observe({ vendor: 'Hetzner', method: 'GET', status: 200, headers }, stand.now());
    await assert.rejects(open().read(), {
      message: 'the project has 599 of 3600 requests an hour left; the catalogue has to wait',
    });
    assert.deepEqual(reads(), []);
  });

  describe('prices', () => {
    it('are gross, with the address where the pool has one', async () => {
      const catalogue = await open().read();
      const at = { serverType: 'cx23', location: 'fsn1' };
      const near = (price: number | undefined, expected: number): void =>
        assert.ok(Math.abs(price! - expected) < 1e-9, `${price} and not ${expected}`);
      near(priceOfWorker(catalogue, at, false)?.hourly, gross(0.0088));
      near(priceOfWorker(catalogue, at, false)?.monthly, gross(5.49));
      near(priceOfWorker(catalogue, at, true)?.hourly, gross(0.0088) + gross(0.0008));
      near(priceOfWorker(catalogue, at, true)?.monthly, gross(5.49) + gross(0.5));
      assert.equal(priceOfWorker(catalogue, { ...at, location: 'ash' }, true), undefined);
    });

    it('of a pool’s placements come in its order, what is sold out last', async () => {
      const placements = [
        { serverType: 'cx33', location: 'fsn1' },
        { serverType: 'cx33', location: 'nbg1' },
        { serverType: 'cpx32', location: 'nbg1' },
      ];
      stand.sandbox.hetzner.catalogue.setAvailable('cx33', false, 'fsn1');
      const priced = pricedPlacements(pool({ placements }), await open().read(), stand.now());
      assert.deepEqual(
        priced.placements.map(({ serverType, location, available }) => [serverType, location, available]),
        [
          ['cx33', 'nbg1', true],
          ['cpx32', 'nbg1', true],
          ['cx33', 'fsn1', false],
        ],
      );
      assert.deepEqual(priced.skipped, []);
      const catalogue = await open().read();
      for (const { price, monthly, ...placement } of priced.placements)
        assert.deepEqual({ hourly: price, monthly }, priceOfWorker(catalogue, placement, true));
    });

    it('skip what has ended or never was, with the reason', async () => {
      const end = stand.now() + 20 * DAY;
      const announced = stand.now() - DAY;
      stand.sandbox.hetzner.catalogue.deprecateServerType(
        'cpx32',
        { announced: announced * 1000, unavailableAfter: end * 1000 },
        'nbg1',
      );
      const placements = [
        { serverType: 'cx33', location: 'fsn1' },
        { serverType: 'cpx32', location: 'nbg1' },
        { serverType: 'cx33', location: 'ash' },
        { serverType: 'cx22', location: 'fsn1' },
      ];
      const catalogue = await open().read();
      const skippedAt = (now: number) =>
        pricedPlacements(pool({ placements }), catalogue, now).skipped.map(({ reason }) => reason);
      const lasting = ['Hetzner does not offer cx33 in ash', 'Hetzner offers no server type cx22 any more'];
      assert.deepEqual(skippedAt(end - 1), lasting);
      assert.deepEqual(skippedAt(end + 1), [
        `cpx32 cannot be ordered in nbg1 since ${new Date(end * 1000).toISOString().slice(0, 10)}`,
        ...lasting,
      ]);
    });
  });

  describe('deprecations in use', () => {
    const member = {
      id: 'ci-0001',
      configHash: 'abc',
      configHashVersion: 1,
      serverType: 'cx43',
      location: 'hel1',
      launchedAt: '2026-11-01T00:00:00Z',
    };
    const ends = (days: number) => {
      const end = Math.floor(stand.now()) + days * DAY;
      return { announced: (stand.now() - DAY) * 1000, unavailableAfter: end * 1000 };
    };
    const iso = (milliseconds: number): string => new Date(milliseconds).toISOString();

    it('are none where nothing ends', async () => {
      assert.deepEqual(deprecationsInUse(parsed(least), [], await open().read(), stand.now()), []);
    });

    it('are types of the file, of members and of the gateway, each once, the soonest first', async () => {
      const { catalogue } = stand.sandbox.hetzner;
      const [file, running, gateway] = [ends(20), ends(10), ends(30)];
      catalogue.deprecateServerType('cx33', file, 'fsn1');
      catalogue.deprecateServerType('cx43', running, 'hel1');
      catalogue.deprecateServerType('cx23', gateway);
      const config = parsed({
        ...least,
        pools: { ci: ciPool, other: ciPool },
        network: {
          cidr: '10.20.0.0/16',
          zone: 'eu-central',
          natGateway: { serverType: 'cx23', location: 'nbg1', image: 'debian-12' },
        },
      });
      assert.deepEqual(deprecationsInUse(config, [member], await open().read(), stand.now()), [
        { what: 'server type cx43 in hel1', until: iso(running.unavailableAfter) },
        { what: 'server type cx33 in fsn1', until: iso(file.unavailableAfter) },
        { what: 'server type cx23 in nbg1', until: iso(gateway.unavailableAfter) },
      ]);
    });

    it('have no date any more once it is past', async () => {
      stand.sandbox.hetzner.catalogue.deprecateServerType('cx43', ends(10), 'hel1');
      const catalogue = await open().read();
      assert.deepEqual(deprecationsInUse(parsed(least), [member], catalogue, stand.now() + 11 * DAY), [
        { what: 'server type cx43 in hel1' },
      ]);
    });

    it('are images, which go three months after their date', async () => {
      stand.sandbox.hetzner.catalogue.deprecateImage('debian-12', Date.UTC(2026, 8, 30));
      const found = deprecationsInUse(parsed(least), [], await open().read(), Date.UTC(2026, 10, 1) / 1000);
      assert.deepEqual(found, [{ what: 'image debian-12', until: '2026-12-30T00:00:00.000Z' }]);
    });
  });
});
