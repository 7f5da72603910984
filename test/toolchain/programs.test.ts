import assert from 'node:assert/strict';
import { existsSync, mkdirSync, readFileSync, readlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { runProgram, script, temporaryFolder, type Outcome } from './support';

const ALL = [
  'cloud-init',
  'nft',
  'shellcheck',
  'curl',
  'ssh-keygen',
  'openssl',
  'systemd-analyze',
  'chromium',
  'prometheus',
];

describe('toolchain: programs that tests run', function () {
  // Every test starts processes.
  this.timeout(30_000);
  let folder: ReturnType<typeof temporaryFolder>;
  let bin: string;
  let etc: string;

  beforeEach(() => {
    folder = temporaryFolder();
    bin = join(folder.path, 'bin');
    etc = join(folder.path, 'etc');
  });
  afterEach(() => folder.remove());

  const there = (...programs: string[]): void =>
    programs.forEach((program) => script(bin, program, 'exit 0'));
  const run = (uid = 0): Promise<Outcome> =>
    runProgram(process.execPath, [join(__dirname, 'programs-once.mjs'), etc, String(uid)], {
      env: { PATH: bin },
    });
  const calls = (): string[] => readFileSync(join(folder.path, 'calls'), 'utf8').trim().split('\n');
  const apt = (then: string): void => script(bin, 'apt-get', `echo "$@" >>${folder.path}/calls\n${then}`);

  it('are left alone where all are there', async () => {
    there(...ALL);
    apt('exit 1');
    assert.deepEqual(await run(), { code: 0, stdout: '', stderr: '' });
    assert.ok(!existsSync(join(folder.path, 'calls')));
  });

  it('are installed where they are missing, without starting the services that come with them', async () => {
    there('curl', 'ssh-keygen', 'openssl', 'systemd-analyze');
    apt('exit 0');
    const { code, stdout } = await run();
    assert.equal(code, 0);
    assert.match(stdout, /^Installing cloud-init, nftables, shellcheck, chromium, prometheus for the tests/);
    assert.deepEqual(calls(), [
      'install -y -qq --no-install-recommends cloud-init nftables shellcheck chromium prometheus',
    ]);
    assert.ok(existsSync(join(etc, 'cloud/cloud-init.disabled')));
    assert.equal(readlinkSync(join(etc, 'systemd/system/prometheus.service')), '/dev/null');
  });

  it('leave a service’s settings as somebody else made them', async () => {
    there(...ALL.slice(0, -1));
    apt('exit 0');
    const unit = join(etc, 'systemd/system/prometheus.service');
    mkdirSync(join(etc, 'systemd/system'), { recursive: true });
    writeFileSync(unit, '[Service]\n');
    assert.equal((await run()).code, 0);
    assert.equal(readFileSync(unit, 'utf8'), '[Service]\n');
    assert.ok(!existsSync(join(etc, 'cloud')));
  });

  it('are tried once more with fresh lists, and then said to be missing', async () => {
    there(...ALL.slice(0, -1));
    apt('echo "E: no package" >&2; exit 100');
    const { code, stdout } = await run();
    assert.equal(code, 0);
    assert.match(stdout, /They cannot be installed, tests that need them will say so: E: no package/);
    const install = 'install -y -qq --no-install-recommends prometheus';
    assert.deepEqual(calls(), [install, 'update -qq', install]);
  });

  it('are said to be missing where apt is not there', async () => {
    there(...ALL.slice(0, -2));
    const { stdout } = await run();
    assert.equal(
      stdout,
      'chromium, prometheus not installed, and apt or root is missing here: tests that need them will say so.\n',
    );
  });

  it('are said to be missing to a user who may not install', async () => {
    there(...ALL.slice(0, -1));
    apt('exit 0');
    const { stdout } = await run(1000);
    assert.match(stdout, /^prometheus not installed, and apt or root is missing here/);
    assert.ok(!existsSync(etc));
  });
});
