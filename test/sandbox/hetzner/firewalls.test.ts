import assert from 'node:assert/strict';
import { at, plainServer, startCloud, type Reply, type TestCloud } from './support';

const SSH = { direction: 'in', protocol: 'tcp', port: '22', source_ips: ['192.0.2.0/24'] };
const PRIVATE_ONLY = { public_net: { enable_ipv4: false, enable_ipv6: false }, start_after_create: false };

describe('hetzner firewalls', () => {
  let cloud: TestCloud;
  beforeEach(async () => {
    cloud = await startCloud();
  });
  afterEach(() => cloud.close());

  const firewall = (more: object = {}): Promise<number> =>
    cloud.make('/firewalls', { name: 'fw', rules: [SSH], ...more });
  const server = async (name: string, more: object = {}): Promise<number> => {
    const id = await cloud.make('/servers', plainServer(name, more));
    cloud.advance(12);
    return id;
  };
  const act = (id: number, action: string, body: object): Promise<Reply> =>
    cloud.call('POST', `/firewalls/${id}/actions/${action}`, body);
  const onServer = async (id: number): Promise<unknown> =>
    (await cloud.call('GET', `/servers/${id}`)).get('server.public_net.firewalls');
  const byServer = (id: number): object[] => [{ type: 'server', server: { id } }];
  const bySelector = (selector: string): object[] => [
    { type: 'label_selector', label_selector: { selector } },
  ];

  it('hold from the first boot when a server names them', async () => {
    const id = await firewall();
    const web = await server('web', { firewalls: [{ firewall: id }] });
    assert.deepEqual(await onServer(web), [{ id, status: 'applied' }]);
    assert.equal(cloud.hetzner.acceptsInbound(web, 22, '192.0.2.7'), true);
    assert.equal(cloud.hetzner.acceptsInbound(web, 22, '198.51.100.7'), false);
    assert.equal(cloud.hetzner.acceptsInbound(web, 443, '192.0.2.7'), false);
  });

  it('let everything in without a firewall, nothing with an empty one', async () => {
    const web = await server('web');
    assert.equal(cloud.hetzner.acceptsInbound(web, 443, '198.51.100.7'), true);
    const id = await firewall({ rules: [] });
    await act(id, 'apply_to_resources', { apply_to: byServer(web) });
    assert.deepEqual(await onServer(web), [{ id, status: 'pending' }]);
    assert.equal(cloud.hetzner.acceptsInbound(web, 443, '198.51.100.7'), true);
    cloud.advance(2);
    assert.deepEqual(await onServer(web), [{ id, status: 'applied' }]);
    assert.equal(cloud.hetzner.acceptsInbound(web, 443, '198.51.100.7'), false);
  });

  it('follow a label selector as labels and servers come and go', async () => {
    const id = await firewall({ apply_to: bySelector('pool=ci') });
    const member = await server('member', { labels: { pool: 'ci' } });
    const other = await server('other');
    assert.deepEqual([await onServer(member), await onServer(other)], [[{ id, status: 'applied' }], []]);
    await cloud.call('PUT', `/servers/${other}`, { labels: { pool: 'ci' } });
    await cloud.call('PUT', `/servers/${member}`, { labels: {} });
    assert.deepEqual([await onServer(member), await onServer(other)], [[], [{ id, status: 'pending' }]]);
    const shown = await cloud.call('GET', `/firewalls/${id}`);
    assert.deepEqual(shown.get('firewall.applied_to'), [
      {
        type: 'label_selector',
        label_selector: { selector: 'pool=ci' },
        applied_to_resources: [{ type: 'server', server: { id: other } }],
      },
    ]);
    const refused = await act(id, 'remove_from_resources', { remove_from: byServer(other) });
    assert.deepEqual([refused.status, refused.code], [422, 'firewall_managed_by_label_selector']);
  });

  it('cannot be deleted while they are applied', async () => {
    const web = await server('web');
    const id = await firewall({ apply_to: byServer(web) });
    const refused = await cloud.call('DELETE', `/firewalls/${id}`);
    assert.deepEqual([refused.status, refused.code], [422, 'resource_in_use']);
    await act(id, 'remove_from_resources', { remove_from: byServer(web) });
    assert.equal((await cloud.call('DELETE', `/firewalls/${id}`)).status, 204);
  });

  it('are let go by a server that is deleted', async () => {
    const id = await firewall();
    const web = await server('web', { firewalls: [{ firewall: id }] });
    await cloud.call('DELETE', `/servers/${web}`);
    cloud.advance(1);
    assert.deepEqual((await cloud.call('GET', `/firewalls/${id}`)).get('firewall.applied_to'), []);
  });

  it('take new rules with one action for themselves and one per server', async () => {
    const web = await server('web');
    const id = await firewall({ apply_to: byServer(web) });
    cloud.advance(2);
    const reply = await act(id, 'set_rules', { rules: [{ ...SSH, port: '80-85' }] });
    assert.deepEqual(
      (reply.get('actions') as unknown[]).map((action) => at(action, 'command')),
      ['set_firewall_rules', 'apply_firewall'],
    );
    assert.equal(cloud.hetzner.acceptsInbound(web, 83, '192.0.2.7'), true);
    assert.equal(cloud.hetzner.acceptsInbound(web, 86, '192.0.2.7'), false);
    const shown = await cloud.call('GET', `/firewalls/${id}`);
    assert.deepEqual(shown.get('firewall.rules'), [
      { ...SSH, port: '80-85', destination_ips: [], description: null },
    ]);
  });

  it('refuse targets that are applied, missing, named twice or without public net', async () => {
    const web = await server('web');
    const hidden = await server('hidden', PRIVATE_ONLY);
    const id = await firewall({ apply_to: byServer(web) });
    const rows: [object[], number, string][] = [
      [byServer(web), 422, 'firewall_already_applied'],
      [byServer(42), 404, 'firewall_resource_not_found'],
      [byServer(hidden), 422, 'private_net_only_server'],
      [[...bySelector('a'), ...bySelector('a')], 422, 'server_already_added'],
      [bySelector('a b'), 422, 'invalid_input'],
      [[{ type: 'planet' }], 422, 'invalid_input'],
    ];
    for (const [targets, status, code] of rows) {
      const reply = await act(id, 'apply_to_resources', { apply_to: targets });
      assert.deepEqual([reply.status, reply.code], [status, code]);
    }
    const made = await cloud.call('POST', '/firewalls', { name: 'x', apply_to: byServer(42) });
    assert.deepEqual([made.status, made.code], [422, 'firewall_resource_not_found']);
    const hiddenWith = plainServer('h2', { ...PRIVATE_ONLY, firewalls: [{ firewall: id }] });
    assert.equal((await cloud.call('POST', '/servers', hiddenWith)).code, 'private_net_only_server');
  });

  const badRules: [string, object, string][] = [
    ['host bits', { ...SSH, source_ips: ['192.0.2.1/24'] }, 'rules.0.source_ips'],
    ['IPv6 host bits', { ...SSH, source_ips: ['2001:db8::1/64'] }, 'rules.0.source_ips'],
    ['no address range', { ...SSH, source_ips: ['anywhere'] }, 'rules.0.source_ips'],
    ['no sources', { ...SSH, source_ips: [] }, 'rules.0.source_ips'],
    ['no port', { ...SSH, port: undefined }, 'rules.0.port'],
    ['a port for icmp', { ...SSH, protocol: 'icmp' }, 'rules.0.port'],
    ['a port too high', { ...SSH, port: '65536' }, 'rules.0.port'],
    ['a range backwards', { ...SSH, port: '85-80' }, 'rules.0.port'],
    ['no destinations', { ...SSH, direction: 'out', source_ips: [] }, 'rules.0.destination_ips'],
    ['an unknown protocol', { ...SSH, protocol: 'sctp' }, 'rules.0.protocol'],
    ['a long description', { ...SSH, description: 'x'.repeat(256) }, 'rules.0.description'],
    ['101 ranges', { ...SSH, source_ips: Array<string>(101).fill('0.0.0.0/0') }, 'rules.0.source_ips'],
  ];
  for (const [what, rule, field] of badRules) {
    it(`refuse a rule with ${what}, naming ${field}`, async () => {
      const reply = await cloud.call('POST', '/firewalls', { name: 'fw', rules: [rule] });
      assert.deepEqual([reply.status, reply.code], [422, 'invalid_input']);
      assert.equal(reply.get('error.details.fields.0.name'), field);
    });
  }

  it('hold fifty rules at most', async () => {
    await firewall({ rules: Array(50).fill(SSH) });
    const refused = await cloud.call('POST', '/firewalls', { name: 'b', rules: Array(51).fill(SSH) });
    assert.equal(refused.code, 'resource_limit_exceeded');
  });
});
