import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const ROOT = join(__dirname, '../../..');

describe('npm run simulate', () => {
  let folder: string;
  let file: string;
  before(() => {
    folder = mkdtempSync(join(tmpdir(), 'worker-pools-simulate-'));
    file = join(folder, 'trace.json');
    const jobs = Array.from({ length: 30 }, (_, index) => ({ arrival: index * 60, service: 100 }));
    writeFileSync(file, JSON.stringify({ jobs, horizon: 7200 }));
  });
  after(() => rmSync(folder, { recursive: true }));

  it('answers with nothing but JSON on standard output, the same each time', () => {
    const args = ['--trace', file, '--policy', 'lease-slo,drone', '--target-wait', '300', '--slots', '1'];
    const [first, second] = [1, 2].map(() => simulate(...args, '--boot', '60-180', '--seed', '1', '--json'));
    assert.equal(first!.status, 0, first!.stderr);
    assert.equal(first!.stdout, second!.stdout);
    const answer = JSON.parse(first!.stdout) as {
      bound: number;
      policies: Record<string, Record<string, number>>;
    };
    assert.deepEqual(Object.keys(answer.policies), ['lease-slo', 'drone']);
    for (const figures of Object.values(answer.policies)) {
      for (const name of ['hours', 'lateShare', 'p95Wait', 'p99Wait', 'maxWait', 'launches', 'busyDeletes']) {
        assert.equal(typeof figures[name], 'number', name);
      }
      assert.ok(figures.hours! >= answer.bound && answer.bound >= 1);
    }
  }).timeout(60_000);

  it('shows a table to people', () => {
    const { stdout, status } = simulate('--trace', file);
    assert.equal(status, 0);
    assert.match(stdout, /│ lease-slo +│ \d+ +│/);
    assert.match(stdout, /30 jobs in 2\.0 h/);
  }).timeout(60_000);

  const wrong: { it: string; args: string[]; says: RegExp }[] = [
    {
      it: 'an unknown policy',
      args: ['--policy', 'lease-slo,dorne'],
      says: /no policy "dorne"\. Did you mean "drone"/,
    },
    { it: 'a policy of JavaScript', args: ['--policy', 'constructor'], says: /no policy "constructor"/ },
    { it: 'zero slots', args: ['--slots', '0'], says: /--slots .*whole number from 1/ },
    { it: 'half a slot', args: ['--slots', '1.5'], says: /--slots .*whole number from 1/ },
    { it: 'a target of nothing', args: ['--target-wait', '0'], says: /--target-wait .*above 0/ },
    { it: 'a target that is no number', args: ['--target-wait', 'NaN'], says: /--target-wait .*above 0/ },
    { it: 'boots the wrong way round', args: ['--boot', '180-60'], says: /--boot .*60-180/ },
    { it: 'a negative seed', args: ['--seed', '-1'], says: /--seed/ },
    {
      it: 'a missing file',
      args: ['--trace', '/nowhere.json'],
      says: /trace cannot be read: ENOENT.*\/nowhere\.json/,
    },
  ];
  for (const { it: name, args, says } of wrong) {
    it(`refuses ${name} in words, on standard error alone`, () => {
      const { status, stdout, stderr } = simulate('--trace', file, '--json', ...args);
      assert.deepEqual([status, stdout], [1, '']);
      assert.match(stderr, says);
      assert.doesNotMatch(stderr, /\n +at /);
    }).timeout(60_000);
  }
});

function simulate(...args: string[]): { status: number | null; stdout: string; stderr: string } {
  const command = ['--require', 'tsx/cjs', 'simulation/main.ts', ...args];
  return spawnSync(process.execPath, command, { cwd: ROOT, encoding: 'utf8' });
}
