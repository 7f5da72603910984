import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer, type AddressInfo } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import type { Running } from '../../engine/engine';
import { REGISTRATION_SECRET, STACK } from '../../engine/harness';
import { Stage } from './stage';

/** Events that a service has logged; fails where a line is no JSON. */
function eventsOf({ text }: { text: string }): Record<string, unknown>[] {
  return text
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as Record<string, unknown>);
}

/** Resolves when the service has said it; fails when it ended before. */
async function heard(service: Running, words: string): Promise<void> {
  let ended = false;
  void service.finished.then(() => (ended = true));
  while (!service.text().includes(words)) {
    assert.ok(!ended, `the service ended before "${words}":\n${service.text()}`);
    await delay(50);
  }
}

describe('the process of `worker-pools serve`', function () {
  this.timeout(240_000);
  let stage: Stage;
  before(async () => {
    stage = await Stage.start();
    const up = await stage.environment.up();
    assert.equal(up.code, 0, up.text);
  });
  after(() => stage?.close());

  for (const { what, args = [], changes = {}, said } of [
    {
      what: 'without the passphrase of the stack’s secrets',
      changes: { PULUMI_CONFIG_PASSPHRASE: undefined },
      said: 'The stack cannot be opened. Nothing was changed.\n  • PULUMI_CONFIG_PASSPHRASE: is missing: the secrets of this stack are encrypted with a passphrase; give it in the environment, or the file that holds it as PULUMI_CONFIG_PASSPHRASE_FILE\n',
    },
    {
      what: 'with another passphrase',
      changes: { PULUMI_CONFIG_PASSPHRASE: 'another one' },
      said: 'The stack cannot be opened. Nothing was changed.\n  • PULUMI_CONFIG_PASSPHRASE: is not the one that the secrets of sandbox are encrypted with\n',
    },
    {
      what: 'with an admin interface that others could reach',
      args: ['--admin', '0.0.0.0:8471'],
      said: 'The service cannot start. Nothing was changed.\n  • --admin: 0.0.0.0 is not a loopback address; the admin interface stays on this machine: use 127.0.0.1, and reach it from elsewhere with `ssh -L 8471:127.0.0.1:8471` or `tailscale serve`\n',
    },
    {
      what: 'with an admin token that could be guessed',
      changes: { WORKER_POOLS_ADMIN_TOKEN: 'short' },
      said: 'the admin token is shorter than 16 characters; make one with `openssl rand -hex 32`\n',
    },
  ]) {
    it(`is refused ${what}`, async () => {
      const { code, text } = await stage.serve(args, changes).finished;
      assert.deepEqual([code, text], [1, said]);
    });
  }

  it('is refused where the port is taken', async () => {
    const other = createServer().listen(0, '127.0.0.1');
    await once(other, 'listening');
    const { port } = other.address() as AddressInfo;
    try {
      const { code, text } = await stage.serve(['--listen', `127.0.0.1:${port}`]).finished;
      assert.equal(code, 1);
      assert.equal(
        text,
        `the worker API cannot listen on 127.0.0.1:${port}: listen EADDRINUSE: address already in use 127.0.0.1:${port}; free the port or name another\n`,
      );
    } finally {
      other.close();
    }
  });

  it('has its folder for itself, ends its update after SIGTERM, and logs events without secrets', async () => {
    const service = stage.serve();
    await heard(service, '"listening"');

    const second = await stage.serve(['--listen', '127.0.0.1:0', '--admin', '127.0.0.1:0']).finished;
    assert.equal(second.code, 1);
    assert.match(
      second.text,
      /^\S+\/data\/registry is in use by process \d+: an embedded database serves one process; stop that one, or give both a PostgreSQL\n$/,
    );

    stage.environment.sandbox.jobs.add('ci', [{ seconds: 600 }]);
    await heard(service, '"update-started"');
    process.kill(service.pid!, 'SIGTERM');
    const { code, text, stdout } = await service.finished;
    assert.equal(code, 0, text);
    assert.equal(stdout, '');

    const events = eventsOf({ text });
    const names = events.map(({ event }) => event);
    assert.deepEqual(
      ['listening', 'leading', 'update-started', 'stopping', 'update-finished', 'stopped'].map(
        (name) => names.indexOf(name) >= 0,
      ),
      Array<boolean>(6).fill(true),
      text,
    );
    assert.equal(names.at(-1), 'stopped');
    const finished = events.find(({ event }) => event === 'update-finished')!;
    assert.deepEqual([finished['outcome'], finished['launched']], ['succeeded', ['ci-0001']]);
    assert.ok(events.every(({ level, time, event }) => level && time && event));
    assert.deepEqual(
      stage.environment.record().membership['ci']!.members.map(({ id }) => id),
      ['ci-0001'],
    );

    const { hetzner, tailscale, cloudflare } = stage.environment.sandbox.endpoints;
    const secrets = [hetzner.token, tailscale.oauthClientSecret, cloudflare.token, REGISTRATION_SECRET];
    for (const secret of secrets) assert.ok(!text.includes(secret));
  });

  it('leaves the folder and the stack free behind it', async () => {
    const { stdout } = await stage.run(['doctor', '--stack', STACK, '--data', stage.data, '--json']);
    const { findings } = JSON.parse(stdout) as { findings: { check: string; seen: string }[] };
    const seen = (check: string): string | undefined =>
      findings.find((finding) => finding.check === check)?.seen;
    assert.equal(seen('lock'), 'free');
    assert.match(seen('registry')!, /no process has it open$/);
    assert.equal(seen('record'), 'readable; 1 worker recorded');
  });
});
