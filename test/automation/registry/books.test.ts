import assert from 'node:assert/strict';
import type { AuditEntry, Intent } from '../../../automation/registry/types';
import { forEachRegistry } from './contract';

forEachRegistry('the audit trail', (stand) => {
  const entry = (environment: string, at: number, rest: Partial<AuditEntry> = {}) => ({
    at,
    environment,
    actor: 'scaler',
    kind: 'decision' as const,
    summary: `decided at ${at}`,
    detail: {},
    ...rest,
  });
  const summaries = async (environment: string, filter: Parameters<typeof stand.registry.audit.latest>[1]) =>
    (await stand.registry.audit.latest(environment, filter)).map(({ summary }) => summary);

  it('gives back what was written, youngest first, as many as asked for', async () => {
    const environment = stand.environment();
    const { audit } = stand.registry;
    const detail = { depth: 3, reasons: ['one', null], nested: { list: [1.5, true] } };
    await audit.append(entry(environment, 10, { pool: 'ci', detail }));
    await audit.append(entry(environment, 30));
    await audit.append(entry(environment, 20));
    assert.deepEqual(await summaries(environment, { limit: 2 }), ['decided at 30', 'decided at 20']);
    const [oldest] = (await audit.latest(environment, { limit: 10 })).slice(-1);
    assert.deepEqual(oldest, { id: oldest?.id, ...entry(environment, 10, { pool: 'ci', detail }) });
    assert.deepEqual(await summaries(stand.environment(), { limit: 10 }), []);
  });

  it('filters by pool, by kind, and by a worker that summary or detail name', async () => {
    const environment = stand.environment();
    const { audit } = stand.registry;
    const rows: Partial<AuditEntry>[] = [
      { summary: 'a', pool: 'ci' },
      { summary: 'b', pool: 'web', kind: 'update', detail: { removals: [{ id: 'ci-000a' }] } },
      { summary: 'c removes ci-000a.', pool: 'ci', kind: 'command' },
      { summary: 'd', detail: { drains: { 'ci-000a': 'idle' } } },
      { summary: 'e', detail: { server: 'production-ci-000a' } },
      { summary: 'f', detail: { worker: 'ci-000ab' } },
    ];
    for (const [index, row] of rows.entries()) await audit.append(entry(environment, index, row));
    assert.deepEqual(await summaries(environment, { pool: 'ci', limit: 9 }), ['c removes ci-000a.', 'a']);
    assert.deepEqual(await summaries(environment, { kind: 'update', limit: 9 }), ['b']);
    assert.deepEqual(await summaries(environment, { worker: 'ci-000a', limit: 9 }), [
      'e',
      'd',
      'c removes ci-000a.',
      'b',
    ]);
    assert.deepEqual(
      await summaries(environment, { pool: 'ci', kind: 'command', worker: 'ci-000a', limit: 9 }),
      ['c removes ci-000a.'],
    );
  });

  it('keeps an entry whose text no database column would take', async () => {
    const environment = stand.environment();
    await stand.registry.audit.append(
      entry(environment, 1, { summary: 'cut \0 off', detail: { output: 'half \ud83d and \0', whole: '🙂' } }),
    );
    const [kept] = await stand.registry.audit.latest(environment, { limit: 1 });
    assert.equal(kept?.summary, 'cut \u{FFFD} off');
    assert.deepEqual(kept?.detail, { output: 'half \u{FFFD} and \u{FFFD}', whole: '🙂' });
  });

  it('keeps an entry without detail', async () => {
    const environment = stand.environment();
    await stand.registry.audit.append(entry(environment, 1, { detail: undefined }));
    const [kept] = await stand.registry.audit.latest(environment, { limit: 1 });
    assert.equal(kept?.detail, null);
  });

  it('drops what is older than asked for, and outlives a restart', async () => {
    const environment = stand.environment();
    for (const at of [-30, -20, -10]) await stand.registry.audit.append(entry(environment, at));
    await stand.registry.audit.prune(-20);
    await stand.reopen();
    assert.deepEqual(await summaries(environment, { limit: 9 }), ['decided at -10', 'decided at -20']);
  });
});

forEachRegistry('the book of intents', (stand) => {
  const intent = (environment: string, nextSerial: number): Intent => ({
    environment,
    membership: {
      ci: {
        nextSerial,
        members: [
          {
            id: 'ci-0001',
            configHash: 'abc',
            configHashVersion: 1,
            serverType: 'cx33',
            location: 'fsn1',
            launchedAt: '2026-01-01T00:00:00.000Z',
            placementGroup: 1,
          },
        ],
      },
    },
    at: 1234.5,
    holder: { host: 'scaler-1', pid: 42, startedAt: 1200.25 },
  });

  it('holds one intent for each environment, the last one, until it is cleared', async () => {
    const [one, other] = [stand.environment(), stand.environment()];
    assert.equal(await stand.registry.intents.open(one), undefined);
    await stand.registry.intents.write(intent(one, 2));
    await stand.registry.intents.write(intent(one, 3));
    await stand.registry.intents.write(intent(other, 4));
    await stand.reopen();
    assert.deepEqual(await stand.registry.intents.open(one), intent(one, 3));
    await stand.registry.intents.clear(one);
    assert.equal(await stand.registry.intents.open(one), undefined);
    assert.deepEqual(await stand.registry.intents.open(other), intent(other, 4));
  });
});

