import assert from 'node:assert/strict';
import { control, hetzner, sandboxes } from './support';

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
