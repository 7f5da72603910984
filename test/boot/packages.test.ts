import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { startPackageRepository, tailscalePackage, type PackageRepository } from '../../sandbox/packages';

const run = promisify(execFile);

describe('The package repository of a real tailnet', function () {
  this.timeout(120_000);
  let deb: string;
  let repository: PackageRepository;
  let folder: string;

  before(async function () {
    // Where nothing is cached yet, this is where its programs are built.
    this.timeout(20 * 60_000);
    const { cacheFolder } = await import('../../toolchain/ensure.mjs');
    const { ensureTailnet } = await import('../../toolchain/tailnet.mjs');
    deb = await tailscalePackage({ programs: await ensureTailnet(), cache: cacheFolder() });
    repository = await startPackageRepository({ packages: [deb], at: new Date() });
  });
  after(() => repository.close());
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'apt-'));
    for (const name of ['state/lists/partial', 'cache/archives/partial'])
      mkdirSync(join(folder, name), { recursive: true });
    writeFileSync(join(folder, 'status'), '');
  });
  afterEach(() => rmSync(folder, { recursive: true, force: true }));

  /** A real apt with nothing but this repository. */
  const apt = async (...args: string[]): Promise<string> => {
    const settings = {
      'Dir::Etc::sourcelist': join(folder, 'sources.list'),
      'Dir::Etc::sourceparts': '-',
      'Dir::State': join(folder, 'state'),
      'Dir::State::status': join(folder, 'status'),
      'Dir::Cache': join(folder, 'cache'),
      'APT::Sandbox::User': 'root',
      'APT::Update::Error-Mode': 'any',
    };
    const options = Object.entries(settings).flatMap(([name, value]) => ['-o', `${name}=${value}`]);
    return (await run('apt-get', ['-q', ...options, ...args], { cwd: folder })).stdout;
  };
  const trust = async (keyFrom: PackageRepository): Promise<void> => {
    const keyring = join(folder, 'tailscale.gpg');
    const key = await fetch(`${keyFrom.url}/debian/bookworm.noarmor.gpg`);
    writeFileSync(keyring, Buffer.from(await key.arrayBuffer()));
    const source = `deb [signed-by=${keyring}] ${repository.url}/debian bookworm main\n`;
    writeFileSync(join(folder, 'sources.list'), source);
  };

  it('gives apt the client, signed by the key beside it', async () => {
    await trust(repository);
    await apt('update');
    await apt('download', 'tailscale');
    const [downloaded, ...others] = readdirSync(folder).filter((name) => name.endsWith('.deb'));
    assert.match(downloaded ?? '', /^tailscale_1\.83\.0_\w+\.deb$/);
    assert.deepEqual(others, []);
  });

  it('is refused by apt under another key', async () => {
    const other = await startPackageRepository({ packages: [deb], at: new Date() });
    try {
      await trust(other);
      await assert.rejects(apt('update'), /NO_PUBKEY|not signed/);
    } finally {
      await other.close();
    }
  });

  it('has the package laid out as the vendor’s, with the service enabled on installation', async () => {
    const { stdout: listing } = await run('dpkg-deb', ['--contents', deb]);
    const files = listing
      .split('\n')
      .filter((line) => line.startsWith('-'))
      .map((line) => line.replace(/^(\S+) (\S+) .* \.(\S+)$/, '$1 $2 $3'));
    assert.deepEqual(files.sort(), [
      '-rw-r--r-- root/root /etc/default/tailscaled',
      '-rw-r--r-- root/root /lib/systemd/system/tailscaled.service',
      '-rwxr-xr-x root/root /usr/bin/tailscale',
      '-rwxr-xr-x root/root /usr/sbin/tailscaled',
    ]);
    const { stdout: postinst } = await run('dpkg-deb', ['--info', deb, 'postinst']);
    assert.match(postinst, /deb-systemd-helper enable 'tailscaled\.service'/);
    const { stdout: conffiles } = await run('dpkg-deb', ['--info', deb, 'conffiles']);
    assert.equal(conffiles, '/etc/default/tailscaled\n');
  });

  it('makes the package once', async () => {
    const made = statSync(deb).mtimeMs;
    const { cacheFolder } = await import('../../toolchain/ensure.mjs');
    const { ensureTailnet } = await import('../../toolchain/tailnet.mjs');
    assert.equal(await tailscalePackage({ programs: await ensureTailnet(), cache: cacheFolder() }), deb);
    assert.equal(statSync(deb).mtimeMs, made);
  });

  it('has nothing else', async () => {
    for (const path of ['/', '/debian/', '/debian/dists/sid/InRelease', '/../package.json'])
      assert.equal((await fetch(`${repository.url}${path}`)).status, 404, path);
  });
});
