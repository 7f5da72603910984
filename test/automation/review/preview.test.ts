import assert from 'node:assert/strict';
import { cpSync, mkdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import { previewSchema, type Report } from '../../../automation/review/report';
import { remove } from '../../../components/model/membership';
import { writes } from '../../engine/cloud';
import { complete, withPool } from '../../engine/configs';
import { Environment, STACK } from '../../engine/harness';
import { launched } from '../../engine/intent';
import { Secrets } from '../../engine/secrets';
import { GitHubStandIn } from './github-stand-in';
import { ScratchClone } from './scratch-clone';
import { stepCommand } from './workflow-step';

const FILE = `Pulumi.${STACK}.yaml`;
const PUBLISHED = z.fromJSONSchema(
  JSON.parse(readFileSync('schema/preview-report.schema.json', 'utf8')) as Parameters<
    typeof z.fromJSONSchema
  >[0],
);

/** Branches off main, as people make them; what `main` has is three workers in `ci` and one in `web`. */
const BRANCHES: Record<string, Record<string, (text: string) => string>> = {
  'only-a-comment': {
    [FILE]: (text) => `# Why there are two pools: …\n${text}`,
    'deploy.ts': (text) => `// Nothing new here.\n${text}`,
  },
  'edits-cloud-init': {
    'cloud-init/packages.ts': (text) => text.replace('try 600 apt-get', 'try 900 apt-get'),
  },
  'doubles-max': { [FILE]: (text) => text.replace('max: 20', 'max: 40') },
  'opens-port-22': {
    [FILE]: (text) =>
      text.replace('      slots: 4\n', '      slots: 4\n      ingress: [{ port: 22, from: [0.0.0.0/0] }]\n'),
  },
  'drops-a-worker': { [FILE]: (text) => text.replace('fixed: 1', 'fixed: 0') },
  'has-a-typo': { [FILE]: (text) => text.replace('slots: 4', 'slotz: 4') },
};

describe('A pull request’s preview on the real engine', function () {
  this.timeout(240_000);
  let environment: Environment;
  let clone: ScratchClone;
  let secrets: Secrets;
  let standIn: GitHubStandIn;

  before(async () => {
    environment = await Environment.start();
    secrets = new Secrets(environment);
    standIn = await GitHubStandIn.start();
    environment.configure(
      withPool(complete(environment), 'ci', { scaling: { rollout: { maxSurge: 2, maxUnavailable: 0 } } }),
      { 'worker-pools:budget': { hourly: 2 } },
    );
    const { code, text } = await environment.up();
    assert.equal(code, 0, text);
    clone = ScratchClone.make(environment);
    for (const [name, edits] of Object.entries(BRANCHES)) clone.branch(name, edits);
    // Meanwhile the service has grown the pool by three, and taken the second worker out.
    await environment.upInline(launched(environment, 3));
    const { membership } = environment.record();
    await environment.upInline({ ...membership, ci: remove(membership['ci']!, ['ci-0002']) });
    environment.sandbox.requests.clear();
  });
  after(async () => {
    clone?.close();
    standIn?.close();
    await environment?.close();
  });

  it('of an edited comment says that nothing changes, whatever the service has done to the size', async () => {
    const { report, code, comment } = await previewed('only-a-comment');
    assert.equal(code, 0);
    assert.equal(report.verdict, 'unchanged');
    assert.deepEqual(report.resources, []);
    assert.deepEqual(sizes(report), { ci: '5 of 3–20', web: '1 of 1–1' });
    assert.match(comment, /^### ✅ `sandbox`: nothing changes$/m);
    assert.match(comment, /^\| `ci` \| 5 \| 3–20 \| unchanged \|$/m);
  });

  it('of an edited cloud-init says who would be rolled, how fast, and that no server is touched', async () => {
    const { report, code, comment } = await previewed('edits-cloud-init');
    assert.equal(code, 2);
    assert.equal(report.verdict, 'changes');
    assert.deepEqual(report.resources, []);
    assert.deepEqual(
      report.pools.map(({ name, drift }) => ({ name, drift })),
      [
        { name: 'ci', drift: { workers: 5, already: 0, step: 2, minutes: 8 } },
        { name: 'web', drift: { workers: 1, already: 0, step: 1, minutes: 3 } },
      ],
    );
    assert.match(comment, /^### 🔷 `sandbox`: 2 changes\n\n6 workers would be rolled$/m);
    assert.match(comment, /5 of 5 workers would be rolled, 2 at a time, in about 8 min/);
  });

  it('of a doubled max says what it may cost, against the budget', async () => {
    const { report, code, comment } = await previewed('doubles-max');
    assert.equal(code, 2);
    assert.equal(report.changes, 1);
    assert.deepEqual(sizes(report), { ci: '5 of 3–40', web: '1 of 1–1' });
    const { cost } = report;
    assert.deepEqual(cost!.now, cost!.after);
    assert.ok(cost!.atMax.hourly > 2);
    assert.equal(report.limits!.servers, 41);
    assert.match(comment, /^### 🔷 `sandbox`: 1 change\n\nci may have 40 instead of 20$/m);
    assert.match(comment, /^\| `ci` \| 5 \| 3–20 → \*\*3–40\*\* \| unchanged \|$/m);
    assert.match(comment, /^- At max: 41 servers and 41 primary IPv4\. .*Console under Limits\.$/m);
    assert.match(comment, /^- at max, €\d\.\d\d an hour would be beyond the budget of €2\.00/m);
  });

  it('of an opened port 22 names the policy, and stops the check', async () => {
    const { report, code, comment } = await previewed('opens-port-22');
    assert.equal(code, 3);
    assert.equal(report.verdict, 'dangerous');
    assert.deepEqual(
      report.violations.map(({ policy, level, resource }) => ({ policy, level, resource })),
      [{ policy: 'no-public-ssh', level: 'mandatory', resource: 'ci-open' }],
    );
    assert.match(comment, /^### ⛔ `sandbox`: 1 policy violation/m);
    assert.match(comment, /no-public-ssh, ci-open: opens port 22 \(SSH\) to 0\.0\.0\.0\/0/);
    assert.match(comment, /`lets in: tcp 22 from 0\.0\.0\.0\/0`/);
    assert.match(comment, /5 workers ci-0001, ci-0003, ci-0004, ci-0005, ci-0006 updated/);
  });

  it('of a smaller fixed pool says in bold who would go, and how that is confirmed', async () => {
    const { report, code, comment } = await previewed('drops-a-worker');
    assert.equal(code, 3);
    assert.equal(report.dangers.length, 1);
    assert.match(report.dangers[0]!, /would remove web-0001.*WORKER_POOLS_ALLOW_REMOVAL=web/);
    assert.ok(!report.warnings.some((warning) => warning.includes('web-0001')), 'it is told once');
    assert.match(comment, /^- \*\*worker web-0001 deleted, with the jobs on it\*\*$/m);
  });

  it('of a file with a fault fails, with the fault in the file’s words', async () => {
    const { report, code, comment } = await previewed('has-a-typo');
    assert.equal(code, 1);
    assert.equal(report.verdict, 'failed');
    assert.equal(report.faults.length, 1);
    assert.match(report.faults[0]!, /^worker-pools:pools\.ci\.slotz: .*slots/);
    assert.match(comment, /^### ❌ `sandbox`: failed/m);
  });

  it('was one comment, edited each time; wrote nothing to the vendors; and showed no secret', () => {
    assert.equal(standIn.comments.length, 1);
    assert.deepEqual(writes(environment.sandbox), []);
    secrets.observe();
    environment.transcripts.push(JSON.stringify(standIn.comments));
    assert.deepEqual(secrets.leaks(), []);
  });

  /** What the workflow's script leaves of a branch: the report, the code that the check ends with, and the comment. */
  async function previewed(
    branch: string,
  ): Promise<{ report: Report; code: number | null; comment: string }> {
    clone.checkout(branch);
    rmSync(clone.path('report.json'), { force: true });
    const variables = { ...environment.credentials, STACK, GITHUB_OUTPUT: clone.path('output.txt') };
    rmSync(clone.path('output.txt'), { force: true });
    const script = await clone.run(stepCommand('preview.yml', 'stack', 'preview'), variables);
    assert.equal(script.code, 0, script.text);
    const text = readFileSync(clone.path('report.json'), 'utf8');
    environment.transcripts.push(text);
    PUBLISHED.parse(JSON.parse(text));
    const [report] = previewSchema.parse(JSON.parse(text)).reports;
    const code = Number(/^code=(\d)$/m.exec(readFileSync(clone.path('output.txt'), 'utf8'))?.[1]);
    const judged = await clone.run(stepCommand('preview.yml', 'stack', 'judge'), { CODE: String(code) });
    assert.equal(judged.code, code === 2 ? 0 : code);
    mkdirSync(clone.path('reports/preview-sandbox'), { recursive: true });
    cpSync(clone.path('report.json'), clone.path('reports/preview-sandbox/report.json'));
    const posted = await clone.run(stepCommand('preview-comment.yml', 'comment', 'comment'), {
      GITHUB_API_URL: standIn.url,
      GITHUB_TOKEN: standIn.token,
      GITHUB_REPOSITORY: standIn.repository,
      GITHUB_EVENT_PATH: join(__dirname, 'events', 'pull_request.json'),
    });
    assert.equal(posted.code, 0, posted.text);
    return { report: report!, code, comment: standIn.comments[0]!.body };
  }
});

function sizes({ pools }: Report): Record<string, string> {
  return Object.fromEntries(
    pools.map(({ name, size, min, max }) => [name, `${size.after} of ${min.after}–${max.after}`]),
  );
}
