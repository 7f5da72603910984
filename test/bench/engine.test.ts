import assert from 'node:assert/strict';
import { partsOf } from '../../bench/engine/state';
import { difference, list, tally, total, writes } from '../../bench/engine/tally';
import { POOL, resized, SHAPES } from '../../bench/engine/workers';

const request = (vendor: string, method: string, path: string) => ({ vendor, method, path });

describe('a tally of calls', () => {
  const counts = tally([
    request('hetzner', 'GET', '/v1/server_types?name=cx33'),
    request('hetzner', 'GET', '/v1/servers/100000001'),
    request('hetzner', 'GET', '/v1/servers/100000002'),
    request('hetzner', 'POST', '/v1/servers/7/actions/attach_to_network'),
    request('tailscale', 'POST', '/api/v2/oauth/token'),
    request('tailscale', 'DELETE', '/api/v2/tailnet/-/keys/k8XlgZYElofCCNTRL'),
    request('cloudflare', 'GET', `/client/v4/zones/${'0a'.repeat(16)}/dns_records`),
  ]);

  it('is by vendor, method and path, without ids and queries', () => {
    assert.deepEqual(Object.fromEntries(counts), {
      'hetzner GET /server_types': 1,
      'hetzner GET /servers/{id}': 2,
      'hetzner POST /servers/{id}/actions/attach_to_network': 1,
      'tailscale POST /oauth/token': 1,
      'tailscale DELETE /tailnet/{id}/keys/{id}': 1,
      'cloudflare GET /zones/{id}/dns_records': 1,
    });
  });

  it('is summed by vendor, and by what changes something', () => {
    assert.equal(total(counts), 7);
    assert.equal(total(counts, 'hetzner'), 4);
    assert.equal(writes(counts), 2);
  });

  it('is listed with counts above one', () => {
    assert.equal(
      list(counts, 'hetzner'),
      'GET /server_types, 2 × GET /servers/{id}, POST /servers/{id}/actions/attach_to_network',
    );
    assert.equal(list(counts, 'nobody'), '');
  });

  it('above another one is divided, and what is equal is left out', () => {
    const more = tally([1, 2, 3, 4, 5].map((id) => request('hetzner', 'GET', `/v1/servers/${id}`)));
    const less = tally([request('hetzner', 'GET', '/v1/servers/1'), request('hetzner', 'GET', '/v1/images')]);
    assert.deepEqual(Object.fromEntries(difference(more, less, 2)), {
      'hetzner GET /servers/{id}': 2,
      'hetzner GET /images': -0.5,
    });
    assert.equal(difference(more, more).size, 0);
  });
});

describe('the membership of a benchmark', () => {
  const now = new Date('2026-01-01T00:00:00Z');

  it('grows by new members and shrinks by the oldest', () => {
    const shape = SHAPES[0]!;
    const three = resized({}, 3, shape, now);
    const two = resized(three, -1, shape, now);
    const ids = resized(two, 1, shape, now)[POOL]?.members.map(({ id }) => id);
    assert.deepEqual(ids, ['ci-0002', 'ci-0003', 'ci-0004']);
  });
});

describe('the parts of a state', () => {
  const urn = (type: string, name: string): string => `urn:pulumi:bench::worker-pools::${type}::${name}`;
  const worker = 'workerpools:index:WorkerPool$workerpools:index:Worker';
  const server = {
    urn: urn(`${worker}$hcloud:index/server:Server`, 'ci-0001-server'),
    type: 'hcloud:index/server:Server',
    inputs: { name: 'a', userData: 'x'.repeat(100) },
    dependencies: ['y'.repeat(50)],
  };
  const stack = (resources: object[]): string => JSON.stringify({ deployment: { resources } });

  it('tell user data from the rest, and sum up to the resource', () => {
    const parts = partsOf(stack([server]), 1);
    assert.equal(parts.get('server: user data in its inputs'), 102);
    assert.equal(parts.get('dependencies'), 54 + 'dependencies'.length + 4);
    const sum = [...parts.values()].reduce((total, bytes) => total + bytes, 0);
    // Braces are nobody's, and the last entry has no comma.
    assert.equal(sum, JSON.stringify(server).length - 1);
  });

  it('are averaged over the workers, and leave out what no worker has', () => {
    const pool = { urn: urn('workerpools:index:WorkerPool', 'ci'), type: 'workerpools:index:WorkerPool' };
    assert.deepEqual(partsOf(stack([server, server, pool]), 2), partsOf(stack([server]), 1));
  });
});
