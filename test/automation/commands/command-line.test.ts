import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ROOT } from '../../engine/harness';
import { start, type Finished } from '../../engine/engine';
import { ADMIN_TOKEN, type AdminListener, adminListener } from '../http/admin-listener';
import { NOW } from '../http/status';

const BINARY = join(ROOT, 'automation', 'worker-pools.js');
const COMMANDS = [
  'serve',
  'doctor',
  'status',
  'explain',
  'scale',
  'drain',
  'undrain',
  'rollout',
  'pause',
  'resume',
  'catalogue',
  'devices',
  'sweep',
  'slots-token',
  'render',
  'preview',
  'deploy',
];

describe('the command line', function () {
  this.timeout(120_000);
  let folder: string;
  let listener: AdminListener;
  before(async () => {
    folder = mkdtempSync(join(tmpdir(), 'worker-pools-command-line-'));
    listener = await adminListener();
  });
  after(async () => {
    await listener.close();
    rmSync(folder, { recursive: true, force: true });
  });

  const run = (args: readonly string[], variables: NodeJS.ProcessEnv = {}): Promise<Finished> => {
    const env = {
      PATH: process.env['PATH'],
      HOME: folder,
      USER: 'anna',
      NO_COLOR: '1',
      WORKER_POOLS_ADMIN_TOKEN: ADMIN_TOKEN,
      ...variables,
    };
    return start(['node', BINARY, ...args], { cwd: ROOT, env }).finished;
  };
  const ask = (...args: string[]): Promise<Finished> => run([...args, '--service', listener.url]);

  it('tells its version', async () => {
    const { version } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')) as { version: string };
    const { code, stdout } = await run(['--version']);
    assert.deepEqual([code, stdout], [0, `${version}\n`]);
  });

  it('lists every command, and what to begin with', async () => {
    const { code, stdout } = await run(['--help']);
    assert.equal(code, 0);
    for (const command of COMMANDS) assert.match(stdout, new RegExp(`^  ${command} `, 'm'));
    assert.match(stdout, /Begin with `worker-pools doctor --stack NAME`/);
  });

  for (const command of COMMANDS) {
    it(`helps with ${command}, with an example`, async () => {
      const { code, stdout } = await run([command, '--help']);
      assert.equal(code, 0);
      assert.match(stdout, new RegExp(`^  \\$ (sudo .* )?worker-pools ${command}`, 'm'));
    });
  }

  for (const { what, args, said } of [
    {
      what: 'an unknown command',
      args: ['stauts'],
      said: "error: unknown command 'stauts'\n(Did you mean status?)\n",
    },
    {
      what: 'an unknown option',
      args: ['status', '--jsn'],
      said: "error: unknown option '--jsn'\n(Did you mean --json?)\n",
    },
    {
      what: 'serve without a stack',
      args: ['serve'],
      said: "error: required option '--stack <name>' not specified\n",
    },
    {
      what: 'a duration that is none',
      args: ['scale', 'ci', '3', '--for', 'ever'],
      said: "error: option '--for <duration>' argument 'ever' is invalid. must be a duration, e.g. 90s, 15m, 8h or 2d\n",
    },
    {
      what: 'a size that is none',
      args: ['scale', 'ci', 'many'],
      said: "error: command-argument value 'many' is invalid for argument 'size'. must be a whole number\n",
    },
    { what: 'no size', args: ['scale', 'ci'], said: 'error: say the size, or --end to end a hold\n' },
    {
      what: 'a stack that the checkout has not',
      args: ['doctor', '--stack', 'stagin', '--json'],
      said: undefined,
    },
    {
      what: 'a token into a pipe',
      args: ['slots-token', '--stack', 'staging', '--pool', 'ci'],
      said: 'The token was not printed. Nothing was changed.\n  • --show: the output is no terminal; give --show where the token may go there\n',
    },
    {
      what: 'a pool that the stack has not',
      args: ['render', '--stack', 'sandbox', '--pool', 'cii'],
      said: undefined,
    },
  ]) {
    it(`refuses ${what} with exit code 1 and without a stack trace`, async () => {
      const { code, text } = await run(args);
      assert.equal(code, 1);
      assert.doesNotMatch(text, /^ +at /m);
      if (said !== undefined) assert.equal(text.replace('(--help shows what there is)\n', ''), said);
      else assert.match(text, /Did you mean/);
    });
  }

  for (const { command, args = [], stdout = false } of [
    { command: 'serve' },
    { command: 'doctor', stdout: true },
    { command: 'render', args: ['--pool', 'ci'] },
    { command: 'catalogue' },
    { command: 'slots-token', args: ['--pool', 'ci', '--show'] },
    { command: 'deploy' },
  ]) {
    it(`says outside of a checkout what is missing: ${command}`, async () => {
      const env = { ...process.env, XDG_STATE_HOME: folder, NO_COLOR: '1' };
      const said = await start(['node', BINARY, command, '--stack', 'staging', ...args], { cwd: folder, env })
        .finished;
      assert.equal(said.code, 1);
      const words = (stdout ? said.stdout : said.text).replaceAll(/\s+/g, ' ');
      assert.match(words, /is not in \S+\/worker-pools-command-line-\w+(;| →|.* →) run this in the checkout/);
      assert.match(words, /Pulumi\.yaml|project/);
    });
  }

  it('says where it looked when no service answers', async () => {
    const { code, text } = await run(['status', '--service', 'http://127.0.0.1:9']);
    assert.deepEqual(
      [code, text],
      [
        1,
        'No service answers at http://127.0.0.1:9. Is it running (`systemctl status worker-pools`), and is --service right?\n',
      ],
    );
  });

  it('says which token is wanted when there is none, and when it is wrong', async () => {
    const none = await run(['status', '--service', listener.url], { WORKER_POOLS_ADMIN_TOKEN: undefined });
    assert.equal(none.code, 1);
    assert.match(none.text, /WORKER_POOLS_ADMIN_TOKEN: is not set, and .* has no admin-token\./);
    const wrong = await run(['status', '--service', listener.url], { WORKER_POOLS_ADMIN_TOKEN: 'x' });
    assert.equal(wrong.code, 1);
    assert.match(wrong.text, /refuses the admin token/);
  });

  it('shows the status as text and as JSON', async () => {
    const { code, stdout } = await ask('status');
    assert.equal(code, 0);
    assert.match(stdout, /^staging: All is well: 3 workers in 1 pool, 7 jobs wait\.$/m);
    const answer = JSON.parse((await ask('status', '--json')).stdout) as Record<string, unknown>;
    assert.deepEqual(Object.keys(answer), ['now', 'verdict', 'status']);
  });

  for (const { args, said, order } of [
    {
      args: ['scale', 'ci', '6', '--for', '8h'],
      said: `staging: size of ci held at 6 until ${new Date((NOW + 28_800) * 1000).toISOString()}\n`,
      order: { command: 'scale', size: 6, until: NOW + 28_800 },
    },
    {
      args: ['scale', 'ci', '--end'],
      said: 'staging: size of ci follows its queue again\n',
      order: { command: 'unscale' },
    },
    {
      args: ['drain', 'ci-0001', '--reason', 'disk errors'],
      said: 'staging: draining ci-0001: disk errors\n',
      order: { command: 'drain', worker: 'ci-0001', reason: 'disk errors' },
    },
    {
      args: ['undrain', 'ci-0001'],
      said: 'staging: ci-0001 takes jobs again\n',
      order: { command: 'undrain', worker: 'ci-0001' },
    },
    {
      args: ['rollout', 'ci', 'ci-0001', 'ci-0002'],
      said: 'staging: replacing ci-0001, ci-0002 of ci\n',
      order: { command: 'rollout', workers: ['ci-0001', 'ci-0002'] },
    },
    {
      args: ['rollout', 'ci', '--stop'],
      said: 'staging: rollout of ci called off\n',
      order: { command: 'cancel-rollout' },
    },
    {
      args: ['pause', '--reason', 'maintenance', '--stack', 'staging'],
      said: 'staging: paused: maintenance\n',
      order: { command: 'pause', by: 'anna', reason: 'maintenance' },
    },
    { args: ['resume'], said: 'staging: resumed\n', order: { command: 'resume' } },
  ]) {
    it(`gives the order: ${args.join(' ')}`, async () => {
      const { code, text } = await ask(...args);
      assert.deepEqual([code, text], [0, said]);
      const [entry] = await listener.registry.audit.latest('staging', { kind: 'command', limit: 1 });
      assert.equal(entry!.actor, 'anna');
      assert.deepEqual(entry!.detail, order);
    });
  }

  it('answers an order as JSON', async () => {
    const { stdout } = await ask('resume', '--json');
    assert.deepEqual(JSON.parse(stdout), { stack: 'staging', done: 'resumed' });
  });

  for (const { args, said } of [
    { args: ['scale', 'cj', '3'], said: 'there is no pool "cj". Did you mean "ci"?\n' },
    {
      args: ['drain', 'ci-001'],
      said: 'there is no worker "ci-001". Did you mean "ci-0001" or "ci-0002" or "ci-0003"?\n',
    },
    {
      args: ['scale', 'ci', '41'],
      said: "size must be from 0 to 40, the bounds of the pool ci in the stack's file; change them there for more\n",
    },
    {
      args: ['resume', '--stack', 'stagin'],
      said: 'The service has no stack "stagin". Did you mean "staging"? The service runs: staging.\n',
    },
  ]) {
    it(`passes on a refusal: ${args.join(' ')}`, async () => {
      const { code, text } = await ask(...args);
      assert.deepEqual([code, text], [1, said]);
    });
  }

  it('shows what the sweep would do, and starts none', async () => {
    const plan = {
      deletions: [{ id: 7, name: 'staging-ci-0009', worker: 'ci-0009', reason: 'no record knows it' }],
      drains: [],
      devices: [],
      reasons: [],
      needsState: false,
    };
    await listener.registry.memory.set('staging', 'sweep', { at: NOW, plan });
    const shown = await ask('sweep', '--dry-run');
    assert.equal(shown.code, 0);
    assert.match(shown.stdout, /^✗ server staging-ci-0009 \(7\): no record knows it$/m);
    const started = await ask('sweep');
    assert.equal(started.code, 1);
    assert.match(started.text, /The service sweeps by itself/);
  });
});
