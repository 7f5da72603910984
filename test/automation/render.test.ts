import assert from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import { copyFileSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { renderPool } from '../../automation/render';

const ROOT = dirname(dirname(__dirname));
const COMMAND = join(ROOT, 'automation', 'worker-pools.js');

describe('worker-pools render', () => {
  let folder: string;

  before(() => {
    folder = mkdtempSync(join(tmpdir(), 'render-'));
    copyFileSync(join(ROOT, 'Pulumi.yaml'), join(folder, 'Pulumi.yaml'));
    execFileSync('ssh-keygen', ['-q', '-t', 'ed25519', '-N', '', '-C', 'test', '-f', join(folder, 'id')]);
    for (const stack of ['sandbox', 'staging', 'production']) {
      const text = readFileSync(join(ROOT, `Pulumi.${stack}.yaml`), 'utf8');
      const own = text.replaceAll('~/.ssh/id_ed25519.pub', join(folder, 'id.pub'));
      const secret = own.includes('registrationSecret:')
        ? ''
        : '  worker-pools:registrationSecret: { secure: v1:xxxx }\n';
      writeFileSync(join(folder, `Pulumi.${stack}.yaml`), own.trimEnd() + '\n' + secret);
    }
  });
  after(() => rmSync(folder, { recursive: true }));

  for (const { stack, pool, host } of [
    { stack: 'sandbox', pool: 'ci', host: 'sandbox-ci-0001' },
    { stack: 'sandbox', pool: 'web', host: 'sandbox-web-0001' },
    { stack: 'staging', pool: 'ci', host: 'staging-ci-0001' },
    { stack: 'staging', pool: 'web', host: 'staging-web-0001' },
    { stack: 'production', pool: 'ci', host: 'production-ci-0001' },
    { stack: 'production', pool: 'web', host: 'production-web-0001' },
  ]) {
    it(`shows the cloud-config of pool ${pool} as the file of stack ${stack} is shipped`, () => {
      const { text, bytes, limit } = renderPool(folder, stack, pool);
      assert.match(text, /^#cloud-config\n/);
      assert.ok(text.includes(`hostname: ${host}\n`), text.slice(0, 200));
      assert.ok(bytes > 1000 && bytes < limit);
    });
  }

  it('blanks the tailnet key, the host key, the token and the values of the environment', () => {
    const file = join(folder, 'Pulumi.blank.yaml');
    copyFileSync(join(folder, 'Pulumi.staging.yaml'), file);
    const text = readFileSync(file, 'utf8')
      .replace(
        'route: { host: web.staging.example.com, port: 80 }',
        'env: { DATABASE_URL: postgres://app:hunter2-hunter2@db/app }',
      )
      .replace(
        'worker-pools:registrationSecret: { secure: v1:xxxx }',
        `worker-pools:registrationSecret: ${'s3cret'.repeat(8)}\n  worker-pools:service: { url: 'https://pools.example.com' }`,
      );
    writeFileSync(file, text);
    const rendered = renderPool(folder, 'blank', 'web').text;
    for (const secret of ['hunter2', 's3cret', 'BEGIN OPENSSH PRIVATE KEY', 'secretsecret']) {
      assert.ok(!rendered.includes(secret), `${secret} is shown`);
    }
    assert.match(rendered, /\[tailnet key\]/);
    assert.match(rendered, /\[host key\]/);
    assert.match(rendered, /Bearer \[token\]/);
    assert.match(rendered, /DATABASE_URL/);
  });

  it('needs no secret of a queue', () => {
    const file = join(folder, 'Pulumi.followed.yaml');
    const queue = (url: string): string =>
      readFileSync(join(folder, 'Pulumi.staging.yaml'), 'utf8')
        .replace(/^config:\n/m, "config:\n  worker-pools:service: { url: 'https://pools.example.com' }\n")
        .replace('queue: { kind: slots }', `queue: { kind: bullmq, queue: builds, url: ${url} }`);
    const shown = ['{ secure: v1:xxxx }', 'redis://redis.example.com'].map((url) => {
      writeFileSync(file, queue(url));
      return renderPool(folder, 'followed', 'ci').text;
    });
    assert.equal(shown[0], shown[1]);
    assert.match(shown[0]!, /heartbeat/);
  });

  it('prints the document on standard output and its size on standard error', () => {
    const { stdout, stderr, status } = run('--stack', 'staging', '--pool', 'ci');
    assert.equal(status, 0);
    assert.match(stdout, /^#cloud-config\n/);
    assert.match(stderr, /\d+ of 32768 bytes as sent \(gzip, base64\): .*tailscale \d+/);
  });

  for (const { args, message } of [
    { args: ['--stack', 'stagin', '--pool', 'ci'], message: /no file Pulumi\.stagin\.yaml/ },
    {
      args: ['--stack', 'staging', '--pool', 'cii'],
      message: /stack staging has no pool "cii"\. Did you mean "ci"\? There are: ci, web\./,
    },
    { args: ['--stack', 'staging'], message: /required option '--pool <name>' not specified/ },
  ]) {
    it(`says what is wrong with ${args.join(' ')}, without a stack trace`, () => {
      const { stdout, stderr, status } = run(...args);
      assert.equal(status, 1);
      assert.equal(stdout, '');
      assert.match(stderr, message);
      assert.doesNotMatch(stderr, /^\s+at /m);
    });
  }

  function run(...args: string[]) {
    return spawnSync(process.execPath, [COMMAND, 'render', ...args], { cwd: folder, encoding: 'utf8' });
  }
});
