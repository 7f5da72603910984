import assert from 'node:assert/strict';
import { plainServer, startCloud, type Reply, type TestCloud } from './support';

describe('hetzner primary IPs', () => {
  let cloud: TestCloud;
  beforeEach(async () => {
    cloud = await startCloud();
  });
  afterEach(() => cloud.close());

  const ip = (more: object = {}): Promise<number> =>
    cloud.make('/primary_ips', { name: 'p', type: 'ipv4', location: 'fsn1', ...more });
  const act = async (id: number, action: string, body?: object): Promise<Reply> => {
    const reply = await cloud.call('POST', `/primary_ips/${id}/actions/${action}`, body);
    cloud.advance(2);
    return reply;
  };
  const server = async (name: string, more: object = {}): Promise<number> => {
    const id = await cloud.make('/servers', plainServer(name, more));
    cloud.advance(12);
    return id;
  };

  it('come with a server and go with it, one of each family', async () => {
    const id = await server('web');
    const list = await cloud.call('GET', '/primary_ips?sort=id');
    assert.deepEqual(
      [0, 1].map((n) => [
        list.get(`primary_ips.${n}.type`),
        list.get(`primary_ips.${n}.assignee_id`),
        list.get(`primary_ips.${n}.assignee_type`),
        list.get(`primary_ips.${n}.auto_delete`),
        list.get(`primary_ips.${n}.location.name`),
        list.get(`primary_ips.${n}.datacenter`),
      ]),
      ['ipv4', 'ipv6'].map((type) => [type, id, 'server', true, 'fsn1', undefined]),
    );
    assert.equal(list.get('primary_ips.1.ip'), '2001:db8:0:1::/64');
  });

  it('outlive the server when they were made on their own', async () => {
    const id = await ip();
    const web = await server('web', { public_net: { enable_ipv4: true, enable_ipv6: false, ipv4: id } });
    const used = await cloud.call('GET', `/primary_ips/${id}`);
    assert.equal(used.get('primary_ip.assignee_id'), web);
    assert.equal((await cloud.call('DELETE', `/primary_ips/${id}`)).code, 'must_be_unassigned');
    const twice = plainServer('b', { public_net: { enable_ipv4: true, ipv4: id } });
    assert.equal((await cloud.call('POST', '/servers', twice)).code, 'primary_ip_assigned');
    await cloud.call('DELETE', `/servers/${web}`);
    cloud.advance(1);
    const free = await cloud.call('GET', `/primary_ips/${id}`);
    assert.deepEqual(
      [free.get('primary_ip.assignee_id'), free.get('primary_ip.assignee_type')],
      [null, 'unassigned'],
    );
    assert.equal((await cloud.call('DELETE', `/primary_ips/${id}`)).status, 204);
  });

  it('fit only a server in their location and of their family', async () => {
    const far = await ip({ location: 'nbg1' });
    const six = await ip({ name: 'six', type: 'ipv6' });
    const rows: [number, string, number][] = [
      [far, 'primary_ip_datacenter_mismatch', 422],
      [six, 'primary_ip_version_mismatch', 412],
      [42, 'invalid_input', 422],
    ];
    for (const [ipv4, code, status] of rows) {
      const body = plainServer('web', { public_net: { enable_ipv4: true, ipv4 } });
      const reply = await cloud.call('POST', '/servers', body);
      assert.deepEqual([reply.code, reply.status], [code, status]);
    }
  });

  it('are moved between stopped servers only', async () => {
    const id = await ip();
    const web = await server('web', { public_net: { enable_ipv4: false, enable_ipv6: true } });
    const body = { assignee_id: web, assignee_type: 'server' };
    assert.equal((await act(id, 'assign', body)).code, 'server_not_stopped');
    await cloud.call('POST', `/servers/${web}/actions/poweroff`);
    cloud.advance(2);
    assert.equal((await act(id, 'assign', body)).status, 201);
    assert.equal((await act(id, 'assign', body)).code, 'primary_ip_already_assigned');
    const second = await ip({ name: 'q' });
    assert.equal((await act(second, 'assign', body)).code, 'server_has_ipv4');
    const shown = await cloud.call('GET', `/servers/${web}`);
    assert.equal(shown.get('server.public_net.ipv4.id'), id);
    assert.equal((await act(id, 'unassign')).status, 201);
    assert.equal((await cloud.call('GET', `/servers/${web}`)).get('server.public_net.ipv4'), null);
  });

  it('keep names unique and protection', async () => {
    const id = await ip();
    const twin = await cloud.call('POST', '/primary_ips', { name: 'p', type: 'ipv4', location: 'fsn1' });
    assert.deepEqual([twin.status, twin.get('error.details.fields.0.name')], [409, 'name']);
    await act(id, 'change_protection', { delete: true });
    assert.deepEqual((await cloud.call('DELETE', `/primary_ips/${id}`)).code, 'protected');
    await act(id, 'change_dns_ptr', { ip: '127.77.0.1', dns_ptr: 'host.example.com' });
    const shown = await cloud.call('GET', `/primary_ips/${id}`);
    assert.deepEqual(shown.get('primary_ip.dns_ptr'), [{ ip: '127.77.0.1', dns_ptr: 'host.example.com' }]);
  });

  it('that have run out refuse a server and leave nothing behind', async () => {
    cloud.freeAddresses.clear();
    const reply = await cloud.call('POST', '/servers', plainServer('web'));
    assert.deepEqual([reply.status, reply.code], [412, 'resource_unavailable']);
    for (const list of ['servers', 'primary_ips']) {
      assert.deepEqual((await cloud.call('GET', `/${list}`)).get(list), []);
    }
  });
});
