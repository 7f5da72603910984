import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { arch, platform } from 'node:os';
import { join } from 'node:path';

import { bareEnvironment, runProgram, script, temporaryFolder, type Outcome } from './support';

const version = '3.259.0';
const archiveName = `pulumi-v${version}-${platform()}-${arch()}.tar.gz`;

describe('toolchain: the official download', function () {
  // Every test starts processes.
  this.timeout(60_000);
  let folder: ReturnType<typeof temporaryFolder>;
  let archive: Buffer;
  let vendor: Server;
  let files: Map<string, string | Buffer>;
  let requests: string[];

  beforeEach(async () => {
    folder = temporaryFolder();
    script(join(folder.path, 'made/pulumi'), 'pulumi', `echo v${version}`);
    execFileSync('tar', ['-czf', join(folder.path, archiveName), '-C', join(folder.path, 'made'), 'pulumi']);
    archive = readFileSync(join(folder.path, archiveName));
    files = new Map();
    requests = [];
    vendor = createServer((request, response) => {
      requests.push(request.url ?? '');
      const content = files.get(request.url ?? '');
      response.writeHead(content === undefined ? 404 : 200).end(content);
    });
    await new Promise<void>((resolve) => vendor.listen(0, '127.0.0.1', resolve));
  });
  afterEach(async () => {
    vendor.closeAllConnections();
    await new Promise((resolve) => vendor.close(resolve));
    folder.remove();
  });

  const publish = (checksum: string): void => {
    files.set(
      `/sdk/pulumi-${version}-checksums.txt`,
      `${'0'.repeat(64)}  other.zip\n${checksum}  ${archiveName}\n`,
    );
    files.set(`/sdk/${archiveName}`, archive);
  };
  const ensure = (): Promise<Outcome> =>
    runProgram(
      process.execPath,
      [join(__dirname, 'ensure-once.mjs'), `http://127.0.0.1:${(vendor.address() as AddressInfo).port}/sdk`],
      { env: bareEnvironment(join(folder.path, 'cache')) },
    );

  it('is used when its checksum is the published one, and only fetched once', async () => {
    publish(createHash('sha256').update(archive).digest('hex'));
    const first = await ensure();
    assert.equal(first.code, 0, first.stderr);
    const { source, binDir } = JSON.parse(first.stdout) as { source: string; binDir: string };
    assert.equal(source, 'download');
    assert.equal(execFileSync(join(binDir, 'pulumi')).toString(), `v${version}\n`);
    assert.deepEqual(requests, [`/sdk/pulumi-${version}-checksums.txt`, `/sdk/${archiveName}`]);

    assert.equal((await ensure()).stdout, first.stdout);
    assert.equal(requests.length, 2);
  });

  it('is thrown away when its checksum is another', async () => {
    publish('f'.repeat(64));
    const outcome = await ensure();
    assert.equal(outcome.code, 1);
    assert.match(outcome.stderr, /does not have the checksum[^]*published: f{64}/);
    assert.equal(existsSync(join(folder.path, 'cache/downloads')), false);
  });

  it('is passed over when the vendor has none for this machine', async () => {
    files.set(`/sdk/pulumi-${version}-checksums.txt`, `${'0'.repeat(64)}  other.zip\n`);
    const outcome = await ensure();
    assert.match(outcome.stderr, /built from Go modules/);
    assert.match(outcome.stderr, /Go is missing/);
  });
});
