import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, relative } from 'node:path';
import { parse } from 'yaml';
import { z } from 'zod';
import { createMetrics } from '../../automation/http/metrics';
import { read, ROOT, sources } from './markdown';

/** @throws Error saying what is missing */
function run(program: string, args: string[]): { code: number; text: string } {
  const { error, status, stdout, stderr } = spawnSync(program, args, { cwd: ROOT, encoding: 'utf8' });
  if (error) throw new Error(`no ${program} on this machine (${error.message})`);
  return { code: status ?? 1, text: stdout + stderr };
}

describe('what comes with the documentation', function () {
  this.timeout(60_000);
  let folder: string;
  before(() => {
    folder = mkdtempSync(join(tmpdir(), 'worker-pools-docs-'));
  });
  after(() => rmSync(folder, { recursive: true, force: true }));

  describe('the systemd unit', () => {
    const unit = read('docs/systemd/worker-pools.service');
    const setting = (name: string): string | undefined => new RegExp(`^${name}=(.*)$`, 'm').exec(unit)?.[1];

    it('is one that systemd takes, and leaves little to an intruder', () => {
      const file = join(folder, 'worker-pools.service');
      writeFileSync(file, unit.replaceAll('/usr/bin/node', process.execPath));
      const verified = run('systemd-analyze', ['verify', '--man=no', file]);
      assert.deepEqual(verified, { code: 0, text: '' });
      const security = run('systemd-analyze', ['security', '--offline=true', '--threshold=20', file]);
      assert.equal(security.code, 0, security.text.slice(-400));
    });

    it('gives one signal to the service alone, and time for an update', () => {
      assert.equal(setting('KillMode'), 'mixed');
      assert.equal(setting('KillSignal'), 'SIGTERM');
      assert.equal(setting('TimeoutStopSec'), '20min');
      assert.equal(setting('Restart'), 'always');
    });

    it('forbids nothing that Node.js and the engine need', () => {
      for (const name of ['MemoryDenyWriteExecute', 'NoExecPaths', 'PrivateNetwork', 'DynamicUser'])
        assert.equal(setting(name), undefined, name);
      assert.match(setting('RestrictAddressFamilies')!, /AF_UNIX/);
    });
  });

  it('the wrapper of the command line is a shell script without faults', () => {
    const file = 'docs/systemd/worker-pools.sh';
    assert.notEqual(statSync(join(ROOT, file)).mode & 0o111, 0);
    assert.equal(run('sh', ['-n', file]).code, 0);
  });

  describe('the Containerfile', () => {
    const lines = read('docs/container/Containerfile').replaceAll(/\\\n/g, ' ').split('\n');
    const copied = lines
      .filter((line) => line.startsWith('COPY '))
      .flatMap((line) => line.split(/\s+/).slice(1, -1));

    it('copies what is there', () => {
      assert.ok(copied.length > 8);
      assert.deepEqual(
        copied.filter((path) => !existsSync(join(ROOT, path))),
        [],
      );
    });

    it('leaves out nothing that the command line imports', () => {
      const isCopied = (path: string): boolean =>
        copied.some(
          (part) => path === part || path.startsWith(`${part}/`) || path === part.replace(/\.ts$/, ''),
        );
      const folders = copied.filter((path) => statSync(join(ROOT, path)).isDirectory());
      const missing = folders.flatMap(sources).flatMap(({ file, text }) =>
        [...text.matchAll(/(?:from|import\(|require\()\s*'(\.\.?\/[^']+)'/g)]
          .map(([, target = '']) => relative(ROOT, join(ROOT, dirname(file), target)))
          .filter((path) => !isCopied(path))
          .map((path) => `${file}: ${path}`),
      );
      assert.deepEqual(missing, []);
    });

    it('stops by the signal that the service waits for', () => {
      assert.ok(lines.includes('STOPSIGNAL SIGTERM'));
      assert.ok(lines.includes('VOLUME /var/lib/worker-pools'));
    });
  });

  describe('alert rules and dashboard', () => {
    const { registry } = createMetrics();
    const metrics = registry.getMetricsAsArray() as unknown as { name: string; type: string }[];
    const known = new Set(
      metrics.flatMap(({ name, type }) =>
        type === 'histogram' ? ['_bucket', '_sum', '_count'].map((suffix) => name + suffix) : [name],
      ),
    );
    const named = (text: string): string[] => [...text.matchAll(/\bworker_pools_\w+/g)].map(([name]) => name);
    const dashboardSchema = z.object({
      panels: z.array(z.object({ title: z.string(), targets: z.array(z.object({ expr: z.string() })) })),
    });

    it('the rules are what Prometheus takes', () => {
      for (const file of ['docs/prometheus/alerts.yml', 'docs/prometheus/alerts.test.yml'])
        assert.ok(parse(read(file)), file);
      assert.deepEqual(run('promtool', ['check', 'rules', 'docs/prometheus/alerts.yml']).code, 0);
    });

    it('the rules fire when they should, and not before', () => {
      const { code, text } = run('promtool', ['test', 'rules', 'docs/prometheus/alerts.test.yml']);
      assert.equal(code, 0, text);
    });

    it('name metrics that there are', () => {
      const shown = [
        ...named(read('docs/prometheus/alerts.yml')),
        ...named(read('docs/grafana/dashboard.json')),
      ];
      assert.ok(shown.length > 30);
      assert.deepEqual(
        shown.filter((name) => !known.has(name)),
        [],
      );
    });

    it('the dashboard’s queries are what Prometheus takes', () => {
      const { panels } = dashboardSchema.parse(JSON.parse(read('docs/grafana/dashboard.json')));
      const queries = panels.flatMap(({ targets }) => targets.map(({ expr }) => expr));
      const rules = queries.map((expr, index) => ({ record: `query:number_${index}`, expr }));
      const file = join(folder, 'dashboard.yml');
      writeFileSync(file, JSON.stringify({ groups: [{ name: 'dashboard', rules }] }));
      const { code, text } = run('promtool', ['check', 'rules', file]);
      assert.equal(code, 0, text);
    });
  });
});