forEachRegistry('the book of orders', (stand) => {
  const size = { size: 3, by: 'ada', since: 10, until: 20 };
  const rollout = { workers: ['ci-0001'], by: 'ada', since: 10 };
  const pause = { by: 'ada', since: 10, reason: 'maintenance' };

  it('has none at first', async () => {
    assert.deepEqual(await stand.registry.orders.read(stand.environment()), { sizes: {}, rollouts: {} });
  });

  it('keeps orders by pool, the last of a kind, over a restart, until they are taken back', async () => {
    const environment = stand.environment();
    const { orders } = stand.registry;
    await orders.pause(environment, { ...pause, reason: 'first' });
    await orders.pause(environment, pause);
    await orders.setSize(environment, 'ci', { ...size, size: 9 });
    await orders.setSize(environment, 'ci', size);
    await orders.setSize(environment, 'web', size);
    await orders.setRollout(environment, 'ci', rollout);
    await orders.setRollout(environment, 'web', { ...rollout, workers: [] });
    await stand.reopen();
    const after = stand.registry.orders;
    assert.deepEqual(await after.read(environment), {
      pause,
      sizes: { ci: size, web: size },
      rollouts: { ci: rollout, web: { ...rollout, workers: [] } },
    });
    await after.unpause(environment);
    await after.setSize(environment, 'ci', undefined);
    await after.setRollout(environment, 'ci', undefined);
    assert.deepEqual(await after.read(environment), {
      sizes: { web: size },
      rollouts: { web: { ...rollout, workers: [] } },
    });
    assert.deepEqual(await after.read(stand.environment()), { sizes: {}, rollouts: {} });
  });
});

forEachRegistry('the memory', (stand) => {
  const values = [{ a: [1, { b: null }] }, [1, 2], 'text', '"quoted" {', 0, -1.25e-7, false, null, [], {}];

  it('gives back any plain JSON as it was, by environment and key, over a restart', async () => {
    const [one, other] = [stand.environment(), stand.environment()];
    const { memory } = stand.registry;
    assert.equal(await memory.get(one, 'key'), undefined);
    for (const [index, value] of values.entries()) await memory.set(one, `key-${index}`, value);
    await memory.set(other, 'key-0', 'other');
    await stand.reopen();
    for (const [index, value] of values.entries()) {
      assert.deepEqual(await stand.registry.memory.get(one, `key-${index}`), value);
    }
    await stand.registry.memory.set(one, 'key-0', 'new');
    assert.equal(await stand.registry.memory.get(one, 'key-0'), 'new');
    assert.equal(await stand.registry.memory.get(other, 'key-0'), 'other');
  });
});

forEachRegistry('the ledger', (stand) => {
  const server = (serverId: number, created: number) => ({
    serverId,
    worker: `ci-${String(serverId).padStart(4, '0')}`,
    pool: 'ci',
    created,
    hourly: 0.0113,
    monthly: 7.05,
  });

  it('notes what is new and what is gone, and answers what was alive since', async () => {
    const [environment, other] = [stand.environment(), stand.environment()];
    const { ledger } = stand.registry;
    await ledger.observe(other, [server(1, 100)], 100);
    await ledger.observe(environment, [server(1, 100), server(2, 110)], 120);
    await ledger.observe(environment, [{ ...server(2, 110), hourly: 99 }, server(5_000_000_001, 130)], 140);
    await ledger.observe(environment, [server(2, 110), server(5_000_000_001, 130)], 150);
    await stand.reopen();
    const rest = [
      { environment, ...server(2, 110) },
      { environment, ...server(5_000_000_001, 130) },
    ];
    assert.deepEqual(await stand.registry.ledger.since(environment, 139), [
      { environment, ...server(1, 100), deleted: 140 },
      ...rest,
    ]);
    assert.deepEqual(await stand.registry.ledger.since(environment, 140), rest);
    assert.deepEqual(await stand.registry.ledger.since(other, 0), [
      { environment: other, ...server(1, 100) },
    ]);
  });

  it('takes an empty list for what it says, and lets a server that is listed again live on', async () => {
    const environment = stand.environment();
    const { ledger } = stand.registry;
    await ledger.observe(environment, [server(1, 100)], 110);
    await ledger.observe(environment, [], 120);
    assert.deepEqual(await ledger.since(environment, 0), [{ environment, ...server(1, 100), deleted: 120 }]);
    await ledger.observe(environment, [server(1, 100)], 130);
    assert.deepEqual(await ledger.since(environment, 0), [{ environment, ...server(1, 100) }]);
  });
});

forEachRegistry('the registry', (stand) => {
  it('answers a ping, and none once it is closed', async () => {
    await stand.registry.ping();
    await stand.registry.close();
    await assert.rejects(stand.registry.ping(), { name: 'RegistryError' });
    await stand.reopen();
    await stand.registry.ping();
  });
});
