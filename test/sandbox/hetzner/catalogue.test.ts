import assert from 'node:assert/strict';
import { at, plainServer, startCloud, type TestCloud } from './support';

describe('hetzner catalogue', () => {
  let cloud: TestCloud;
  beforeEach(async () => {
    cloud = await startCloud();
  });
  afterEach(() => cloud.close());

  const types = async (): Promise<unknown[]> =>
    (await cloud.call('GET', '/server_types?per_page=50')).get('server_types') as unknown[];

  it('has no type that is gone, and says where each type is sold and at what price', async () => {
    const all = await types();
    const names = all.map((type) => at(type, 'name'));
    for (const gone of ['cx11', 'cx22', 'cx52']) assert.equal(names.includes(gone), false);
    for (const type of all) {
      const places = (at(type, 'locations') as unknown[]).map((place) => at(place, 'name'));
      const prices = at(type, 'prices') as unknown[];
      assert.deepEqual(
        prices.map((price) => at(price, 'location')),
        places,
      );
      for (const price of prices) {
        assert.match(String(at(price, 'price_hourly.net')), /^\d+\.\d{10}$/);
        assert.ok(Number(at(price, 'price_hourly.gross')) > Number(at(price, 'price_hourly.net')));
      }
    }
  });

  it('quotes cx23 in Falkenstein as the vendor did in September 2026', async () => {
    const [cx23] = (await types()).filter((type) => at(type, 'name') === 'cx23');
    assert.deepEqual(
      [at(cx23, 'prices.0.price_hourly.gross'), at(cx23, 'prices.0.price_monthly.gross')].map(Number),
      [0.010472, 6.5331],
    );
  });

  it('has every system image for both architectures', async () => {
    for (const architecture of ['x86', 'arm']) {
      for (const name of [
        'debian-11',
        'debian-12',
        'debian-13',
        'ubuntu-22.04',
        'ubuntu-24.04',
        'ubuntu-26.04',
      ]) {
        const found = await cloud.call('GET', `/images?name=${name}&architecture=${architecture}`);
        assert.equal((found.get('images') as unknown[]).length, 1, `${name} ${architecture}`);
      }
    }
    const arm = plainServer('arm', { server_type: 'cax11', image: 'debian-13' });
    const reply = await cloud.call('POST', '/servers', arm);
    assert.equal(reply.get('server.image.architecture'), 'arm');
  });

  it('names six locations in four zones', async () => {
    const list = (await cloud.call('GET', '/locations')).get('locations') as unknown[];
    assert.deepEqual(
      list.map((place) => `${String(at(place, 'name'))} ${String(at(place, 'network_zone'))}`),
      [
        'fsn1 eu-central',
        'nbg1 eu-central',
        'hel1 eu-central',
        'ash us-east',
        'hil us-west',
        'sin ap-southeast',
      ],
    );
  });

  it('takes a snapshot for one project from a test', async () => {
    const project = cloud.hetzner.projects[0]?.id ?? '';
    const id = cloud.hetzner.catalogue.addSnapshot(project, {
      description: 'golden',
      architecture: 'x86',
      diskSize: 40,
      labels: { role: 'worker' },
    });
    const found = await cloud.call('GET', '/images?label_selector=role%3Dworker');
    assert.equal(found.get('images.0.id'), id);
    const deleted = await cloud.call('DELETE', `/images/${id}`);
    assert.equal(deleted.status, 204);
    assert.equal((await cloud.call('DELETE', '/images/114690387')).code, 'invalid_input');
  });

  it('does not let a test turn what is not there', () => {
    const { catalogue } = cloud.hetzner;
    assert.throws(() => catalogue.setAvailable('cx22', false), /no server type "cx22"/);
    assert.throws(() => catalogue.setAvailable('cx23', false, 'ash'), /not offered in "ash"/);
    assert.throws(() => catalogue.setLocationOpen('mars1', false), /no location "mars1"/);
    assert.throws(() => catalogue.deprecateImage('debian-99', 0), /no image "debian-99"/);
  });
});
