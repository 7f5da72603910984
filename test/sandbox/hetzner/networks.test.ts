import assert from 'node:assert/strict';
import fc from 'fast-check';
import { allocateAddress } from '../../../sandbox/hetzner/network-addresses';
import { emptyProject, type Network, type Server } from '../../../sandbox/hetzner/state';
import { hetznerSettingsSchema } from '../../../sandbox/hetzner';
import { plainServer, startCloud, type Reply, type TestCloud } from './support';

const PRIVATE_ONLY = { public_net: { enable_ipv4: false, enable_ipv6: false }, start_after_create: false };
const SUBNET = { type: 'cloud', ip_range: '10.0.1.0/24', network_zone: 'eu-central' };

describe('hetzner networks', () => {
  let cloud: TestCloud;
  let network: number;
  beforeEach(async () => {
    cloud = await startCloud({ limits: { serversPerNetwork: 4 } });
    network = await cloud.make('/networks', { name: 'net', ip_range: '10.0.0.0/16' });
  });
  afterEach(() => cloud.close());

  const change = async (action: string, body: object): Promise<Reply> => {
    const reply = await cloud.call('POST', `/networks/${network}/actions/${action}`, body);
    cloud.advance(1);
    return reply;
  };
  const server = async (name: string, more: object = {}): Promise<number> => {
    const id = await cloud.make('/servers', plainServer(name, more));
    cloud.advance(10);
    return id;
  };
  const attach = (id: number, body: object = {}): Promise<Reply> =>
    cloud.call('POST', `/servers/${id}/actions/attach_to_network`, { network, ...body });
  const privateNet = async (id: number): Promise<unknown> =>
    (await cloud.call('GET', `/servers/${id}`)).get('server.private_net');

  it('start a private-only server once it hangs on a network', async () => {
    await change('add_subnet', SUBNET);
    const id = await server('w1', PRIVATE_ONLY);
    assert.equal((await cloud.call('GET', `/servers/${id}`)).get('server.status'), 'off');
    assert.equal((await cloud.call('POST', `/servers/${id}/actions/poweron`)).code, 'invalid_input');
    assert.equal((await attach(id)).status, 201);
    assert.deepEqual(await privateNet(id), []);
    cloud.advance(2);
    const [entry] = (await privateNet(id)) as { network: number; ip: string; mac_address: string }[];
    assert.deepEqual([entry?.network, entry?.ip], [network, '10.0.1.1']);
    assert.match(entry?.mac_address ?? '', /^86:00(:[0-9a-f]{2}){4}$/);
    await cloud.call('POST', `/servers/${id}/actions/poweron`);
    cloud.advance(2);
    assert.deepEqual(cloud.starts.at(-1)?.privateIps, ['10.0.1.1']);
    assert.equal(cloud.starts.at(-1)?.publicIpv4, undefined);
    assert.deepEqual((await cloud.call('GET', `/networks/${network}`)).get('network.servers'), [id]);
  });

  it('draw from the last subnet, from the one asked for, or give the very address asked for', async () => {
    const id = await server('a');
    assert.equal((await attach(id)).code, 'no_subnet_available');
    await change('add_subnet', { ...SUBNET, ip_range: '10.0.0.0/24' });
    await change('add_subnet', SUBNET);
    const rows: [object, string][] = [
      [{}, '10.0.1.1'],
      [{ ip_range: '10.0.0.0/24' }, '10.0.0.2'],
      [{ ip: '10.0.1.77', alias_ips: ['10.0.1.78'] }, '10.0.1.77'],
    ];
    for (const [index, [wish, ip]] of rows.entries()) {
      const other = index === 0 ? id : await server(`b${index}`);
      assert.equal((await attach(other, wish)).status, 201);
      cloud.advance(2);
      assert.equal((((await privateNet(other)) as { ip: string }[])[0] ?? { ip: '' }).ip, ip);
    }
    const last = await server('c');
    const refusals: [object, string][] = [
      [{ ip: '10.0.1.77' }, 'ip_not_available'],
      [{ ip: '10.0.1.78' }, 'ip_not_available'],
      [{ ip: '10.0.0.1' }, 'ip_not_available'],
      [{ ip: '10.0.1.255' }, 'ip_not_available'],
      [{ ip: '10.0.9.1' }, 'invalid_input'],
      [{ ip_range: '10.0.9.0/24' }, 'no_subnet_available'],
      [{ network: 42 }, 'not_found'],
    ];
    for (const [wish, code] of refusals)
      assert.equal((await attach(last, wish)).code, code, JSON.stringify(wish));
    assert.equal((await attach(id)).code, 'server_already_attached');
  });

  it('attach a new server before its first boot when they are named at creation', async () => {
    await change('add_subnet', SUBNET);
    const created = await cloud.call('POST', '/servers', plainServer('w', { networks: [network] }));
    assert.deepEqual(
      [created.get('next_actions.0.command'), created.get('next_actions.1.command')],
      ['attach_to_network', 'start_server'],
    );
    cloud.advance(12);
    assert.deepEqual(cloud.starts.at(-1)?.privateIps, ['10.0.1.1']);
  });

  it('refuse overlapping networks, too many servers, and another zone', async () => {
    await change('add_subnet', SUBNET);
    const id = await server('a');
    await attach(id);
    cloud.advance(2);
    const twin = await cloud.make('/networks', { name: 'twin', ip_range: '10.0.0.0/8', subnets: [SUBNET] });
    assert.equal((await attach(id, { network: twin })).code, 'networks_overlap');
    const abroad = await server('abroad', { server_type: 'cpx11', location: 'ash' });
    assert.equal((await attach(abroad)).code, 'incompatible_network_type');
    for (const name of ['b', 'c', 'd']) {
      await attach(await server(name));
      cloud.advance(2);
    }
    const refused = await attach(await server('e'));
    assert.deepEqual([refused.status, refused.code], [403, 'resource_limit_exceeded']);
  });

  it('keep a subnet while servers are attached, and take the network away from them when it goes', async () => {
    await change('add_subnet', SUBNET);
    const id = await server('a');
    await attach(id);
    cloud.advance(2);
    const refused = await change('delete_subnet', { ip_range: SUBNET.ip_range });
    assert.deepEqual([refused.status, refused.code], [422, 'service_error']);
    assert.match(String(refused.get('error.message')), /servers are attached/);
    assert.equal((await cloud.call('DELETE', `/networks/${network}`)).status, 204);
    assert.deepEqual(await privateNet(id), []);
  });

  it('detach with an action and free the address', async () => {
    await change('add_subnet', SUBNET);
    const id = await server('a');
    await attach(id);
    cloud.advance(2);
    const detach = (): Promise<Reply> =>
      cloud.call('POST', `/servers/${id}/actions/detach_from_network`, { network });
    assert.equal((await detach()).status, 201);
    cloud.advance(2);
    assert.deepEqual(await privateNet(id), []);
    assert.equal((await detach()).code, 'not_found');
    assert.equal((await change('delete_subnet', { ip_range: SUBNET.ip_range })).status, 201);
  });

  it('change one thing at a time: a second change meanwhile is a conflict', async () => {
    const path = `/networks/${network}/actions/add_subnet`;
    assert.equal((await cloud.call('POST', path, SUBNET)).status, 201);
    const second = await cloud.call('POST', path, { ...SUBNET, ip_range: '10.0.2.0/24' });
    assert.deepEqual([second.status, second.code], [409, 'conflict']);
  });

  const refusals: [string, string, object, string][] = [
    ['a subnet outside', 'add_subnet', { ...SUBNET, ip_range: '10.1.0.0/24' }, 'ip_range'],
    ['a subnet with host bits', 'add_subnet', { ...SUBNET, ip_range: '10.0.1.1/24' }, 'ip_range'],
    ['a subnet too small', 'add_subnet', { ...SUBNET, ip_range: '10.0.1.0/31' }, 'ip_range'],
    ['a subnet that overlaps', 'add_subnet', { ...SUBNET, ip_range: '10.0.0.0/25' }, 'ip_range'],
    ['an unknown zone', 'add_subnet', { ...SUBNET, network_zone: 'mars' }, 'network_zone'],
    ['a second zone', 'add_subnet', { ...SUBNET, network_zone: 'us-east' }, 'network_zone'],
    ['a subnet type', 'add_subnet', { ...SUBNET, type: 'tunnel' }, 'type'],
    ['a public destination', 'add_route', { destination: '8.8.8.0/24', gateway: '10.0.0.5' }, 'destination'],
    [
      'a destination in a subnet',
      'add_route',
      { destination: '10.0.0.0/28', gateway: '10.0.0.5' },
      'destination',
    ],
    [
      'the first address as gateway',
      'add_route',
      { destination: '0.0.0.0/0', gateway: '10.0.0.1' },
      'gateway',
    ],
    ['a gateway outside', 'add_route', { destination: '0.0.0.0/0', gateway: '10.9.0.5' }, 'gateway'],
    ['a range that leaves subnets out', 'change_ip_range', { ip_range: '10.1.0.0/16' }, 'ip_range'],
  ];
  for (const [what, action, body, field] of refusals) {
    it(`refuse ${what}, naming ${field}`, async () => {
      await change('add_subnet', { ...SUBNET, ip_range: '10.0.0.0/24' });
      const reply = await change(action, body);
      assert.deepEqual([reply.status, reply.code], [422, 'invalid_input']);
      assert.equal(reply.get('error.details.fields.0.name'), field);
    });
  }

  for (const range of ['8.8.0.0/16', '10.0.0.0/25', '10.0.0.1/16', '10.0.0.0', 'x']) {
    it(`are not made of ${range}`, async () => {
      const reply = await cloud.call('POST', '/networks', { name: 'n', ip_range: range });
      assert.equal(reply.get('error.details.fields.0.name'), 'ip_range');
    });
  }

  it('choose the next free /24 when a subnet names no range', async () => {
    await change('add_subnet', { ...SUBNET, ip_range: '10.0.0.0/24' });
    await change('add_subnet', { type: 'cloud', network_zone: 'eu-central' });
    const subnets = (await cloud.call('GET', `/networks/${network}`)).get('network.subnets');
    assert.deepEqual((subnets as { ip_range: string; gateway: string }[])[1], {
      type: 'cloud',
      ip_range: '10.0.1.0/24',
      network_zone: 'eu-central',
      gateway: '10.0.0.1',
      vswitch_id: null,
    });
  });

  it('lead private-only servers out through the running server that the default route names', async () => {
    await change('add_subnet', SUBNET);
    const gateway = await server('nat');
    await attach(gateway, { ip: '10.0.1.2' });
    cloud.advance(2);
    const worker = await server('w', PRIVATE_ONLY);
    await attach(worker);
    cloud.advance(2);
    assert.deepEqual(cloud.hetzner.egress(worker), { kind: 'none' });
    await change('add_route', { destination: '0.0.0.0/0', gateway: '10.0.1.2' });
    assert.deepEqual(cloud.hetzner.egress(worker), { kind: 'routed', gatewayServerId: gateway });
    assert.deepEqual(cloud.hetzner.egress(gateway), { kind: 'public' });
    await cloud.call('POST', `/servers/${gateway}/actions/poweroff`);
    cloud.advance(2);
    assert.deepEqual(cloud.hetzner.egress(worker), { kind: 'none' });
  });
});

