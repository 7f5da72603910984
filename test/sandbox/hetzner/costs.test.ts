import assert from 'node:assert/strict';
import { plainServer, startCloud, type TestCloud } from './support';

const HOUR = 3600;
const IPV6_ONLY = { public_net: { enable_ipv4: false, enable_ipv6: true } };

describe('hetzner costs', () => {
  let cloud: TestCloud;
  beforeEach(async () => {
    cloud = await startCloud();
  });
  afterEach(() => cloud.close());

  const report = () => {
    const [project] = cloud.hetzner.costReport();
    assert.ok(project);
    return project;
  };

  it('count every started hour from creation to deletion, addresses apart', async () => {
    const id = await cloud.make('/servers', plainServer('web'));
    assert.deepEqual([report().servers[0]?.hoursStarted, report().servers[0]?.net], [1, 0.0088]);
    cloud.advance(HOUR + 1);
    await cloud.call('DELETE', `/servers/${id}`);
    cloud.advance(100 * HOUR);
    const { servers, primaryIps, net, gross } = report();
    assert.deepEqual(servers, [
      {
        id,
        name: 'web',
        type: 'cx23',
        location: 'fsn1',
        createdAt: '2026-10-05T10:00:00.000Z',
        deletedAt: '2026-10-05T11:00:02.000Z',
        hoursStarted: 2,
        net: 0.0176,
        gross: 0.020944,
      },
    ]);
    assert.deepEqual(
      primaryIps.map((ip) => [ip.type, ip.hoursStarted, ip.net]),
      [['ipv4', 2, 0.0016]],
    );
    assert.deepEqual([net, gross], [0.0192, 0.022848]);
  });

  it('go on for a server that is off', async () => {
    const id = await cloud.make('/servers', plainServer('web', IPV6_ONLY));
    cloud.advance(10);
    await cloud.call('POST', `/servers/${id}/actions/poweroff`);
    cloud.advance(5 * HOUR - 10);
    assert.equal(report().net, 0.044);
  });

  it('keep the price of the day of creation', async () => {
    await cloud.make('/servers', plainServer('old', IPV6_ONLY));
    cloud.hetzner.catalogue.setPrice('cx23', { hourly: 0.02, monthly: 12 });
    await cloud.make('/servers', plainServer('new', IPV6_ONLY));
    cloud.advance(HOUR);
    assert.deepEqual(
      report().servers.map((server) => server.net),
      [0.0088, 0.02],
    );
    const type = await cloud.call('GET', '/server_types?name=cx23');
    assert.equal(type.get('server_types.0.prices.0.price_hourly.net'), '0.0200000000');
  });

  it('start a new line at the price of now when the type changes', async () => {
    const id = await cloud.make('/servers', plainServer('web', IPV6_ONLY));
    cloud.advance(10);
    await cloud.call('POST', `/servers/${id}/actions/poweroff`);
    cloud.advance(2);
    await cloud.call('POST', `/servers/${id}/actions/change_type`, {
      server_type: 'cx33',
      upgrade_disk: false,
    });
    cloud.advance(2 * HOUR);
    assert.deepEqual(
      report().servers.map((server) => [server.id, server.type, server.hoursStarted]),
      [
        [id, 'cx23', 1],
        [id, 'cx33', 2],
      ],
    );
  });

  it('come together by a label, with the addresses made with the servers and the most at one instant', async () => {
    const labelled = (name: string, pool: string) => plainServer(name, { labels: { pool } });
    const first = await cloud.make('/servers', labelled('ci-1', 'ci'));
    await cloud.make('/servers', labelled('ci-2', 'ci'));
    await cloud.make('/servers', plainServer('other'));
    cloud.advance(HOUR);
    await cloud.call('DELETE', `/servers/${first}`);
    cloud.advance(HOUR);
    await cloud.make('/servers', labelled('ci-3', 'ci'));
    await cloud.make('/servers', labelled('web-1', 'web'));
    const { ci, web, ...rest } = cloud.hetzner.fleetReport('pool');
    assert.deepEqual(rest, {});
    assert.deepEqual(ci, {
      servers: 3,
      alive: 2,
      peak: 2,
      names: ['ci-2', 'ci-3'],
      hoursStarted: 5,
      net: 0.048,
      gross: 0.05712,
    });
    assert.deepEqual([web?.servers, web?.peak, web?.hoursStarted, web?.net], [1, 1, 1, 0.0096]);
  });

  it('count a rescaled server once, also at the instant of the change', async () => {
    const id = await cloud.make('/servers', plainServer('ci-1', { labels: { pool: 'ci' } }));
    cloud.advance(10);
    await cloud.call('POST', `/servers/${id}/actions/poweroff`);
    cloud.advance(2);
    await cloud.call('POST', `/servers/${id}/actions/change_type`, {
      server_type: 'cx33',
      upgrade_disk: false,
    });
    cloud.advance(HOUR);
    const { ci } = cloud.hetzner.fleetReport('pool');
    assert.deepEqual([ci?.servers, ci?.alive, ci?.peak], [1, 1, 1]);
  });

  it('are quoted the same in types and in pricing', async () => {
    const pricing = await cloud.call('GET', '/pricing');
    const types = await cloud.call('GET', '/server_types?per_page=50');
    assert.deepEqual(
      (pricing.get('pricing.server_types') as { prices: unknown }[]).map((type) => type.prices),
      (types.get('server_types') as { prices: unknown }[]).map((type) => type.prices),
    );
    assert.equal(pricing.get('pricing.currency'), 'EUR');
    assert.equal(pricing.get('pricing.vat_rate'), '19.000000');
  });
});
