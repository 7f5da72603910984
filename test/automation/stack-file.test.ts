import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { StackFile } from '../../automation/stack-file';
import { ConfigError } from '../../components/model/errors';
import { KEY_LINE } from '../components/configs';

const values = (max: number, more: Record<string, string> = {}): ReadonlyMap<string, string> =>
  new Map([
    ['hcloud:token', 't'.repeat(64)],
    ['worker-pools:registrationSecret', 'registration-secret-0123456789abcdef'],
    [
      'worker-pools:access',
      JSON.stringify({ connectivity: 'tailscale', sshKeys: [KEY_LINE], tags: ['tag:worker'] }),
    ],
    [
      'worker-pools:pools',
      JSON.stringify({
        ci: {
          size: { min: 0, max },
          image: 'debian-12',
          placements: [{ serverType: 'cx33', location: 'fsn1' }],
          queue: {
            kind: 'redis-list',
            url: 'rediss://jobs:s3cret-of-the-queue@redis.example.com',
            key: 'jobs',
          },
          workload: { container: { image: 'acme/runner:1', env: { TOKEN: 'token-of-the-workload' } } },
        },
      }),
    ],
    ...Object.entries(more),
  ]);

describe('a stack’s file, as the service sees it', () => {
  let folder: string;
  let says: () => ReadonlyMap<string, string>;
  let reads: number;
  let file: StackFile;
  let version = 0;
  const edit = (): void =>
    writeFileSync(join(folder, 'Pulumi.staging.yaml'), `# ${'x'.repeat((version += 1))}\n`);

  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'worker-pools-file-'));
    edit();
    reads = 0;
    says = () => values(5);
    file = new StackFile({
      environment: 'staging',
      project: folder,
      variables: {},
      readConfig: async () => {
        reads += 1;
        return says();
      },
    });
  });
  afterEach(() => rmSync(folder, { recursive: true }));

  it('is read once while it stays the same, and again when it changes', async () => {
    await file.current();
    await file.current();
    assert.equal(reads, 1);
    says = () => values(8);
    edit();
    assert.deepEqual((await file.current()).config.pools['ci']!.size, { min: 0, max: 8 });
    assert.equal(reads, 2);
  });

  it('stays what it was while an edit is wrong, which is told until it is put right', async () => {
    const good = await file.current();
    says = () => values(-1);
    edit();
    assert.equal(await file.current(), good);
    assert.match(file.fault!, /worker-pools:pools\.ci\.size\.max/);
    says = () => values(6);
    edit();
    assert.deepEqual((await file.current()).config.pools['ci']!.size, { min: 0, max: 6 });
    assert.equal(file.fault, undefined);
  });

  it('is refused at the start when it is wrong from the start', async () => {
    says = () => values(-1);
    await assert.rejects(file.current(), ConfigError);
  });

  it('stamps no other template when only a bound changes', async () => {
    const before = (await file.current()).hashes!.get('ci');
    says = () => values(50);
    edit();
    assert.equal((await file.current()).hashes!.get('ci'), before);
  });

  it('has no stamps of its own where another stack owns the network', async () => {
    says = () => values(5, { 'worker-pools:network': JSON.stringify({ stack: 'acme/worker-pools/base' }) });
    assert.equal((await file.current()).hashes, undefined);
  });

  it('names every secret in it', async () => {
    const { secrets } = await file.current();
    assert.deepEqual(
      [
        'registration-secret-0123456789abcdef',
        't'.repeat(64),
        's3cret-of-the-queue',
        'token-of-the-workload',
      ].filter((secret) => !secrets.includes(secret)),
      [],
    );
  });

  for (const kind of ['http', 'prometheus']) {
    it(`names what is sent in headers to a queue of kind ${kind}`, async () => {
      const header = 'Bearer token-of-the-exporter';
      const number = kind === 'http' ? { waiting: 'depth' } : { query: 'jobs' };
      const queue = { kind, url: 'https://jobs.example.com', headers: { authorization: header }, ...number };
      const pools = JSON.parse(values(5).get('worker-pools:pools')!) as { ci: object };
      says = () => values(5, { 'worker-pools:pools': JSON.stringify({ ci: { ...pools.ci, queue } }) });
      assert.ok((await file.current()).secrets.includes(header));
    });
  }
});
