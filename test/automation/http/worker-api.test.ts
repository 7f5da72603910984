import assert from 'node:assert/strict';
import { startWorkerApi } from '../../../automation/http/worker-api';
import {
  counted,
  registration,
  SECRET,
  tokenOf,
  worker,
  workerListener,
  type WorkerListener,
} from './worker-listener';
import { NOW } from './status';

const beat = { ...worker, at: NOW + 0.25, busy: 2, ages: [30, 5] };
const token = tokenOf(worker);
const REGISTER = '/v1/workers/register';
const BEAT = '/v1/workers/heartbeat';
const FAILED = '/v1/workers/failed';
const WRONG_TOKEN =
  '{"error":{"reason":"wrong-token","message":"the token is not valid here; it must be the bearer token made for this very worker or pool"}}';

describe('the worker API', () => {
  let api: WorkerListener;
  beforeEach(async () => {
    api = await workerListener();
  });
  afterEach(() => api.close());

  it('answers /healthz without a token and without details', async () => {
    const { status, body } = await api.call('GET', '/healthz');
    assert.deepEqual([status, body], [200, 'ok']);
  });

  it('registers a worker, twice to the same end', async () => {
    for (const now of [NOW, NOW + 5]) {
      api.clock.now = now;
      const { status, body } = await api.call('POST', REGISTER, { token, body: registration });
      assert.deepEqual([status, body], [200, '{"drain":false}']);
    }
    const [known, ...others] = await api.registry.workers.list('staging');
    assert.equal(others.length, 0);
    assert.equal(known?.registeredAt, NOW);
    assert.equal(known?.seenAt, NOW + 5);
    assert.equal(known?.slots, 4);
    assert.equal(known?.address, '100.64.0.7');
  });

  it('answers heartbeats with the exact text that the workers’ script looks for', async () => {
    await api.call('POST', REGISTER, { token, body: registration });
    assert.equal((await api.call('POST', BEAT, { token, body: beat })).body, '{"drain":false}');
    await api.registry.workers.drain('staging', ['ci-000a'], { cause: 'policy', reason: 'idle' }, NOW);
    const told = await api.call('POST', BEAT, { token, body: { ...beat, at: NOW + 1.25 } });
    assert.equal(told.body, '{"drain":true}');
    assert.equal(told.headers.get('content-type'), 'application/json; charset=utf-8');
    const [known] = await api.registry.workers.list('staging');
    assert.equal(known?.busy, 2);
    assert.deepEqual(known?.running, [NOW - 30, NOW - 5]);
    assert.equal(await counted(api, 'worker_pools_heartbeats_total', { outcome: 'ok' }), 2);
  });

  it('wakes the loop when a draining worker says that it is idle, and only then', async () => {
    await api.call('POST', REGISTER, { token, body: registration });
    await api.call('POST', BEAT, { token, body: { ...worker, at: NOW + 1, busy: 0 } });
    await api.registry.workers.drain('staging', ['ci-000a'], { cause: 'policy', reason: 'idle' }, NOW);
    await api.call('POST', BEAT, { token, body: { ...beat, at: NOW + 2 } });
    assert.deepEqual(api.woken, []);
    await api.call('POST', BEAT, { token, body: { ...worker, at: NOW + 3, busy: 0 } });
    assert.deepEqual(api.woken, ['staging']);
  });

  it('asks a worker that it does not know to register, also after it was forgotten', async () => {
    const unknown = [
      404,
      '{"error":{"reason":"not-registered","message":"this worker is not known here; register it first"}}',
    ];
    const first = await api.call('POST', BEAT, { token, body: beat });
    assert.deepEqual([first.status, first.body], unknown);
    await api.call('POST', REGISTER, { token, body: registration });
    await api.registry.workers.forget('staging', ['ci-000a']);
    const second = await api.call('POST', BEAT, { token, body: beat });
    assert.deepEqual([second.status, second.body], unknown);
  });

  it('keeps what a worker says whose set-up failed, once, with the reason in one line', async () => {
    const log =
      'Err:1 mirror\nE: Unable to locate package acme\nworker-pools: 13-packages failed, see above\n';
    const body = { ...worker, at: NOW, step: '13-packages', log };
    for (const at of [NOW, NOW + 1]) {
      const { status } = await api.call('POST', FAILED, { token, body: { ...body, at } });
      assert.equal(status, 200);
    }
    const entries = await api.registry.audit.latest('staging', { worker: 'ci-000a', limit: 10 });
    assert.deepEqual(
      entries.map(({ id: _, ...entry }) => entry),
      [
        {
          at: NOW,
          environment: 'staging',
          pool: 'ci',
          actor: 'ci-000a',
          kind: 'worker',
          summary:
            "ci-000a's set-up failed in step 13-packages: Err:1 mirror; E: Unable to locate package acme",
          detail: { worker: 'ci-000a', step: '13-packages', log: log.split('\n') },
        },
      ],
    );
  });

  it('wakes the loop when a worker says that its set-up failed, and not when it says so again', async () => {
    const body = { ...worker, at: NOW, step: '13-packages', log: '' };
    await api.call('POST', FAILED, { token, body });
    assert.deepEqual(await api.registry.workers.failedSteps('staging'), { 'ci-000a': '13-packages' });
    await api.call('POST', FAILED, { token, body: { ...body, at: NOW + 1, log: 'E: again' } });
    assert.deepEqual(api.woken, ['staging']);
  });

  it('takes no report of a failure for another worker, nor one that could not stand in a line', async () => {
    const body = { ...worker, at: NOW, step: '13-packages', log: '' };
    const foreign = await api.call('POST', FAILED, { token, body: { ...body, worker: 'ci-000b' } });
    const strange = await api.call('POST', FAILED, { token, body: { ...body, step: 'a\nb' } });
    assert.deepEqual([foreign.status, strange.status], [401, 400]);
    assert.deepEqual(await api.registry.audit.latest('staging', { limit: 10 }), []);
    assert.deepEqual(await api.registry.workers.failedSteps('staging'), {});
    assert.equal((await api.call('POST', FAILED, { token, body })).status, 200);
    const [entry] = await api.registry.audit.latest('staging', { limit: 1 });
    assert.match(entry?.summary ?? '', /step 13-packages: its log says nothing of why$/);
  });

  it('refuses a replayed heartbeat and keeps what it knew', async () => {
    await api.call('POST', REGISTER, { token, body: registration });
    await api.call('POST', BEAT, { token, body: beat });
    for (const at of [NOW + 0.25, NOW - 10]) {
      const { status, body } = await api.call('POST', BEAT, { token, body: { ...worker, at, busy: 0 } });
      assert.equal(status, 409);
      assert.equal(
        body,
        '{"error":{"reason":"replayed","message":"replayed: \\"at\\" is not later than that of the last heartbeat"}}',
      );
    }
    assert.equal((await api.registry.workers.list('staging'))[0]?.busy, 2);
    assert.equal(await counted(api, 'worker_pools_http_refusals_total', { reason: 'replayed' }), 2);
  });

  it('refuses a heartbeat from before the worker’s latest registration', async () => {
    await api.call('POST', REGISTER, { token, body: { ...registration, at: NOW + 1 } });
    assert.equal((await api.call('POST', BEAT, { token, body: beat })).status, 409);
  });

  it('takes a worker whose clock is hours ahead, and still takes it a minute after the clock was set right', async () => {
    await api.call('POST', REGISTER, { token, body: registration });
    const statuses: number[] = [];
    for (const [now, at] of [
      [NOW, NOW + 7200],
      [NOW + 10, NOW + 7210],
      [NOW + 81, NOW + 81],
    ] as const) {
      api.clock.now = now;
      statuses.push((await api.call('POST', BEAT, { token, body: { ...beat, at } })).status);
    }
    assert.deepEqual(statuses, [200, 200, 200]);
  });

  it('hears a worker that runs more jobs than its slots: it is busy, not silent', async () => {
    await api.registry.workers.register(worker, registration, NOW);
    const { status } = await api.call('POST', BEAT, { token, body: { ...beat, busy: 5 } });
    assert.equal(status, 200);
    const [known] = await api.registry.workers.list('staging');
    assert.equal(known?.busy, 5);
  });

  it('takes tokens of the secret before until it is gone from the file', async () => {
    await api.call('POST', REGISTER, { token, body: registration });
    const served = api.stacks.get('staging')!;
    api.stacks.set('staging', { ...served, registrationSecrets: ['the new secret', SECRET] });
    assert.equal((await api.call('POST', BEAT, { token, body: beat })).status, 200);
    api.stacks.set('staging', { ...served, registrationSecrets: ['the new secret'] });
    const later = { ...beat, at: beat.at + 10 };
    assert.equal((await api.call('POST', BEAT, { token, body: later })).status, 401);
  });

  const other = { ...worker, worker: 'ci-000b' };
  const refusals: {
    name: string;
    path?: string;
    token?: string;
    body?: unknown;
    raw?: string;
    type?: string;
    status: number;
    reason: string;
    says: string;
  }[] = [
    { name: 'no token', body: beat, status: 401, reason: 'wrong-token', says: WRONG_TOKEN },
    {
      name: 'another worker’s token',
      token: tokenOf(other),
      body: beat,
      status: 401,
      reason: 'wrong-token',
      says: WRONG_TOKEN,
    },
    {
      name: 'the registration secret itself',
      token: SECRET,
      body: beat,
      status: 401,
      reason: 'wrong-token',
      says: WRONG_TOKEN,
    },
    {
      name: 'an environment that is not served',
      token,
      body: { ...beat, environment: 'production' },
      status: 401,
      reason: 'wrong-token',
      says: WRONG_TOKEN,
    },
    {
      name: 'an unknown pool with a token of a known one',
      token,
      body: { ...beat, pool: 'cj' },
      status: 401,
      reason: 'wrong-token',
      says: WRONG_TOKEN,
    },
    {
      name: 'an unknown pool with its own token',
      token: tokenOf({ ...worker, pool: 'cj' }),
      body: { ...beat, pool: 'cj' },
      status: 404,
      reason: 'unknown-pool',
      says: `{"error":{"reason":"unknown-pool","message":"the stack staging has no pool \\"cj\\" any more. Did you mean \\"ci\\"? Put the pool back into the stack's file, or remove this worker's server with \`pulumi up\`"}}`,
    },
    {
      name: 'a body above 4 KiB',
      token,
      body: { ...beat, ages: Array.from({ length: 2000 }, () => 10) },
      status: 413,
      reason: 'oversized',
      says: '{"error":{"reason":"oversized","message":"the body is larger than 4096 bytes; send less"}}',
    },
    {
      name: 'a body that is not JSON',
      token,
      raw: '{"environment":',
      status: 400,
      reason: 'malformed',
      says: '{"error":{"reason":"malformed","message":"the body is not well-formed JSON"}}',
    },
    {
      name: 'a body that would reach into every object',
      token,
      raw: '{"__proto__":{"busy":0}}',
      status: 400,
      reason: 'malformed',
      says: '{"error":{"reason":"malformed","message":"the body is not well-formed JSON"}}',
    },
    {
      name: 'a body of another type',
      token,
      raw: 'busy=1',
      type: 'text/plain',
      status: 415,
      reason: 'not-json',
      says: '{"error":{"reason":"not-json","message":"the body is not JSON; send content-type: application/json"}}',
    },
    {
      name: 'every wrong field, all at once',
      token,
      body: { environment: 'staging', pool: 7, worker: '', busy: -1, ages: [-3], speed: 9 },
      status: 400,
      reason: 'bad-fields',
      says: JSON.stringify({
        error: {
          reason: 'bad-fields',
          message:
            'the body has 6 faults: pool expected string, received number; worker Too small: expected string to have >=1 characters; at is missing (expected number); busy Too small: expected number to be >=0; ages.0 Too small: expected number to be >=0; speed is not a known field',
          faults: [
            'pool expected string, received number',
            'worker Too small: expected string to have >=1 characters',
            'at is missing (expected number)',
            'busy Too small: expected number to be >=0',
            'ages.0 Too small: expected number to be >=0',
            'speed is not a known field',
          ],
        },
      }),
    },
    {
      name: 'no body',
      token,
      status: 400,
      reason: 'bad-fields',
      says: JSON.stringify({
        error: {
          reason: 'bad-fields',
          message:
            'the body has 5 faults: environment is missing (expected string); pool is missing (expected string); worker is missing (expected string); at is missing (expected number); busy is missing (expected number)',
          faults: ['environment', 'pool', 'worker', 'at', 'busy'].map(
            (field) =>
              `${field} is missing (expected ${['at', 'busy'].includes(field) ? 'number' : 'string'})`,
          ),
        },
      }),
    },
    {
      name: 'half a job',
      token,
      body: { ...beat, busy: 1.5 },
      status: 400,
      reason: 'bad-fields',
      says: '{"error":{"reason":"bad-fields","message":"the body has 1 fault: busy expected int, received number","faults":["busy expected int, received number"]}}',
    },
    {
      name: 'more ages than jobs',
      token,
      body: { ...beat, ages: [1, 2, 3] },
      status: 400,
      reason: 'bad-fields',
      says: '{"error":{"reason":"bad-fields","message":"the body has 1 fault: ages must not be longer than busy","faults":["ages must not be longer than busy"]}}',
    },
    {
      name: 'an address that is none',
      path: REGISTER,
      token,
      body: { ...registration, address: 'nowhere' },
      status: 400,
      reason: 'bad-fields',
      says: '{"error":{"reason":"bad-fields","message":"the body has 1 fault: address must be an IP address","faults":["address must be an IP address"]}}',
    },
    {
      name: 'a registration with another worker’s token',
      path: REGISTER,
      token: tokenOf(other),
      body: { ...registration, slots: 64 },
      status: 401,
      reason: 'wrong-token',
      says: WRONG_TOKEN,
    },
    {
      name: 'a path that is not there',
      path: '/v1/worker/heartbeat',
      token,
      body: beat,
      status: 404,
      reason: 'no-route',
      says: '{"error":{"reason":"no-route","message":"there is nothing under this method and path; see docs/service.md"}}',
    },
    {
      name: 'a path that is no URL',
      path: '/v1/slots/%zz/x',
      token,
      body: beat,
      status: 400,
      reason: 'malformed',
      says: '{"error":{"reason":"malformed","message":"the path is not a well-formed URL"}}',
    },
  ];
  for (const { name, path = BEAT, status, reason, says, ...request } of refusals) {
    it(`refuses ${name}, counts it, and changes nothing`, async () => {
      await api.call('POST', REGISTER, { token, body: registration });
      const before = await api.registry.workers.list('staging');
      const answer = await api.call('POST', path, request);
      assert.deepEqual([answer.status, answer.body], [status, says]);
      assert.equal(
        await counted(api, 'worker_pools_http_refusals_total', { listener: 'workers', reason }),
        1,
      );
      assert.deepEqual(await api.registry.workers.list('staging'), before);
      assert.deepEqual(api.woken, []);
    });
  }

  it('follows the stacks as they change at run time', async () => {
    api.stacks.delete('staging');
    assert.equal((await api.call('POST', REGISTER, { token, body: registration })).status, 401);
  });

  it('says in the log when one address has many wrong tokens, once a minute', async () => {
    for (let tries = 0; tries < 45; tries += 1) await api.call('POST', BEAT, { token: 'x', body: beat });
    const events = api.lines.map((line) => JSON.parse(line) as Record<string, unknown>);
    assert.deepEqual(
      events.map(({ level, event, address, count }) => ({ level, event, address, count })),
      [{ level: 'warn', event: 'wrong-tokens', address: '127.0.0.1', count: 20 }],
    );
    assert.equal(await counted(api, 'worker_pools_http_refusals_total', { reason: 'wrong-token' }), 45);
  });

  it('says that it failed without saying how when the registry fails, and logs the cause', async () => {
    api.registry.fail('connection to db.internal lost');
    const { status, body } = await api.call('POST', REGISTER, { token, body: registration });
    assert.equal(status, 500);
    assert.equal(
      body,
      '{"error":{"reason":"failed","message":"the service failed to answer; try again, and read its log for the cause"}}',
    );
    const line = JSON.parse(api.lines[0] ?? '') as {
      event: string;
      route: string;
      error: { message: string };
    };
    assert.deepEqual(
      [line.event, line.route, line.error.message],
      ['request-failed', REGISTER, 'connection to db.internal lost'],
    );
  });

  it('says what to do when its port is taken', async () => {
    const { port } = new URL(api.url);
    await assert.rejects(
      startWorkerApi({
        host: '127.0.0.1',
        port: Number(port),
        stacks: () => new Map(),
        registry: api.registry,
        now: () => NOW,
        log: { debug: () => undefined, info: () => undefined, warn: () => undefined, error: () => undefined },
        metrics: api.metrics,
        wake: () => undefined,
      }),
      {
        message: `the worker API cannot listen on 127.0.0.1:${port}: listen EADDRINUSE: address already in use 127.0.0.1:${port}; free the port or name another`,
      },
    );
  });
});
