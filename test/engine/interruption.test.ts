import assert from 'node:assert/strict';
import { setTimeout as sleep } from 'node:timers/promises';
import { inventory, NOTHING, serverIds, writes } from './cloud';
import { least, withPool } from './configs';
import { launched } from './intent';
import { Environment } from './harness';

describe('An update that does not end well', function () {
  this.timeout(60_000);
  let environment: Environment;
  afterEach(() => environment?.close());

  it('keeps the record and the good workers when one cannot be had, and makes only that one next time', async () => {
    environment = await Environment.start();
    environment.configure(withPool(least(environment), 'ci', { size: { min: 3, max: 20 } }));
    environment.sandbox.faults.add({
      vendor: 'hetzner',
      method: 'POST',
      path: '/v1/servers',
      body: '"name":"sandbox-ci-0002"',
      status: 412,
      code: 'resource_unavailable',
      message: 'error during placement',
      times: null,
    });
    const first = await environment.cli(['up', '--yes', '--skip-preview', '--continue-on-error']);
    assert.notEqual(first.code, 0);
    assert.match(first.text, /resource_unavailable/);
    assert.deepEqual(members(environment), ['ci-0001', 'ci-0002', 'ci-0003']);
    const good = serverIds(environment.sandbox);
    assert.deepEqual(Object.keys(good).sort(), ['sandbox-ci-0001', 'sandbox-ci-0003']);

    environment.sandbox.faults.clear();
    const { changes } = await environment.preview();
    assert.deepEqual(changes, { create: ['ci-0002-server'] });
    const second = await environment.up();
    assert.equal(second.code, 0, second.text);
    const { 'sandbox-ci-0002': made, ...kept } = serverIds(environment.sandbox);
    assert.ok(made);
    assert.deepEqual(kept, good);
  });

  it('leaves a way on when it was killed while the service added workers', async () => {
    environment = await Environment.start();
    environment.configure(least(environment));
    assert.equal((await environment.up()).code, 0);
    const wanted = launched(environment, 2);
    holdAnswer(environment, 'sandbox-ci-0003');

    // The service's process dies with its engine: here a child process stands for it.
    const service = environment.startService(wanted);
    await until(() => finished(environment).includes('ci-0002') && inCloud(environment, 'ci-0003'));
    await service.kill();

    const locked = await environment.up();
    assert.notEqual(locked.code, 0);
    assert.match(locked.text, /the stack is currently locked by 1 lock/);
    assert.equal((await environment.cli(['cancel', '--yes'])).code, 0);

    environment.sandbox.requests.clear();
    const servers = serverIds(environment.sandbox);
    const stopped = await environment.up();
    assert.notEqual(stopped.code, 0);
    assert.match(stopped.text, /previous update of this stack was interrupted/);
    assert.match(stopped.text, /WORKER_POOLS_ADOPT=ci-0002,ci-0003/);
    assert.deepEqual(writes(environment.sandbox), []);

    const adopted = await environment.up({ WORKER_POOLS_ADOPT: 'ci-0002,ci-0003' });
    assert.equal(adopted.code, 0, adopted.text);
    assert.deepEqual(members(environment), ['ci-0001', 'ci-0002', 'ci-0003']);
    assert.deepEqual(serverIds(environment.sandbox), servers, 'nothing was made twice or taken away');

    const settled = await environment.up();
    assert.match(settled.text, /Resources:\n\s+\d+ unchanged/, settled.text);
    assert.equal((await environment.cli(['destroy', '--yes', '--skip-preview'])).code, 0);
    assert.deepEqual(inventory(environment.sandbox), NOTHING);
  });

  it('lets workers of an interrupted update go when that is said by name', async () => {
    environment = await Environment.start();
    environment.configure(least(environment));
    assert.equal((await environment.up()).code, 0);
    holdAnswer(environment, 'sandbox-ci-0003');
    const service = environment.startService(launched(environment, 2));
    await until(() => finished(environment).includes('ci-0002') && inCloud(environment, 'ci-0003'));
    await service.kill();
    assert.equal((await environment.cli(['cancel', '--yes'])).code, 0);
    const { code, text } = await environment.up({ WORKER_POOLS_ALLOW_REMOVAL: 'ci-0002,ci-0003' });
    assert.equal(code, 0, text);
    assert.deepEqual(members(environment), ['ci-0001']);
    assert.ok(!inCloud(environment, 'ci-0002'));
  });

  it('goes on by itself when it was a person’s first', async () => {
    environment = await Environment.start();
    environment.configure(withPool(least(environment), 'ci', { size: { min: 2, max: 20 } }));
    holdAnswer(environment, 'sandbox-ci-0002');
    const update = environment.startCli(['up', '--yes', '--skip-preview']);
    await until(() => finished(environment).includes('ci-0001') && inCloud(environment, 'ci-0002'));
    await update.kill();
    assert.equal((await environment.cli(['cancel', '--yes'])).code, 0);
    const servers = serverIds(environment.sandbox);
    const { code, text } = await environment.up();
    assert.equal(code, 0, text);
    assert.deepEqual(serverIds(environment.sandbox), servers);
    const settled = await environment.up();
    assert.match(settled.text, /Resources:\n\s+\d+ unchanged/, settled.text);
  });
});

/** The server is made, but nobody hears of it before the process is killed. */
function holdAnswer({ sandbox }: Environment, name: string): void {
  sandbox.faults.add({
    vendor: 'hetzner',
    method: 'POST',
    path: '/v1/servers',
    body: `"name":"${name}"`,
    mode: 'slow',
    delayMs: 20_000,
  });
}

function members(environment: Environment): string[] {
  return environment.record().membership['ci']!.members.map(({ id }) => id);
}

/** Workers whose server the state holds. */
function finished(environment: Environment): string[] {
  return environment
    .resources()
    .filter(({ type, id }) => type === 'hcloud:index/server:Server' && id)
    .map(({ urn }) => urn.slice(urn.lastIndexOf('::') + 2).replace('-server', ''));
}

function inCloud({ sandbox }: Environment, worker: string): boolean {
  return `sandbox-${worker}` in serverIds(sandbox);
}

async function until(condition: () => boolean): Promise<void> {
  const deadline = Date.now() + 30_000;
  while (!condition()) {
    if (Date.now() > deadline) throw new Error('what was waited for did not happen within 30 s');
    await sleep(50);
  }
}
