import assert from 'node:assert/strict';
import { readdirSync, readFileSync, statSync } from 'node:fs';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { setImmediate, setTimeout as sleep } from 'node:timers/promises';
import { openStack, type StackRunnerOptions } from '../../../automation/apply/stack-runner';
import {
  StackBusyError,
  type MembershipChange,
  type StackRunner,
  UpdateFailedError,
  type UpdateReport,
} from '../../../automation/apply/types';
import { ConfigError } from '../../../components/model/errors';
import { project, serverIds, writes } from '../../engine/cloud';
import { ciPool, least, withPool, type Raw } from '../../engine/configs';
import { start } from '../../engine/engine';
import { Environment, ROOT } from '../../engine/harness';
import { Secrets } from '../../engine/secrets';
import { FileIntents, runnerOptions, servicePlace, type ServicePlace } from './service-place';

const PLACEMENT = { pool: 'ci', serverType: 'cx33', location: 'fsn1' };
const NOTHING_TO_DO: MembershipChange = { launches: [], removals: [] };

describe('The service’s updates', function () {
  this.timeout(120_000);
  let environment: Environment;
  let place: ServicePlace;
  let secrets: Secrets;
  let runner: StackRunner;

  before(async () => {
    environment = await Environment.start({
      hetzner: { durationFactor: 0, limits: { servers: 100, primaryIps: 100 } },
    });
    configure({});
    place = await servicePlace(environment);
    secrets = new Secrets(environment);
    runner = await openStack(options());
  });
  afterEach(() => environment.sandbox.faults.clear());
  after(() => environment?.close());

  it('begin with a stack that was never up', async () => {
    assert.equal(await runner.readRecord(), undefined);
    const config = await runner.readConfig();
    assert.equal(config.get('worker-pools:registrationSecret'), 'registration-secret-4f1c9e07b2d85a36');
    const report = await update({ launches: [PLACEMENT, PLACEMENT], removals: [] });
    const { outcome, launched, removed, failedLaunches, problems } = report;
    assert.deepEqual(
      { outcome, launched, removed, failedLaunches, problems },
      {
        outcome: 'succeeded',
        launched: ['ci-0001', 'ci-0002'],
        removed: [],
        failedLaunches: [],
        problems: [],
      },
    );
    assert.deepEqual(members(), ['ci-0001', 'ci-0002']);
    assert.deepEqual(await runner.readRecord(), report.outputs);
  });

  it('launch and remove exactly who is named, and pass over who is gone', async () => {
    const before = serverIds(environment.sandbox);
    const report = await update({ launches: [PLACEMENT], removals: ['ci-0001', 'ci-0zzz'] });
    assert.deepEqual([report.launched, report.removed], [['ci-0003'], ['ci-0001']]);
    const { 'sandbox-ci-0003': made, ...kept } = serverIds(environment.sandbox);
    assert.ok(made);
    assert.deepEqual(kept, { 'sandbox-ci-0002': before['sandbox-ci-0002'] });
  });

  it('change nothing when there is nothing to change', async () => {
    environment.sandbox.requests.clear();
    const report = await update(NOTHING_TO_DO);
    assert.equal(report.outcome, 'succeeded');
    assert.deepEqual(writes(environment.sandbox), []);
  });

  it('keep what a person’s run in between has made', async () => {
    configure({ web: { size: { fixed: 1 }, image: 'debian-12', placements: ciPool['placements'] } });
    const { code, text } = await environment.up();
    assert.equal(code, 0, text);
    const before = serverIds(environment.sandbox);
    let recorded: string[] = [];
    const report = await runner.update(async (membership) => {
      recorded = Object.values(membership).flatMap((pool) => pool.members.map(({ id }) => id));
      return { launches: [PLACEMENT], removals: [] };
    });
    assert.deepEqual(recorded.sort(), ['ci-0002', 'ci-0003', 'web-0001']);
    assert.deepEqual(report.launched, ['ci-0004']);
    const { 'sandbox-ci-0004': made, ...kept } = serverIds(environment.sandbox);
    assert.ok(made);
    assert.deepEqual(kept, before);
  });

  it('remove a member whose server somebody has deleted', async () => {
    const { hetzner } = environment.sandbox.endpoints;
    const id = serverIds(environment.sandbox)['sandbox-ci-0004'];
    const headers = { authorization: `Bearer ${hetzner.token}` };
    const answer = await fetch(`${hetzner.url}/servers/${id}`, { method: 'DELETE', headers });
    assert.equal(answer.status, 200);
    const isThere = async (): Promise<boolean> =>
      (await fetch(`${hetzner.url}/servers/${id}`, { headers })).status !== 404;
    while (await isThere()) await setImmediate();
    const { outcome, removed, problems } = await update({ launches: [], removals: ['ci-0004'] });
    assert.deepEqual(
      { outcome, removed, problems },
      { outcome: 'succeeded', removed: ['ci-0004'], problems: [] },
    );
    assert.deepEqual(
      environment.resources().filter(({ urn }) => urn.includes('::ci-0004')),
      [],
    );
  });

  it('tell of each failed launch what it means, and record the others', async () => {
    const [soldOut, limit, rate, good] = [5, 6, 7, 8].map((serial) => `ci-000${serial}`);
    fail(soldOut!, 412, 'resource_unavailable', 'error during placement');
    fail(limit!, 403, 'resource_limit_exceeded', 'server limit reached');
    fail(rate!, 429, 'rate_limit_exceeded', 'limit of 3600 requests per hour reached');
    const launches = Array.from({ length: 4 }, () => PLACEMENT);
    const { outcome, launched, failedLaunches, problems, outputs } = await update({ launches, removals: [] });
    assert.deepEqual([outcome, launched, problems], ['failed', [good], []]);
    assert.deepEqual(
      failedLaunches.map(({ worker, kind }) => [worker, kind]),
      [
        [soldOut, 'sold-out'],
        [limit, 'limit'],
        [rate, 'rate'],
      ],
    );
    assert.match(failedLaunches[0]!.message, /^error during placement \(resource_unavailable, \w+\)$/);
    const failed = failedLaunches[0]!;
    assert.deepEqual([failed.pool, failed.placement], ['ci', { serverType: 'cx33', location: 'fsn1' }]);
    assert.deepEqual(members(), ['ci-0002', 'ci-0003', soldOut, limit, rate, good, 'web-0001']);
    assert.deepEqual(await runner.readRecord(), outputs);
    const after = await update({ launches: [], removals: [soldOut!, limit!, rate!] });
    assert.deepEqual([after.outcome, after.problems], ['succeeded', []]);
  });

  it('tell of a launch that failed for its key', async () => {
    environment.sandbox.faults.add({
      ...{ vendor: 'tailscale', method: 'POST', path: '/api/v2/tailnet/*/keys', times: null },
      ...{ status: 403, message: 'not allowed' },
    });
    const { failedLaunches } = await update({ launches: [PLACEMENT], removals: [] });
    assert.deepEqual(
      failedLaunches.map(({ worker, kind }) => [worker, kind]),
      [['ci-0009', 'other']],
    );
    assert.match(failedLaunches[0]!.message, /not allowed/);
    await update({ launches: [], removals: ['ci-0009'] });
  });

  it('are refused while somebody else holds the stack, who is named', async () => {
    configure({ web: { size: { fixed: 2 }, image: 'debian-12', placements: ciPool['placements'] } });
    environment.sandbox.faults.add({
      ...{ vendor: 'hetzner', method: 'POST', path: '/v1/servers', mode: 'slow', delayMs: 60_000 },
    });
    const person = environment.startCli(['up', '--yes', '--skip-preview']);
    await until(() => 'sandbox-web-0002' in serverIds(environment.sandbox));
    for (const attempt of [() => update(NOTHING_TO_DO), () => runner.recover()]) {
      await assert.rejects(attempt(), (error) => {
        assert.ok(error instanceof StackBusyError);
        assert.equal(error.holder?.host, hostname());
        assert.match(error.message, /^sandbox is locked by \S+@\S+ \(process \d+\) since /);
        return true;
      });
    }
    await person.kill();
    await assert.rejects(runner.recover(), StackBusyError, 'a person’s lock is not broken, dead or not');
    assert.equal((await environment.cli(['cancel', '--yes'])).code, 0);
    const report = await update(NOTHING_TO_DO);
    assert.deepEqual(report.launched, ['web-0002'], 'what the person’s run has left is taken in');
  });

  it('are one at a time', async () => {
    const first = update(NOTHING_TO_DO);
    await assert.rejects(update(NOTHING_TO_DO), /^StackBusyError: an update of sandbox runs in this process/);
    assert.equal((await first).outcome, 'succeeded');
  });

  it('change nothing when the decision fails, and hand its error on', async () => {
    environment.sandbox.requests.clear();
    const failure = new RangeError('no decision');
    await assert.rejects(
      runner.update(() => Promise.reject(failure)),
      (error) => error === failure,
    );
    assert.deepEqual(writes(environment.sandbox), []);
    assert.equal(await new FileIntents(place.intentFile).open(), undefined);
  });

  it('are refused with every fault of the file, and go on when it is right again', async () => {
    const file = readFileSync(environment.configFile, 'utf8');
    environment.configure(withPool(least(environment), 'ci', { slots: -1, image: '' }));
    await assert.rejects(update(NOTHING_TO_DO), (error) => {
      assert.ok(error instanceof ConfigError);
      assert.equal(error.faults.length, 2);
      return true;
    });
    configure({ web: { size: { fixed: 2 }, image: 'debian-12', placements: ciPool['placements'] } });
    assert.equal(readFileSync(environment.configFile, 'utf8'), file);
    assert.equal((await update(NOTHING_TO_DO)).outcome, 'succeeded');
  });

  it('are finished when the terminal interrupts the service and all that it has started', async () => {
    const order = JSON.stringify({ place, launches: [PLACEMENT] });
    const command = ['node', '--require', 'tsx/cjs', join(__dirname, 'service.ts'), order];
    const service = environment['track'](start(command, { cwd: ROOT, env: place.environment }));
    await until(() => service.text().includes('deciding'));
    const pid = Number(/process (\d+)/.exec(service.text())?.[1]);
    process.kill(-pid, 'SIGINT');
    const { code, text } = await service.finished;
    assert.equal(code, 0, text);
    assert.match(text, /interrupted/);
    assert.match(text, /"outcome":"succeeded"/);
    assert.ok(members().includes('ci-000a'));
  });

  for (const [when, moment] of [
    ['before anything was decided', 'deciding'],
    ['while a worker was made', 'making'],
  ] as const) {
    it(`go on after their engine alone was killed, ${when}`, async () => {
      const before = members();
      const killEngine = (): void => {
        const note = readFileSync(join(place.pulumiHome, 'running-sandbox.json'), 'utf8');
        process.kill((JSON.parse(note) as { pid: number }).pid, 'SIGKILL');
      };
      if (moment === 'making')
        environment.sandbox.faults.add({
          ...{ vendor: 'hetzner', method: 'POST', path: '/v1/servers', mode: 'slow', delayMs: 5000 },
        });
      const updating = runner.update(async () => {
        if (moment === 'deciding') {
          killEngine();
          await assert.rejects(updating);
        }
        return { launches: [PLACEMENT], removals: [] };
      });
      updating.catch(() => undefined);
      if (moment === 'making') {
        const created = new Set(Object.keys(serverIds(environment.sandbox)));
        while (Object.keys(serverIds(environment.sandbox)).every((name) => created.has(name)))
          await sleep(20);
        killEngine();
      }
      await assert.rejects(updating, UpdateFailedError);
      // The next round is later than what is left of this one's program.
      await sleep(1000);
      const { outcome, problems } = await update(NOTHING_TO_DO);
      assert.deepEqual([outcome, problems], ['succeeded', []]);
      assert.deepEqual(
        Object.keys(serverIds(environment.sandbox)).sort(),
        members().map((id) => `sandbox-${id}`),
      );
      assert.equal(members().length, before.length + (moment === 'making' ? 1 : 0));
    });
  }

  it('write nothing into the checkout, and no secret anywhere', () => {
    const folder = place.projectDirectory;
    assert.deepEqual(readdirSync(folder).sort(), ['Pulumi.sandbox.yaml', 'Pulumi.yaml']);
    const written = statSync(environment.configFile).mtimeMs;
    assert.ok(written <= configuredAt + 1, `${written} ${configuredAt}`);
    assert.ok(Object.keys(project(environment.sandbox).servers).length > 0);
    secrets.observe();
    assert.deepEqual(secrets.leaks(), []);
  });

  describe('do not even begin', () => {
    const rows: [string, (options: StackRunnerOptions) => Partial<StackRunnerOptions>, RegExp][] = [
      [
        'without the passphrase',
        ({ environment: variables }) => ({
          environment: { ...variables, PULUMI_CONFIG_PASSPHRASE: undefined },
        }),
        /PULUMI_CONFIG_PASSPHRASE: is missing/,
      ],
      [
        'with a passphrase file that is not there',
        ({ environment: variables }) => ({
          environment: {
            ...variables,
            PULUMI_CONFIG_PASSPHRASE: undefined,
            PULUMI_CONFIG_PASSPHRASE_FILE: '/nowhere/passphrase',
          },
        }),
        /PULUMI_CONFIG_PASSPHRASE_FILE: \/nowhere\/passphrase cannot be read \(ENOENT\)/,
      ],
      [
        'with another passphrase',
        ({ environment: variables }) => ({
          environment: { ...variables, PULUMI_CONFIG_PASSPHRASE: 'other' },
        }),
        /PULUMI_CONFIG_PASSPHRASE: is not the one that the secrets of sandbox are encrypted with/,
      ],
      [
        'with a backend that has no such stack',
        ({ environment: variables }) => ({
          environment: { ...variables, PULUMI_BACKEND_URL: `file://${environment.folder}/home` },
        }),
        /stack sandbox: the backend has no such stack; make it with `pulumi stack init sandbox`/,
      ],
      [
        'with a backend that is not there',
        ({ environment: variables }) => ({
          environment: { ...variables, PULUMI_BACKEND_URL: 'file:///nowhere/state' },
        }),
        /stack sandbox: the engine cannot open it: .*\/nowhere\/state/s,
      ],
      [
        'without the stack’s file',
        () => ({ stack: 'staging' }),
        /Pulumi\.staging\.yaml: .* has none that can be read/,
      ],
    ];
    for (const [name, change, message] of rows) {
      it(name, async () => {
        await assert.rejects(openStack({ ...options(), ...change(options()) }), (error) => {
          assert.ok(error instanceof ConfigError, String(error));
          assert.match(error.message, message);
          return true;
        });
      });
    }

    it('without the command line', async () => {
      const path = process.env['PATH'];
      process.env['PATH'] = '/nowhere';
      try {
        await assert.rejects(openStack(options()), /pulumi: the Pulumi command line is not on PATH/);
      } finally {
        process.env['PATH'] = path;
      }
    });
  });

  let configuredAt = 0;

  /** One pool that follows its queue, whose workers have names, with `more` pools. */
  function configure(more: Record<string, Raw>): void {
    const config = withPool(least(environment), 'ci', { size: { min: 0, max: 40 }, spread: true });
    const pools = { ...(config['pools'] as Raw), ...more };
    const dns = { zone: 'sandbox.example', workers: true, tenants: { acme: 'ci' } };
    environment.configure({ ...config, network: { cidr: '10.20.0.0/16', zone: 'eu-central' }, dns, pools });
    configuredAt = Date.now();
  }

  function options(): StackRunnerOptions {
    return { ...runnerOptions(place), log: (line) => environment.transcripts.push(line) };
  }

  async function update(change: MembershipChange): Promise<UpdateReport> {
    const report = await runner.update(async () => change);
    environment.transcripts.push(JSON.stringify(report));
    return report;
  }

  function fail(worker: string, status: number, code: string, message: string): void {
    const body = `"name":"sandbox-${worker}"`;
    const call = { vendor: 'hetzner', method: 'POST', path: '/v1/servers', body, times: null } as const;
    environment.sandbox.faults.add({ ...call, status, code, message });
  }

  function members(): string[] {
    return Object.values(environment.record().membership).flatMap((pool) => pool.members.map(({ id }) => id));
  }
});

async function until(condition: () => boolean): Promise<void> {
  const deadline = Date.now() + 40_000;
  while (!condition()) {
    if (Date.now() > deadline) throw new Error('what was waited for did not happen within 40 s');
    await sleep(25);
  }
}
