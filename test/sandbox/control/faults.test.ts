import assert from 'node:assert/strict';
import { call, control, hetzner, sandboxes } from './support';

describe('scripted faults', () => {
  const { start, closeAll } = sandboxes();
  afterEach(closeAll);

  const placementGroup = { name: 'group', type: 'spread' };
  const groups = async (sandbox: Awaited<ReturnType<typeof start>>): Promise<number> => {
    const answer = await hetzner(sandbox, 'GET', '/placement_groups');
    return (answer.body as { placement_groups: unknown[] }).placement_groups.length;
  };

  it('answers in the vendor’s shape instead of the call, n times, and then no more', async () => {
    const sandbox = await start();
    const added = await control(sandbox, 'POST', '/faults', {
      vendor: 'hetzner',
      method: 'post',
      path: '/v1/placement_groups',
      status: 412,
      code: 'resource_unavailable',
      message: 'error during placement',
      headers: { 'retry-after': '7' },
      times: 2,
    });
    assert.equal(added.status, 201);
    for (let attempt = 0; attempt < 2; attempt++) {
      const answer = await hetzner(sandbox, 'POST', '/placement_groups', placementGroup);
      assert.equal(answer.status, 412);
      assert.equal(answer.headers.get('retry-after'), '7');
      assert.deepEqual(answer.body, {
        error: { code: 'resource_unavailable', message: 'error during placement', details: null },
      });
    }
    assert.equal(await groups(sandbox), 0);
    assert.equal((await hetzner(sandbox, 'POST', '/placement_groups', placementGroup)).status, 201);
  });

  it('carries the call out and answers with the fault in mode "after"', async () => {
    const sandbox = await start();
    sandbox.faults.add({
      path: '/v1/placement_groups',
      method: 'POST',
      mode: 'after',
      status: 504,
      code: 'timeout',
    });
    assert.equal((await hetzner(sandbox, 'POST', '/placement_groups', placementGroup)).status, 504);
    assert.equal(await groups(sandbox), 1);
  });

  for (const { mode, made } of [
    { mode: 'hang-up', made: 1 },
    { mode: 'drop', made: 0 },
  ] as const)
    it(`ends the connection without an answer in mode "${mode}", the call ${made ? '' : 'not '}carried out`, async () => {
      const sandbox = await start();
      sandbox.faults.add({ path: '/v1/placement_groups', method: 'POST', mode });
      await assert.rejects(hetzner(sandbox, 'POST', '/placement_groups', placementGroup), TypeError);
      assert.equal(await groups(sandbox), made);
      assert.equal(sandbox.requests.list({ method: 'POST' })[0]?.status, null);
    });

  for (const { mode, made } of [
    { mode: 'stall', made: 1 },
    { mode: 'ignore', made: 0 },
  ] as const)
    it(`never answers in mode "${mode}", the call ${made ? '' : 'not '}carried out`, async () => {
      const sandbox = await start();
      sandbox.faults.add({ path: '/v1/placement_groups', method: 'POST', mode });
      const { url, token } = sandbox.endpoints.hetzner;
      const given = new AbortController();
      const answer = fetch(`${url}/placement_groups`, {
        method: 'POST',
        headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
        body: JSON.stringify(placementGroup),
        signal: given.signal,
      });
      assert.equal(await Promise.race([answer, sandboxHas(sandbox, made)]), made);
      given.abort();
      await assert.rejects(answer, { name: 'AbortError' });
      assert.equal(sandbox.requests.list({ method: 'POST' })[0]?.status, null);
      assert.equal((await hetzner(sandbox, 'GET', '/placement_groups')).status, 200);
    });

  /** Resolves with the number of placement groups once the fault has been hit. */
  const sandboxHas = async (sandbox: Awaited<ReturnType<typeof start>>, made: number): Promise<number> => {
    while (sandbox.faults.list()[0]?.hits === 0 || (await groups(sandbox)) !== made)
      await new Promise((resolve) => setImmediate(resolve));
    return made;
  };

  it('cuts the answer in half in mode "half", the call carried out', async () => {
    const sandbox = await start();
    sandbox.faults.add({ path: '/v1/placement_groups', method: 'POST', mode: 'half' });
    await assert.rejects(hetzner(sandbox, 'POST', '/placement_groups', placementGroup), SyntaxError);
    assert.equal(await groups(sandbox), 1);
  });

  it('empties the lists of an answer in mode "empty", with the count that goes with it', async () => {
    const sandbox = await start();
    await hetzner(sandbox, 'POST', '/placement_groups', placementGroup);
    sandbox.faults.add({ vendor: 'hetzner', mode: 'empty' });
    assert.deepEqual((await hetzner(sandbox, 'GET', '/placement_groups')).body, {
      placement_groups: [],
      meta: {
        pagination: {
          page: 1,
          per_page: 25,
          previous_page: null,
          next_page: null,
          last_page: 1,
          total_entries: 0,
        },
      },
    });
    assert.equal(await groups(sandbox), 1);
  });

  it('leaves an answer without a list as it is in mode "empty"', async () => {
    const sandbox = await start();
    sandbox.faults.add({ vendor: 'hetzner', mode: 'empty' });
    const answer = await hetzner(sandbox, 'GET', '/locations/1');
    assert.match(JSON.stringify(answer.body), /"name":"fsn1"/);
  });

  it('empties the lists of the other vendors too', async () => {
    const sandbox = await start();
    sandbox.faults.add({ vendor: 'cloudflare', mode: 'empty' });
    const { url, token } = sandbox.endpoints.cloudflare;
    const { body } = await call(`${url}/zones`, { token });
    const { result, result_info: info } = body as { result: unknown[]; result_info: Record<string, unknown> };
    assert.deepEqual([result, info['count'], info['total_count']], [[], 0, 0]);
  });

  it('answers with a page of a proxy', async () => {
    const sandbox = await start();
    sandbox.faults.add({ path: '/v1/locations', status: 502, page: '<h1>502 Bad Gateway</h1>' });
    const answer = await hetzner(sandbox, 'GET', '/locations');
    assert.deepEqual(
      [answer.status, answer.headers.get('content-type'), answer.body],
      [502, 'text/html', '<h1>502 Bad Gateway</h1>'],
    );
  });

  it('says 429 as each vendor does', async () => {
    const sandbox = await start();
    sandbox.faults.add({ status: 429, times: null });
    const refused = await hetzner(sandbox, 'GET', '/locations');
    assert.equal(refused.status, 429);
    assert.match(JSON.stringify(refused.body), /"code":"rate_limit_exceeded"/);
    assert.equal(refused.headers.get('ratelimit-remaining'), '0');
    assert.equal(
      refused.headers.get('ratelimit-reset'),
      String(Math.ceil(sandbox.clock.now() / 1000 + 3600)),
    );
    const { cloudflare } = sandbox.endpoints;
    const blocked = await call(`${cloudflare.url}/zones`, { token: cloudflare.token });
    assert.deepEqual([blocked.status, blocked.headers.get('retry-after')], [429, '300']);
    assert.match(JSON.stringify(blocked.body), /"code":971/);
  });

  it('takes its share of the calls, the same ones with the same seed', async () => {
    const hits = async (seed: number, others: number): Promise<string> => {
      const sandbox = await start();
      for (let count = 0; count < others; count++)
        sandbox.faults.add({ path: '/v1/none', status: 500, probability: 0.5, seed: count });
      sandbox.faults.add({ path: '/v1/locations', status: 500, probability: 0.3, seed });
      const statuses: number[] = [];
      for (let count = 0; count < 60; count++)
        statuses.push((await hetzner(sandbox, 'GET', '/locations')).status);
      return statuses.join(' ');
    };
    const first = await hits(4, 0);
    assert.equal(await hits(4, 3), first);
    assert.notEqual(await hits(5, 0), first);
    const share = first.split('500').length - 1;
    assert.ok(share >= 9 && share <= 27, `${share} of 60`);
  });

  it('takes at most so many of its share, where told', async () => {
    const sandbox = await start();
    sandbox.faults.add({ path: '/v1/locations', status: 500, probability: 0.9, times: 2 });
    for (let count = 0; count < 20; count++) await hetzner(sandbox, 'GET', '/locations');
    assert.equal(sandbox.faults.list()[0]?.hits, 2);
  });

  it('delays the real answer in mode "slow"', async () => {
    const sandbox = await start();
    sandbox.faults.add({ path: '/v1/placement_groups', method: 'POST', mode: 'slow', delayMs: 20 });
    assert.equal((await hetzner(sandbox, 'POST', '/placement_groups', placementGroup)).status, 201);
    assert.equal(sandbox.requests.list({ method: 'POST' })[0]?.fault, 'fault-1');
  });

  it('matches a part of the body, and leaves other calls alone', async () => {
    const sandbox = await start();
    sandbox.faults.add({
      path: '/v1/*',
      body: '"name":"bad"',
      status: 500,
      code: 'server_error',
      times: null,
    });
    assert.equal((await hetzner(sandbox, 'POST', '/placement_groups', placementGroup)).status, 201);
    assert.equal(
      (await hetzner(sandbox, 'POST', '/placement_groups', { name: 'bad', type: 'spread' })).status,
      500,
    );
  });

  it('takes a regular expression over path and query', async () => {
    const sandbox = await start();
    sandbox.faults.add({ path: '^/v1/servers\\?.*label_selector=', status: 503, code: 'unavailable' });
    assert.equal((await hetzner(sandbox, 'GET', '/servers')).status, 200);
    assert.equal((await hetzner(sandbox, 'GET', '/servers?label_selector=a')).status, 503);
  });

  it('is listed with its hits and can be deleted', async () => {
    const sandbox = await start();
    sandbox.faults.add({ path: '/v1/locations', status: 500, times: null });
    await hetzner(sandbox, 'GET', '/locations');
    const listed = (await control(sandbox, 'GET', '/faults')).body as {
      faults: { id: string; hits: number }[];
    };
    assert.deepEqual(
      listed.faults.map(({ id, hits }) => ({ id, hits })),
      [{ id: 'fault-1', hits: 1 }],
    );
    assert.equal((await control(sandbox, 'DELETE', '/faults/fault-1')).status, 204);
    assert.equal((await control(sandbox, 'DELETE', '/faults/fault-1')).status, 404);
    assert.equal((await hetzner(sandbox, 'GET', '/locations')).status, 200);
  });

  for (const { fault, says } of [
    { fault: { path: '/v1/servers' }, says: /needs a status/ },
    { fault: { path: '^(', status: 500 }, says: /not a regular expression/ },
    { fault: { stat: 500 }, says: /stat/ },
    { fault: { status: 200 }, says: /status/ },
  ])
    it(`refuses ${JSON.stringify(fault)}`, async () => {
      const sandbox = await start();
      const answer = await control(sandbox, 'POST', '/faults', fault);
      assert.equal(answer.status, 422);
      assert.match(JSON.stringify(answer.body), says);
    });
});