describe('hetzner networks as their machines see them', () => {
  it('name the gateway, and send packets where the closest route points', async () => {
    const cloud = await startCloud();
    try {
      const network = await cloud.make('/networks', {
        name: 'pools',
        ip_range: '10.0.0.0/16',
        subnets: [SUBNET],
        routes: [
          { destination: '0.0.0.0/0', gateway: '10.0.1.2' },
          { destination: '192.168.0.0/16', gateway: '10.0.1.3' },
        ],
      });
      const id = await cloud.make('/servers', plainServer('w', { networks: [network] }));
      cloud.advance(20);
      const [seen] = cloud.hetzner.privateInterfaces(id);
      assert.deepEqual(
        [seen?.networkId, seen?.networkName, seen?.range, seen?.gateway, seen?.ip],
        [network, 'pools', '10.0.0.0/16', '10.0.0.1', '10.0.1.1'],
      );
      assert.equal(cloud.hetzner.nextHop(network, '192.0.2.1'), '10.0.1.2');
      assert.equal(cloud.hetzner.nextHop(network, '192.168.7.1'), '10.0.1.3');
      assert.equal(cloud.hetzner.nextHop(network + 1, '192.0.2.1'), undefined);
      assert.deepEqual(cloud.hetzner.privateInterfaces(999), []);
    } finally {
      await cloud.close();
    }
  });
});

