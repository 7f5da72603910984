import assert from 'node:assert/strict';
import { hostname } from 'node:os';
import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { slotToken } from '../../../automation/http/tokens';
import { REGISTRATION_SECRET, STACK } from '../../engine/harness';
import { type Said, Stage } from './stage';

interface Diagnosis {
  ok: boolean;
  findings: { check: string; level: string; seen: string; next?: string }[];
}

describe('commands that open a stack themselves', function () {
  this.timeout(180_000);
  let stage: Stage;
  before(async () => (stage = await Stage.start()));
  after(() => stage?.close());
  beforeEach(() => stage.configure());

  const run = (command: string, args: string[] = [], changes: NodeJS.ProcessEnv = {}): Promise<Said> =>
    stage.run([command, '--stack', STACK, '--data', stage.data, ...args], changes);
  const diagnose = async (changes: NodeJS.ProcessEnv = {}): Promise<Diagnosis & { code: number | null }> => {
    const { code, stdout } = await run('doctor', ['--json', '--service', stage.service], changes);
    return { ...(JSON.parse(stdout) as Diagnosis), code };
  };
  const of = ({ findings }: Diagnosis, check: string): string[] =>
    findings.filter((finding) => finding.check === check).map(({ level, seen }) => `${level}: ${seen}`);

  it('doctor takes a stack that is not up yet as well, and says what comes next', async () => {
    const found = await diagnose();
    assert.equal(found.code, 0, JSON.stringify(found));
    assert.deepEqual(
      found.findings.filter(({ level }) => level === 'failed'),
      [],
    );
    assert.deepEqual(of(found, 'lock'), ['ok: free']);
    assert.deepEqual(of(found, 'configuration'), ['ok: valid; pools: ci']);
    assert.deepEqual(of(found, 'ci'), ['ok: http: 0 waiting, 0 running']);
    const record = found.findings.find(({ check }) => check === 'record');
    assert.equal(record?.next, `pulumi up --stack ${STACK}`);
  });

  for (const { what, changes, check, seen } of [
    {
      what: 'a passphrase that is missing',
      changes: { PULUMI_CONFIG_PASSPHRASE: undefined },
      check: 'passphrase',
      seen: /^failed: is missing: the secrets of this stack are encrypted with a passphrase$/,
    },
    {
      what: 'a passphrase that is wrong',
      changes: { PULUMI_CONFIG_PASSPHRASE: 'another one' },
      check: 'passphrase',
      seen: /^failed: is not the one that the secrets of sandbox are encrypted with$/,
    },
    {
      what: 'a backend without the stack',
      changes: { PULUMI_BACKEND_URL: 'file:///nowhere-at-all' },
      check: 'stack',
      seen: /^failed: /,
    },
    {
      what: 'a command line that is not there',
      changes: { PATH: `${join(process.execPath, '..')}:/bin` },
      check: 'Pulumi CLI',
      seen: /^failed: the Pulumi command line is not on PATH/,
    },
  ]) {
    it(`doctor finds ${what}`, async () => {
      const found = await diagnose(changes);
      assert.equal(found.code, 1);
      const [said] = of(found, check);
      assert.match(said ?? JSON.stringify(found.findings), seen);
    });
  }

  it('doctor finds every fault of the configuration', async () => {
    stage.configure({ budget: { hourly: -1 }, pools: { ci: { size: { min: 3, max: 1 } } } });
    const found = await diagnose();
    assert.equal(found.code, 1);
    const faults = of(found, 'configuration').map((text) => text.split(': ')[1]);
    assert.ok(faults.length >= 3, JSON.stringify(found));
    assert.ok(faults.includes('worker-pools:budget.hourly'));
  });

  it('doctor finds who holds the stack', async () => {
    stage.lock({ pid: process.pid, host: hostname(), since: Date.now() / 1000 });
    try {
      const found = await diagnose();
      assert.equal(found.code, 0);
      assert.match(of(found, 'lock')[0]!, /^warning: held by anna@.* \(process \d+\) since /);
    } finally {
      rmSync(join(stage.environment.backend, '.pulumi', 'locks'), { recursive: true });
    }
  });

  it('doctor finds a lock that nobody is behind any more', async () => {
    stage.lock({ pid: 4_194_000, host: hostname(), since: Date.now() / 1000 - 600 });
    try {
      const found = await diagnose();
      assert.equal(found.code, 1);
      assert.match(of(found, 'lock')[0]!, /^failed: held by anna@.*, which runs no more$/);
    } finally {
      rmSync(join(stage.environment.backend, '.pulumi', 'locks'), { recursive: true });
    }
  });

  it('doctor finds a secret file that others can read', async () => {
    const file = join(stage.environment.folder, 'token');
    writeFileSync(file, 'x', { mode: 0o644 });
    const found = await diagnose({ HCLOUD_TOKEN_FILE: file });
    assert.equal(found.code, 1);
    assert.match(
      of(found, 'files')[0]!,
      /^failed: HCLOUD_TOKEN_FILE: .* can be read by others \(mode 644\)$/,
    );
  });

  it('catalogue lists what can be had, with the stack’s own placements marked, in 110 columns', async () => {
    const { code, stdout, text } = await run('catalogue', ['--arch', 'x86']);
    assert.equal(code, 0, text);
    assert.match(stdout, /^cx33 +x86 .* fsn1\* nbg1 hel1$/m);
    assert.match(stdout, /^debian-12 \* +x86$/m);
    assert.doesNotMatch(stdout, /^cax11 /m);
    assert.ok(stdout.split('\n').every((line) => line.length <= 110));
  });

  it('catalogue says what is sold out and what ends, and answers as JSON', async () => {
    const control = `${stage.environment.sandbox.endpoints.control.url}/catalogue`;
    const post = (path: string, body: object): Promise<Response> =>
      fetch(`${control}/${path}`, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify(body),
      });
    await post('availability', { serverType: 'cx33', location: 'fsn1', available: false });
    const ends = '2099-02-01T00:00:00Z';
    await post('deprecations', {
      serverType: 'cpx32',
      announced: '2026-11-01T00:00:00Z',
      unavailableAfter: ends,
    });
    const { stdout } = await run('catalogue', ['--location', 'fsn1', '--json']);
    const { serverTypes, locations } = JSON.parse(stdout) as {
      locations: { name: string }[];
      serverTypes: {
        name: string;
        offers: { location: string; available: boolean; ends?: string; pools: string[] }[];
      }[];
    };
    assert.deepEqual(
      locations.map(({ name }) => name),
      ['fsn1'],
    );
    const offerOf = (type: string) => serverTypes.find(({ name }) => name === type)!.offers[0]!;
    assert.deepEqual([offerOf('cx33').available, offerOf('cx33').pools], [false, ['ci']]);
    assert.equal(Date.parse(offerOf('cpx32').ends!), Date.parse(ends));
  });

  it('catalogue refuses a location that there is not', async () => {
    const { code, text } = await run('catalogue', ['--location', 'fsn']);
    assert.equal(code, 1);
    assert.match(text, /--location: Hetzner has no location "fsn"\. Did you mean "fsn1"/);
  });

  it('a vendor’s refusal is one message', async () => {
    const { code, text } = await run('catalogue', [], { HCLOUD_TOKEN: 'x'.repeat(64) });
    assert.equal(code, 1);
    assert.equal(
      text,
      'Hetzner (401): the token you have provided is invalid. Nothing was changed. `worker-pools doctor` says what is wrong with the credentials and end points.\n',
    );
  });

  it('devices says that there are none', async () => {
    const { code, text } = await run('devices');
    assert.deepEqual([code, text], [0, 'The stack has no device on the tailnet.\n']);
    const { stdout } = await run('devices', ['--offline', '--os', 'linux', '--json']);
    assert.deepEqual((JSON.parse(stdout) as { devices: unknown[] }).devices, []);
  });

  it('slots-token prints the token that the service takes, with what it is good for', async () => {
    const { code, stdout, text } = await run('slots-token', ['--pool', 'ci', '--show']);
    assert.equal(code, 0, text);
    assert.equal(stdout, `${slotToken(REGISTRATION_SECRET, { environment: STACK, pool: 'ci' })}\n`);
    assert.match(text, /Whoever has this token can take every slot of sandbox\/ci/);
    const wrong = await run('slots-token', ['--pool', 'c', '--show']);
    assert.equal(wrong.code, 1);
    assert.match(wrong.text, /stack sandbox has no pool "c"\. Did you mean "ci"\?/);
  });
});
