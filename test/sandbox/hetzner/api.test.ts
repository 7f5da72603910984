import assert from 'node:assert/strict';
import { at, plainServer, START, startCloud, type TestCloud } from './support';

describe('hetzner api', () => {
  let cloud: TestCloud;
  beforeEach(async () => {
    cloud = await startCloud({ projects: ['one', 'two'] });
  });
  afterEach(() => cloud.close());

  const tokens = (): string[] => cloud.hetzner.projects.flatMap((p) => [p.token, p.readOnlyToken]);

  it('has two tokens of 64 characters for each project', () => {
    assert.equal(new Set(tokens()).size, 4);
    for (const token of tokens()) assert.match(token, /^[A-Za-z0-9]{64}$/);
  });

  const refusals: [string, string, string, string | undefined, number, string][] = [
    ['no token', 'GET', '/servers', 'none', 401, 'unauthorized'],
    ['an unknown token', 'GET', '/servers', 'x'.repeat(64), 401, 'unauthorized'],
    ['an unknown path', 'GET', '/no_such_things', undefined, 404, 'not_found'],
    ['a wrong method', 'DELETE', '/servers', undefined, 405, 'method_not_allowed'],
    ['a wrong method on an action', 'GET', '/server_types/1/actions/x', undefined, 404, 'not_found'],
    ['an id that is none', 'GET', '/servers/web-1', undefined, 404, 'not_found'],
    ['datacenters', 'GET', '/datacenters', undefined, 410, 'deprecated_api_endpoint'],
    ['a page of nothing', 'GET', '/servers?page=0', undefined, 422, 'invalid_input'],
    ['a page too big', 'GET', '/servers?per_page=51', undefined, 422, 'invalid_input'],
    ['an unknown order', 'GET', '/servers?sort=colour', undefined, 422, 'invalid_input'],
    ['a broken selector', 'GET', '/servers?label_selector=a%20in%20(', undefined, 422, 'invalid_input'],
    ['actions without ids', 'GET', '/actions', undefined, 422, 'invalid_input'],
    ['load balancers', 'POST', '/load_balancers', undefined, 422, 'unsupported_error'],
  ];
  for (const [what, method, path, token, status, code] of refusals) {
    it(`refuses ${what} with ${status} ${code} as JSON`, async () => {
      const reply = await cloud.call(method, path, undefined, token);
      assert.deepEqual([reply.status, reply.code], [status, code]);
      assert.match(reply.headers.get('content-type') ?? '', /^application\/json/);
      assert.equal(typeof reply.get('error.message'), 'string');
      assert.ok('details' in (reply.get('error') as object));
      if (code === 'invalid_input') assert.ok(Array.isArray(reply.get('error.details.fields')));
    });
  }

  it('refuses a body that is not JSON with 400 json_error', async () => {
    const response = await cloud.raw('/servers', {
      method: 'POST',
      headers: {
        authorization: `Bearer ${cloud.hetzner.projects[0]?.token}`,
        'content-type': 'application/json',
      },
      body: '{"name": ',
    });
    assert.equal(response.status, 400);
    assert.equal(at(await response.json(), 'error.code'), 'json_error');
  });

  it('lets a read-only token read and nothing else', async () => {
    const token = cloud.hetzner.projects[0]?.readOnlyToken;
    assert.equal((await cloud.call('GET', '/servers', undefined, token)).status, 200);
    const write = await cloud.call('POST', '/servers', plainServer('web-1'), token);
    assert.deepEqual([write.status, write.code], [401, 'token_readonly']);
  });

  it('keeps projects apart', async () => {
    const id = await cloud.make('/placement_groups', { name: 'g', type: 'spread' });
    const other = cloud.hetzner.projects[1]?.token;
    assert.equal((await cloud.call('GET', `/placement_groups/${id}`, undefined, other)).status, 404);
    const same = await cloud.call('POST', '/placement_groups', { name: 'g', type: 'spread' }, other);
    assert.equal(same.status, 201);
  });

  it('pages through a list with meta and Link', async () => {
    for (let n = 1; n <= 5; n += 1) await cloud.make('/placement_groups', { name: `g${n}`, type: 'spread' });
    const page = await cloud.call('GET', '/placement_groups?page=2&per_page=2&sort=name:desc');
    assert.deepEqual(
      (page.get('placement_groups') as unknown[]).map((group) => at(group, 'name')),
      ['g3', 'g2'],
    );
    assert.deepEqual(page.get('meta.pagination'), {
      page: 2,
      per_page: 2,
      previous_page: 1,
      next_page: 3,
      last_page: 3,
      total_entries: 5,
    });
    const base = `${cloud.url}/v1/placement_groups`;
    assert.equal(
      page.headers.get('link'),
      [
        `<${base}?page=1&per_page=2&sort=name%3Adesc>; rel="prev"`,
        `<${base}?page=3&per_page=2&sort=name%3Adesc>; rel="next"`,
        `<${base}?page=3&per_page=2&sort=name%3Adesc>; rel="last"`,
      ].join(', '),
    );
    const last = await cloud.call('GET', '/placement_groups?page=3&per_page=2');
    assert.equal(last.get('meta.pagination.next_page'), null);
  });

  for (const kind of ['load_balancers', 'load_balancer_types', 'certificates', 'floating_ips', 'isos']) {
    it(`lists no ${kind}, in the order that the vendor's command line asks for`, async () => {
      const reply = await cloud.call('GET', `/${kind}?page=1&per_page=50&sort=id%3Aasc`);
      assert.deepEqual([reply.status, reply.get(kind)], [200, []]);
    });
  }

  it('gives every answer a correlation id of its own', async () => {
    const ids = await Promise.all(
      [1, 2].map(async () => (await cloud.call('GET', '/servers')).headers.get('x-correlation-id')),
    );
    assert.notEqual(ids[0], null);
    assert.notEqual(ids[0], ids[1]);
  });
});

describe('hetzner rate limit', () => {
  it('empties a bucket per project, answers 429 with its headers, and refills by the clock', async () => {
    const cloud = await startCloud({ projects: ['one', 'two'], rateLimitPerHour: 4 });
    try {
      const first = await cloud.call('GET', '/servers');
      assert.deepEqual(
        ['ratelimit-limit', 'ratelimit-remaining', 'ratelimit-reset'].map((name) => first.headers.get(name)),
        ['4', '3', String(START / 1000 + 900)],
      );
      for (let n = 0; n < 3; n += 1) await cloud.call('GET', '/no_such_path');
      const empty = await cloud.call('GET', '/servers');
      assert.deepEqual([empty.status, empty.code], [429, 'rate_limit_exceeded']);
      assert.equal(empty.headers.get('ratelimit-remaining'), '0');
      const other = cloud.hetzner.projects[1]?.token;
      assert.equal((await cloud.call('GET', '/servers', undefined, other)).status, 200);
      const readOnly = cloud.hetzner.projects[0]?.readOnlyToken;
      assert.equal((await cloud.call('GET', '/servers', undefined, readOnly)).status, 429);
      cloud.advance(900);
      assert.equal((await cloud.call('GET', '/servers')).status, 200);
      assert.equal((await cloud.call('GET', '/servers')).status, 429);
    } finally {
      await cloud.close();
    }
  });
});
