import assert from 'node:assert/strict';
import { STATUS_KEY } from '../../../automation/status';
import { slotToken } from '../../../automation/http/tokens';
import { NOW, poolStatus, stackStatus, workerStatus } from './status';
import { counted, SECRET, tokenOf, worker, workerListener, type WorkerListener } from './worker-listener';

const pool = { environment: 'staging', pool: 'dev' };
const token = slotToken(SECRET, pool);
const machine = { hostname: 'staging-dev-0001', slots: 1, address: '100.64.0.9' };

/** Server-sent events of one answer, as they come. */
async function* eventsOf(response: Response): AsyncGenerator<{ event: string; data: unknown }> {
  let text = '';
  for await (const chunk of response.body!.pipeThrough(new TextDecoderStream())) {
    text += chunk;
    for (let end = text.indexOf('\n\n'); end >= 0; end = text.indexOf('\n\n')) {
      const match = /^event: (.+)\ndata: (.+)$/.exec(text.slice(0, end));
      text = text.slice(end + 2);
      if (match) yield { event: match[1]!, data: JSON.parse(match[2]!) as unknown };
    }
  }
}

describe('slots over HTTP', () => {
  let api: WorkerListener;
  beforeEach(async () => {
    api = await workerListener();
  });
  afterEach(() => api.close());

  const boot = (id: string): Promise<void> =>
    api.registry.workers.register({ ...pool, worker: id }, machine, NOW);
  const ask = (id: string, more: object = {}) =>
    api.call('POST', '/v1/slots', { token, body: { ...pool, id, ...more } });
  const follow = (id: string, signal?: AbortSignal): Promise<Response> =>
    fetch(`${api.url}/v1/slots/staging/${id}/events`, {
      headers: { authorization: `Bearer ${token}` },
      ...(signal ? { signal } : {}),
    });

  it('are granted at once where a worker has one free', async () => {
    await boot('dev-0001');
    const { status, body } = await ask('a');
    assert.deepEqual(
      [status, body],
      [
        200,
        `{"id":"a","state":"granted","worker":"dev-0001","address":"100.64.0.9","expiresAt":${NOW + 3600}}`,
      ],
    );
    assert.deepEqual(api.woken, []);
    assert.equal(await counted(api, 'worker_pools_slot_requests_total', { outcome: 'granted' }), 1);
  });

  it('are waited for otherwise, and the loop is woken', async () => {
    const { status, body, headers } = await ask('a', { patience: 240 });
    assert.deepEqual([status, body], [202, `{"id":"a","state":"waiting","expiresAt":${NOW + 240}}`]);
    assert.equal(headers.get('location'), '/v1/slots/staging/a');
    assert.equal(headers.get('retry-after'), '5');
    assert.deepEqual(api.woken, ['staging']);
    assert.equal((await api.call('GET', '/v1/slots/staging/a', { token })).status, 202);
  });

  it('get an id of their own when the caller names none', async () => {
    const { body } = await api.call('POST', '/v1/slots', { token, body: pool });
    assert.match((JSON.parse(body) as { id: string }).id, /^[0-9a-f]{8}-[0-9a-f-]{27}$/);
  });

  it('are asked for twice to the same end', async () => {
    await boot('dev-0001');
    const first = await ask('a');
    const second = await ask('a');
    assert.deepEqual([second.status, second.body], [first.status, first.body]);
    assert.equal((await api.registry.slots.load('staging'))['dev']?.waiting, 0);
  });

  it('go to who waits when they are released', async () => {
    await boot('dev-0001');
    await ask('a');
    await ask('b');
    const released = await api.call('DELETE', '/v1/slots/staging/a', { token });
    assert.deepEqual(
      [released.status, released.body],
      [200, `{"id":"a","state":"released","expiresAt":${NOW + 3600}}`],
    );
    const { status, body } = await api.call('GET', '/v1/slots/staging/b', { token });
    assert.equal(status, 200);
    assert.equal((JSON.parse(body) as { worker: string }).worker, 'dev-0001');
  });

  it('go to who waits when a worker registers', async () => {
    await ask('a');
    const key = { ...pool, worker: 'dev-0002' };
    await api.call('POST', '/v1/workers/register', {
      token: tokenOf(key),
      body: { ...key, ...machine, at: NOW },
    });
    assert.equal((await api.call('GET', '/v1/slots/staging/a', { token })).status, 200);
  });

  it('are kept by renewing them, also with an empty body', async () => {
    await boot('dev-0001');
    await ask('a', { ttl: 60 });
    api.clock.now = NOW + 50;
    const { status, body } = await api.call('POST', '/v1/slots/staging/a/renew', { token, raw: '' });
    assert.equal(status, 200);
    assert.equal((JSON.parse(body) as { expiresAt: number }).expiresAt, NOW + 110);
  });

  it('are released twice to the same end', async () => {
    await boot('dev-0001');
    await ask('a');
    const first = await api.call('DELETE', '/v1/slots/staging/a', { token });
    const second = await api.call('DELETE', '/v1/slots/staging/a', { token });
    assert.deepEqual([second.status, second.body], [200, first.body]);
  });

  for (const end of ['renew', 'ask again', 'look'] as const)
    it(`that have ended answer 410 to: ${end}`, async () => {
      await boot('dev-0001');
      await ask('a');
      await api.registry.slots.release('staging', 'a', NOW);
      const answer = await {
        renew: () => api.call('POST', '/v1/slots/staging/a/renew', { token }),
        'ask again': () => ask('a'),
        look: () => api.call('GET', '/v1/slots/staging/a', { token }),
      }[end]();
      assert.equal(answer.status, 410);
      assert.equal(
        answer.body,
        end === 'renew'
          ? '{"error":{"reason":"slot-ended","message":"the slot a has ended; ask for another with POST /v1/slots"}}'
          : `{"id":"a","state":"released","expiresAt":${NOW + 3600}}`,
      );
    });

  const refusals: {
    name: string;
    method?: string;
    path?: string;
    token?: string;
    body?: object;
    status: number;
    reason: string;
  }[] = [
    { name: 'no token', body: pool, status: 401, reason: 'wrong-token' },
    { name: 'a worker’s token', token: tokenOf(worker), body: pool, status: 401, reason: 'wrong-token' },
    {
      name: 'the token of another environment’s pool',
      token: slotToken(SECRET, { environment: 'production', pool: 'dev' }),
      body: pool,
      status: 401,
      reason: 'wrong-token',
    },
    {
      name: 'a pool whose jobs wait in a queue elsewhere',
      token: slotToken(SECRET, { environment: 'staging', pool: 'ci' }),
      body: { ...pool, pool: 'ci' },
      status: 401,
      reason: 'wrong-token',
    },
    { name: 'endless patience', token, body: { ...pool, patience: 901 }, status: 400, reason: 'bad-fields' },
    { name: 'no time to live', token, body: { ...pool, ttl: 0 }, status: 400, reason: 'bad-fields' },
    { name: 'an id that is a path', token, body: { ...pool, id: '../x' }, status: 400, reason: 'bad-fields' },
    {
      name: 'a slot that is not there',
      method: 'GET',
      path: '/v1/slots/staging/x',
      token,
      status: 404,
      reason: 'unknown-slot',
    },
    {
      name: 'a slot that is not there, without a token',
      method: 'GET',
      path: '/v1/slots/staging/x',
      status: 401,
      reason: 'wrong-token',
    },
    {
      name: 'a stream of a slot that is not there',
      method: 'GET',
      path: '/v1/slots/staging/x/events',
      token,
      status: 404,
      reason: 'unknown-slot',
    },
  ];
  for (const { name, method = 'POST', path = '/v1/slots', status, reason, ...request } of refusals) {
    it(`refuse ${name}, count it, and change nothing`, async () => {
      const answer = await api.call(method, path, request);
      assert.equal(answer.status, status);
      assert.equal((JSON.parse(answer.body) as { error: { reason: string } }).error.reason, reason);
      assert.equal(await counted(api, 'worker_pools_http_refusals_total', { reason }), 1);
      assert.deepEqual(await api.registry.slots.load('staging'), {});
      assert.deepEqual(api.woken, []);
    });
  }

  it('are given to callers with a token of the secret before until it is gone from the file', async () => {
    const served = api.stacks.get('staging')!;
    api.stacks.set('staging', { ...served, registrationSecrets: ['the new secret', SECRET] });
    assert.equal((await ask('a')).status, 202);
    api.stacks.set('staging', { ...served, registrationSecrets: ['the new secret'] });
    assert.equal((await ask('b')).status, 401);
  });

  it('of another pool are neither shown nor given away under their id', async () => {
    api.stacks.set('staging', {
      registrationSecrets: [SECRET],
      pools: new Map(['dev', 'gpu'].map((name) => [name, { slots: 1, kind: 'slots', min: 0, max: 5 }])),
    });
    await boot('dev-0001');
    await ask('a');
    const gpu = slotToken(SECRET, { environment: 'staging', pool: 'gpu' });
    assert.equal((await api.call('GET', '/v1/slots/staging/a', { token: gpu })).status, 404);
    const { status, body } = await api.call('POST', '/v1/slots', {
      token: gpu,
      body: { environment: 'staging', pool: 'gpu', id: 'a' },
    });
    assert.equal(status, 409);
    assert.equal(
      body,
      '{"error":{"reason":"id-taken","message":"the id a is in use by another pool; choose another, or leave it out"}}',
    );
  });

  it('are followed by events until they are granted', async () => {
    const pools = {
      dev: poolStatus({ desired: 1, workers: [workerStatus('dev-0001', { status: 'booting' })] }),
    };
    await ask('first');
    await ask('second');
    const response = await follow('second');
    assert.equal(response.headers.get('content-type'), 'text/event-stream; charset=utf-8');
    const events = eventsOf(response);
    const progress = { id: 'second', state: 'waiting', expiresAt: NOW + 300, waiting: 2 };
    assert.deepEqual((await events.next()).value, {
      event: 'progress',
      data: { ...progress, first: true, workers: { booting: 0, ready: 0, desired: 0 } },
    });
    await api.registry.memory.set('staging', STATUS_KEY, stackStatus({ pools }));
    assert.deepEqual((await events.next()).value, {
      event: 'progress',
      data: { ...progress, first: true, workers: { booting: 1, ready: 0, desired: 1 } },
    });
    await api.registry.slots.release('staging', 'first', NOW);
    await boot('dev-0001');
    await api.registry.slots.settle('staging', NOW);
    const left = [];
    for await (const event of events) left.push(event);
    assert.deepEqual(left.at(-1), {
      event: 'granted',
      data: {
        id: 'second',
        state: 'granted',
        worker: 'dev-0001',
        address: '100.64.0.9',
        expiresAt: NOW + 3600,
      },
    });
    assert.equal(await counted(api, 'worker_pools_slot_streams', {}), 0);
  });

  it('are followed to their end when nobody had one in time', async () => {
    await ask('a', { patience: 10 });
    const events = eventsOf(await follow('a'));
    await events.next();
    await api.registry.slots.settle('staging', NOW + 10);
    assert.deepEqual(await events.next(), {
      done: false,
      value: { event: 'expired', data: { id: 'a', state: 'expired', expiresAt: NOW + 10 } },
    });
    assert.deepEqual(await events.next(), { done: true, value: undefined });
  });

  it('are followed no longer when the caller goes', async () => {
    await ask('a');
    const gone = new AbortController();
    const events = eventsOf(await follow('a', gone.signal));
    await events.next();
    assert.equal(await counted(api, 'worker_pools_slot_streams', {}), 1);
    gone.abort();
    while ((await counted(api, 'worker_pools_slot_streams', {})) > 0) await new Promise(setImmediate);
    await assert.rejects(events.next(), { name: 'AbortError' });
  });

  it('end their streams when the service stops', async () => {
    await ask('a');
    const events = eventsOf(await follow('a'));
    await events.next();
    await api.close();
    assert.deepEqual(await events.next(), { done: true, value: undefined });
  });

  it('go on being followed after the registry failed for a while', async () => {
    await ask('a');
    const events = eventsOf(await follow('a'));
    await events.next();
    api.registry.fail('no connection');
    while (api.lines.length === 0) await new Promise(setImmediate);
    api.registry.fail(undefined);
    await boot('dev-0001');
    await api.registry.slots.settle('staging', NOW);
    assert.equal(((await events.next()).value as { event: string }).event, 'granted');
    assert.equal((JSON.parse(api.lines[0]!) as { event: string }).event, 'slot-streams-failed');
  });
});