describe('address allocation', () => {
  it('gives each server an address of its own inside the subnet, until there is none left', () => {
    fc.assert(
      fc.property(fc.integer({ min: 26, max: 30 }), fc.integer({ min: 0, max: 3 }), (bits, third) => {
        const project = emptyProject('p', 0, hetznerSettingsSchema.parse({}));
        const network = {
          id: 1,
          ipRange: '10.0.0.0/16',
          subnets: [{ type: 'cloud', ipRange: `10.0.${third}.0/${bits}`, networkZone: 'eu-central' }],
        } as unknown as Network;
        const given: string[] = [];
        const size = 2 ** (32 - bits);
        const usable = third === 0 ? size - 3 : size - 2;
        for (let id = 1; id <= usable; id += 1) {
          const ip = allocateAddress(project, network, {});
          given.push(ip);
          project.servers[id] = { privateNet: [{ network: 1, ip, aliasIps: [] }] } as unknown as Server;
        }
        assert.equal(new Set(given).size, usable);
        assert.ok(given.every((ip) => ip.startsWith(`10.0.${third}.`)));
        assert.equal(given.includes('10.0.0.1'), false);
        assert.throws(() => allocateAddress(project, network, {}), { code: 'no_subnet_available' });
      }),
    );
  });
});

describe('hetzner networks that go away', () => {
  it('while a server waits for them: its attachment and its start fail, and it is left off', async () => {
    const cloud = await startCloud();
    try {
      const body = { name: 'net', ip_range: '10.0.0.0/16', subnets: [SUBNET] };
      const network = await cloud.make('/networks', body);
      const created = await cloud.call('POST', '/servers', plainServer('w', { networks: [network] }));
      await cloud.call('DELETE', `/networks/${network}`);
      cloud.advance(30);
      const ids = [0, 1].map((index) => `id=${String(created.get(`next_actions.${index}.id`))}`).join('&');
      const polled = await cloud.call('GET', `/actions?${ids}`);
      assert.deepEqual([polled.get('actions.0.status'), polled.get('actions.1.status')], ['error', 'error']);
      const id = String(created.get('server.id'));
      const shown = await cloud.call('GET', `/servers/${id}`);
      assert.deepEqual([shown.get('server.status'), shown.get('server.locked')], ['off', false]);
      assert.deepEqual(cloud.told, []);
    } finally {
      await cloud.close();
    }
  });
});
