import assert from 'node:assert/strict';
import { execFile, spawnSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { parse } from 'yaml';
import { z } from 'zod';

const ROOT = join(__dirname, '..', '..');
const FOLDER = join(ROOT, '.github', 'workflows');
const files = readdirSync(FOLDER).map((name) => join(FOLDER, name));
const steps = z.array(
  z.object({ uses: z.string().optional(), with: z.record(z.string(), z.unknown()).optional() }),
);
const workflowSchema = z.object({
  on: z.unknown(),
  permissions: z.record(z.string(), z.string()),
  jobs: z.record(z.string(), z.object({ 'timeout-minutes': z.number().optional(), steps: steps.optional() })),
});

describe('The workflow files', () => {
  const go = spawnSync('go', ['version'], { stdio: 'ignore' }).status === 0;
  // Where the engine is downloaded there need be no Go, and nothing to lint with.
  if (go) {
    it('pass actionlint', async function () {
      this.timeout(180_000);
      const { stdout } = await promisify(execFile)(
        'go',
        ['tool', 'actionlint', '-no-color', '-shellcheck', 'shellcheck', ...files],
        { cwd: __dirname, env: { ...process.env, GOFLAGS: '-mod=readonly -buildvcs=false', GOWORK: 'off' } },
      ).catch((error: { stdout: string; stderr: string }) => ({ stdout: error.stdout + error.stderr }));
      assert.equal(stdout, '');
    });
  }

  for (const file of files) {
    const name = file.slice(FOLDER.length + 1);
    const workflow = workflowSchema.parse(parse(readFileSync(file, 'utf8')));
    const used = Object.values(workflow.jobs).flatMap((job) => job.steps ?? []);

    it(`${name} pins every action by its commit`, () => {
      const loose = used.flatMap(({ uses }) =>
        uses === undefined || /^[\w-]+\/[\w-]+@[0-9a-f]{40}$/.test(uses) ? [] : [uses],
      );
      assert.deepEqual(loose, []);
    });

    it(`${name} leaves no token in the checkout, and ends by itself`, () => {
      const checkouts = used.filter(({ uses }) => uses?.startsWith('actions/checkout@'));
      assert.deepEqual(
        checkouts.filter((step) => step.with?.['persist-credentials'] !== false),
        [],
      );
      const endless = Object.entries(workflow.jobs).filter(([, job]) => job.steps && !job['timeout-minutes']);
      assert.deepEqual(endless, []);
    });

    it(`${name} never runs on pull_request_target`, () => {
      assert.doesNotMatch(JSON.stringify(workflow.on), /pull_request_target/);
    });
  }

  for (const { name, allowed } of [
    { name: 'preview.yml', allowed: { contents: 'read' } },
    { name: 'preview-comment.yml', allowed: { contents: 'read', actions: 'read', 'pull-requests': 'write' } },
    { name: 'deploy.yml', allowed: { contents: 'read' } },
    { name: 'deploy-stack.yml', allowed: { contents: 'read' } },
    { name: 'drift.yml', allowed: { contents: 'read', issues: 'write' } },
  ]) {
    it(`${name} may do no more than it needs`, () => {
      const { permissions } = workflowSchema.parse(parse(readFileSync(join(FOLDER, name), 'utf8')));
      assert.deepEqual(permissions, allowed);
    });
  }
});
