import assert from 'node:assert/strict';
import { request } from 'node:http';
import { startAdminApi } from '../../../automation/http/admin-api';
import { STATUS_KEY } from '../../../automation/status';
import { ADMIN_TOKEN, adminListener, type AdminListener } from './admin-listener';
import { NOW, poolStatus, stackStatus, workerStatus } from './status';
import { counted } from './worker-listener';

const DAY = 86_400;

describe('the admin API', () => {
  let admin: AdminListener;
  beforeEach(async () => {
    admin = await adminListener();
  });
  afterEach(() => admin.close());

  const call = async (
    method: string,
    path: string,
    body?: unknown,
    token = ADMIN_TOKEN,
  ): Promise<{ status: number; body: string }> => {
    const response = await fetch(`${admin.url}${path}`, {
      method,
      headers: {
        authorization: `Bearer ${token}`,
        ...(body === undefined ? {} : { 'content-type': 'application/json' }),
      },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    return { status: response.status, body: await response.text() };
  };
  const done = async (method: string, path: string, body?: unknown): Promise<string> => {
    const answer = await call(method, `/v1/stacks/staging${path}`, body);
    assert.equal(answer.status, 200, answer.body);
    return (JSON.parse(answer.body) as { done: string }).done;
  };

  describe('tells', () => {
    it('the stacks that this service serves', async () => {
      const { status, body } = await call('GET', '/v1/stacks');
      assert.equal(status, 200);
      assert.deepEqual(JSON.parse(body), {
        stacks: [
          {
            environment: 'staging',
            pools: ['ci'],
            verdict: { level: 'ok', text: 'All is well: 3 workers in 1 pool, 7 jobs wait.' },
          },
        ],
      });
    });

    it('a stack’s status as the leader published it', async () => {
      const { body } = await call('GET', '/v1/stacks/staging/status');
      assert.deepEqual(
        JSON.parse(body),
        JSON.parse(
          JSON.stringify({
            now: NOW,
            verdict: { level: 'ok', text: 'All is well: 3 workers in 1 pool, 7 jobs wait.' },
            status: stackStatus(),
          }),
        ),
      );
    });

    it('that nothing was published yet, also where it cannot be read', async () => {
      await admin.registry.memory.set('staging', STATUS_KEY, { version: 'of another time' });
      const { body } = await call('GET', '/v1/stacks/staging/status');
      assert.deepEqual(JSON.parse(body), {
        now: NOW,
        verdict: { level: 'warning', text: 'No process has led this stack yet.' },
        status: null,
      });
    });

    it('the audit trail, filtered', async () => {
      const entry = {
        environment: 'staging',
        actor: 'scaler',
        kind: 'decision' as const,
        summary: 'x',
        detail: {},
      };
      await admin.registry.audit.append({ ...entry, at: 1, pool: 'ci' });
      await admin.registry.audit.append({ ...entry, at: 2, pool: 'gpu' });
      await admin.registry.audit.append({ ...entry, at: 3, kind: 'update', detail: { worker: 'ci-0001' } });
      for (const [query, times] of [
        ['', [3, 2, 1]],
        ['?pool=gpu', [2]],
        ['?kind=decision&limit=1', [2]],
        ['?worker=ci-0001', [3]],
      ] as const) {
        const { body } = await call('GET', `/v1/stacks/staging/audit${query}`);
        assert.deepEqual(
          (JSON.parse(body) as { entries: { at: number }[] }).entries.map(({ at }) => at),
          times,
        );
      }
    });

    it('the last hour of each pool', async () => {
      const { body } = await call('GET', '/v1/stacks/staging/history');
      assert.deepEqual(JSON.parse(body), {
        pools: { ci: [{ at: NOW - 2, waiting: 7, workers: 3, desired: 3 }] },
      });
    });
  });

  describe('takes the order to', () => {
    const commands: {
      name: string;
      method?: string;
      path: string;
      body?: object;
      says: string;
      pool?: string;
      detail: object;
      state: () => Promise<unknown>;
      leaves: unknown;
    }[] = [
      {
        name: 'pause',
        path: '/pause',
        body: { by: ' ada ', reason: 'migration' },
        says: 'paused: migration',
        detail: { command: 'pause', by: 'ada', reason: 'migration' },
        state: async () => (await admin.registry.orders.read('staging')).pause,
        leaves: { by: 'ada', reason: 'migration', since: NOW },
      },
      {
        name: 'resume',
        path: '/resume',
        body: { by: 'ada' },
        says: 'resumed',
        detail: { command: 'resume' },
        state: async () => (await admin.registry.orders.read('staging')).pause,
        leaves: undefined,
      },
      {
        name: 'hold a size',
        path: '/pools/ci/scale',
        body: { by: 'ada', size: 40, forSeconds: 7 * DAY },
        says: `size of ci held at 40 until ${new Date((NOW + 7 * DAY) * 1000).toISOString()}`,
        pool: 'ci',
        detail: { command: 'scale', size: 40, until: NOW + 7 * DAY },
        state: async () => (await admin.registry.orders.read('staging')).sizes,
        leaves: { ci: { size: 40, by: 'ada', since: NOW, until: NOW + 7 * DAY } },
      },
      {
        name: 'follow the queue again',
        method: 'DELETE',
        path: '/pools/ci/scale?by=ada',
        says: 'size of ci follows its queue again',
        pool: 'ci',
        detail: { command: 'unscale' },
        state: async () => (await admin.registry.orders.read('staging')).sizes,
        leaves: {},
      },
      {
        name: 'drain a worker',
        path: '/workers/ci-0001/drain',
        body: { by: 'ada', reason: 'noisy disk' },
        says: 'draining ci-0001: noisy disk',
        pool: 'ci',
        detail: { command: 'drain', worker: 'ci-0001', reason: 'noisy disk' },
        state: async () => (await admin.registry.workers.list('staging')).map(({ drain }) => drain),
        leaves: [{ cause: 'operator', reason: 'noisy disk', since: NOW }, undefined],
      },
      {
        name: 'undrain a worker',
        path: '/workers/ci-0001/undrain',
        body: { by: 'ada' },
        says: 'ci-0001 takes jobs again',
        pool: 'ci',
        detail: { command: 'undrain', worker: 'ci-0001' },
        state: async () => (await admin.registry.workers.list('staging')).map(({ drain }) => drain),
        leaves: [undefined, undefined],
      },
      {
        name: 'replace all drifted workers',
        path: '/pools/ci/rollout',
        body: { by: 'ada' },
        says: 'replacing all drifted workers of ci',
        pool: 'ci',
        detail: { command: 'rollout', workers: [] },
        state: async () => (await admin.registry.orders.read('staging')).rollouts,
        leaves: { ci: { workers: [], by: 'ada', since: NOW } },
      },
      {
        name: 'replace workers by name',
        path: '/pools/ci/rollout',
        body: { by: 'ada', workers: ['ci-0001', 'ci-0003'] },
        says: 'replacing ci-0001, ci-0003 of ci',
        pool: 'ci',
        detail: { command: 'rollout', workers: ['ci-0001', 'ci-0003'] },
        state: async () => (await admin.registry.orders.read('staging')).rollouts,
        leaves: { ci: { workers: ['ci-0001', 'ci-0003'], by: 'ada', since: NOW } },
      },
      {
        name: 'call a rollout off',
        method: 'DELETE',
        path: '/pools/ci/rollout?by=ada',
        says: 'rollout of ci called off',
        pool: 'ci',
        detail: { command: 'cancel-rollout' },
        state: async () => (await admin.registry.orders.read('staging')).rollouts,
        leaves: {},
      },
    ];
    for (const { name, method = 'POST', path, body, says, pool, detail, state, leaves } of commands) {
      it(`${name}, notes it with the person’s name, and wakes the loop`, async () => {
        const { orders, workers } = admin.registry;
        if (method === 'DELETE') {
          await orders.setSize('staging', 'ci', { size: 1, by: 'eve', since: 1, until: 2 });
          await orders.setRollout('staging', 'ci', { workers: [], by: 'eve', since: 1 });
        }
        if (name === 'resume') await orders.pause('staging', { by: 'eve', since: 1, reason: 'x' });
        if (name === 'undrain a worker') {
          await workers.drain('staging', ['ci-0001'], { cause: 'operator', reason: 'x' }, 1);
        }
        assert.equal(await done(method, path, body), says);
        assert.deepEqual(await state(), leaves);
        assert.deepEqual(await admin.registry.audit.latest('staging', { limit: 9 }), [
          {
            id: 1,
            at: NOW,
            environment: 'staging',
            ...(pool === undefined ? {} : { pool }),
            actor: 'ada',
            kind: 'command',
            summary: says,
            detail: name === 'pause' ? { command: 'pause', by: 'ada', reason: 'migration' } : detail,
          },
        ]);
        assert.deepEqual(admin.woken, ['staging']);
      });
    }
  });

  describe('refuses', () => {
    const by = 'ada';
    const faults = (...all: string[]): string =>
      `the body has ${all.length === 1 ? '1 fault' : `${all.length} faults`}: ${all.join('; ')}`;
    const bounds =
      "size must be from 0 to 40, the bounds of the pool ci in the stack's file; change them there for more";
    const refusals: {
      name: string;
      path: string;
      body?: object;
      status: number;
      reason: string;
      says: string;
    }[] = [
      {
        name: 'an unknown stack',
        path: '/v1/stacks/stagin/pause',
        body: { by, reason: 'x' },
        status: 404,
        reason: 'unknown-stack',
        says: 'there is no stack "stagin". Did you mean "staging"?',
      },
      {
        name: 'a stack of quite another name',
        path: '/v1/stacks/production/pause',
        body: { by, reason: 'x' },
        status: 404,
        reason: 'unknown-stack',
        says: 'there is no stack "production". Of stacks, this service serves: staging',
      },
      {
        name: 'an unknown pool',
        path: '/v1/stacks/staging/pools/cd/scale',
        body: { by, size: 1, forSeconds: 60 },
        status: 404,
        reason: 'unknown-pool',
        says: 'there is no pool "cd". Did you mean "ci"?',
      },
      {
        name: 'an unknown worker',
        path: '/v1/stacks/staging/workers/ci-0009/drain',
        body: { by, reason: 'x' },
        status: 404,
        reason: 'unknown-worker',
        says: 'there is no worker "ci-0009". Did you mean "ci-0001" or "ci-0002" or "ci-0003"?',
      },
      {
        name: 'to drain a worker that never spoke',
        path: '/v1/stacks/staging/workers/ci-0003/drain',
        body: { by, reason: 'x' },
        status: 409,
        reason: 'not-registered',
        says: 'ci-0003 has not registered yet; orders reach a worker by its heartbeat, so wait until it is ready',
      },
      {
        name: 'a rollout of workers that are not the pool’s',
        path: '/v1/stacks/staging/pools/ci/rollout',
        body: { by, workers: ['ci-0001', 'gpu-0001'] },
        status: 404,
        reason: 'unknown-worker',
        says: 'there is no worker "gpu-0001". Did you mean "ci-0001" or "ci-0002" or "ci-0003"?',
      },
      {
        name: 'a size above the bounds',
        path: '/v1/stacks/staging/pools/ci/scale',
        body: { by, size: 41, forSeconds: 60 },
        status: 400,
        reason: 'out-of-bounds',
        says: bounds,
      },
      {
        name: 'a size for longer than a week, below zero, by nobody',
        path: '/v1/stacks/staging/pools/ci/scale',
        body: { by: ' ', size: -1, forSeconds: 7 * DAY + 1 },
        status: 400,
        reason: 'bad-fields',
        says: faults(
          'by Too small: expected string to have >=1 characters',
          'size Too small: expected number to be >=0',
          'forSeconds Too big: expected number to be <=604800',
        ),
      },
      {
        name: 'an order in the service’s own name',
        path: '/v1/stacks/staging/resume',
        body: { by: 'scaler' },
        status: 400,
        reason: 'bad-fields',
        says: faults('by must be a person, not "scaler"'),
      },
      {
        name: 'a pause without a reason',
        path: '/v1/stacks/staging/pause',
        body: { by },
        status: 400,
        reason: 'bad-fields',
        says: faults('reason is missing (expected string)'),
      },
      {
        name: 'an oversized body',
        path: '/v1/stacks/staging/pause',
        body: { by, reason: 'x'.repeat(20_000) },
        status: 413,
        reason: 'oversized',
        says: 'the body is larger than 16384 bytes; send less',
      },
    ];
    for (const { name, path, body, status, reason, says } of refusals) {
      it(`${name}, counts it, and changes nothing`, async () => {
        const answer = await call('POST', path, body);
        assert.equal(answer.status, status);
        const { error } = JSON.parse(answer.body) as { error: { reason: string; message: string } };
        assert.deepEqual([error.reason, error.message], [reason, says]);
        assert.deepEqual(await admin.registry.orders.read('staging'), { sizes: {}, rollouts: {} });
        assert.deepEqual(await admin.registry.audit.latest('staging', { limit: 9 }), []);
        assert.deepEqual(admin.woken, []);
        assert.equal(
          await counted(admin, 'worker_pools_http_refusals_total', { listener: 'admin', reason }),
          1,
        );
      });
    }

    for (const [method, path] of [
      ['GET', '/v1/stacks'],
      ['GET', '/v1/stacks/staging/status'],
      ['GET', '/v1/stacks/staging/audit'],
      ['GET', '/v1/stacks/staging/history'],
      ['POST', '/v1/stacks/staging/pause'],
      ['POST', '/v1/stacks/staging/resume'],
      ['POST', '/v1/stacks/staging/pools/ci/scale'],
      ['DELETE', '/v1/stacks/staging/pools/ci/scale'],
      ['POST', '/v1/stacks/staging/workers/ci-0001/drain'],
      ['POST', '/v1/stacks/staging/workers/ci-0001/undrain'],
      ['POST', '/v1/stacks/staging/pools/ci/rollout'],
      ['DELETE', '/v1/stacks/staging/pools/ci/rollout'],
    ] as const) {
      it(`${method} ${path} without the admin token`, async () => {
        const { status, body } = await call(method, path, undefined, 'wrong');
        assert.equal(status, 401);
        assert.equal(
          body,
          '{"error":{"reason":"wrong-token","message":"the admin token is missing or wrong; send it as `Authorization: Bearer …`"}}',
        );
      });
    }

    for (const { name, headers, reason } of [
      { name: 'a name bound to this address', headers: { host: 'evil.example.com' }, reason: 'foreign-host' },
      {
        name: 'a name bound to this address, with a port',
        headers: { host: 'evil.example.com:8471' },
        reason: 'foreign-host',
      },
      {
        name: 'a name that begins like its own',
        headers: { host: 'localhost.evil.example.com' },
        reason: 'foreign-host',
      },
      {
        name: 'a page of another site',
        headers: { origin: 'https://evil.example.com' },
        reason: 'foreign-origin',
      },
      { name: 'a page without an origin', headers: { origin: 'null' }, reason: 'foreign-origin' },
    ]) {
      for (const path of ['/', '/metrics', '/readyz', '/v1/stacks']) {
        it(`${name} at ${path}`, async () => {
          const authorization = `Bearer ${ADMIN_TOKEN}`;
          const answer = await raw(admin.url, path, { ...headers, authorization });
          assert.equal(answer.status, 403);
          assert.equal((JSON.parse(answer.body) as { error: { reason: string } }).error.reason, reason);
        });
      }
    }
  });

  for (const host of ['localhost', 'LOCALHOST:9999', '127.0.0.1:1', '[::1]:8471']) {
    it(`answers under ${host}`, async () => {
      assert.equal((await raw(admin.url, '/healthz', { host })).status, 200);
    });
  }

  it('answers under the names that it was given, to their pages, and under no other', async () => {
    const named = await adminListener(undefined, ['pools.your-tailnet.ts.net']);
    try {
      const ask = async (headers: Record<string, string>): Promise<number> =>
        (
          await raw(named.url, '/v1/stacks', {
            authorization: `Bearer ${ADMIN_TOKEN}`,
            host: 'pools.your-tailnet.ts.net',
            ...headers,
          })
        ).status;
      assert.equal(await ask({ origin: 'https://pools.your-tailnet.ts.net' }), 200);
      assert.equal(await ask({ host: 'Pools.Your-Tailnet.ts.net:443' }), 200);
      assert.equal(await ask({ host: 'localhost' }), 200);
      assert.equal(await ask({ authorization: 'Bearer of-somebody-else' }), 401);
      for (const host of [
        'evil.your-tailnet.ts.net',
        'your-tailnet.ts.net',
        'pools.your-tailnet.ts.net.evil.com',
      ])
        assert.equal(await ask({ host }), 403, host);
      assert.equal(await ask({ origin: 'https://evil.your-tailnet.ts.net' }), 403);
    } finally {
      await named.close();
    }
  });

  it('does not listen beyond this machine unless told so, nor with a token to be guessed', async () => {
    const { registry, metrics, stacks } = admin;
    const log = {
      debug: () => undefined,
      info: () => undefined,
      warn: () => undefined,
      error: () => undefined,
    };
    const args = {
      port: 0,
      adminToken: ADMIN_TOKEN,
      registry,
      metrics,
      log,
      stacks: () => stacks,
      now: () => NOW,
      readiness: () => [],
      wake: () => undefined,
    };
    await assert.rejects(startAdminApi({ ...args, host: '0.0.0.0' }), {
      message:
        'the admin API stays on this machine and 0.0.0.0 is no loopback address; use 127.0.0.1 and reach it through SSH or a proxy',
    });
    await assert.rejects(startAdminApi({ ...args, host: '127.0.0.1', adminToken: 'secret' }), {
      message: 'the admin token is shorter than 16 characters; make one with `openssl rand -hex 32`',
    });
    const told = await startAdminApi({
      ...args,
      host: '0.0.0.0',
      allowRemote: true,
      hostNames: ['Pools.example'],
    });
    try {
      assert.equal((await raw(told.url, '/healthz', { host: 'pools.example:80' })).status, 200);
    } finally {
      await told.close();
    }
  });

  describe('/readyz', () => {
    it('is 200 when the registry answers and rounds are fresh', async () => {
      const { status, body } = await call('GET', '/readyz');
      assert.equal(status, 200);
      assert.equal(
        body,
        '{"ready":true,"checks":[{"name":"registry","ok":true},{"name":"rounds of staging","ok":true}]}',
      );
    });

    it('is 503 and says what is wrong otherwise', async () => {
      admin.registry.fail('password authentication failed for user "pools" at db.internal');
      admin.checks[0] = { name: 'rounds of staging', problem: 'the last round ended 99 s ago' };
      const { status, body } = await call('GET', '/readyz');
      assert.equal(status, 503);
      assert.deepEqual(JSON.parse(body), {
        ready: false,
        checks: [
          {
            name: 'registry',
            ok: false,
            problem: 'the database does not answer; see the log, and check that it runs',
          },
          { name: 'rounds of staging', ok: false, problem: 'the last round ended 99 s ago' },
        ],
      });
      assert.equal((await call('GET', '/healthz')).status, 200);
    });
  });

  it('shows a page that holds no data and loads nothing from elsewhere', async () => {
    const response = await fetch(`${admin.url}/`);
    assert.equal(response.status, 200);
    assert.equal(
      response.headers.get('content-security-policy'),
      "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
    );
    assert.equal(response.headers.get('x-content-type-options'), 'nosniff');
    assert.doesNotMatch(await response.text(), /staging|https?:|<script>|<style>| on[a-z]+=| style=/);
  });

  it('tells a stack’s near workers of every pool', async () => {
    const pools = { ci: poolStatus(), gpu: poolStatus({ workers: [workerStatus('gpu-0001')] }) };
    await admin.registry.memory.set('staging', STATUS_KEY, stackStatus({ pools }));
    const { body } = await call('POST', '/v1/stacks/staging/workers/gpu-0002/drain', {
      by: 'ada',
      reason: 'x',
    });
    assert.match(body, /Did you mean \\"gpu-0001\\"/);
  });
});

/** A request with headers that `fetch` does not let one choose. */
function raw(
  url: string,
  path: string,
  headers: Record<string, string>,
): Promise<{ status: number; body: string }> {
  return new Promise((resolve, reject) => {
    const { port } = new URL(url);
    request({ host: '127.0.0.1', port, path, headers, agent: false }, (response) => {
      let body = '';
      response.on('data', (chunk: Buffer) => (body += chunk.toString()));
      response.on('end', () => resolve({ status: response.statusCode ?? 0, body }));
    })
      .on('error', reject)
      .end();
  });
}
