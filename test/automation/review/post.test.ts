import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createGitHub, type GitHub } from '../../../automation/review/github';
import { marker, toMarkdown } from '../../../automation/review/markdown';
import {
  attributed,
  FORK_NOTE,
  postComment,
  postDrift,
  pullRequestOf,
} from '../../../automation/review/post';
import { start } from '../../engine/engine';
import { ROOT } from '../../engine/harness';
import { GitHubStandIn } from './github-stand-in';
import { changed, unchanged } from './reports';
import { linkedCheckout } from './scratch-folder';
import { stepCommand } from './workflow-step';

const EVENTS = join(__dirname, 'events');
const run = readEvent('workflow_run');
const SHA = '5f3c1a9e0d2b4c6f8a7e9d1c3b5a7f9e1d3c5b7a';

describe('A report on GitHub', () => {
  let standIn: GitHubStandIn;
  let github: GitHub;

  before(async () => {
    standIn = await GitHubStandIn.start();
    github = createGitHub({ url: standIn.url, repository: standIn.repository, token: standIn.token });
  });
  beforeEach(() => standIn.reset());
  after(() => standIn.close());

  describe('as a comment', () => {
    it('is one for each stack, edited in place', async () => {
      const other = { ...unchanged, stack: 'production' };
      assert.equal(await postComment(github, 7, unchanged), 'created');
      assert.equal(await postComment(github, 7, other), 'created');
      const news = changed({ changes: 2 });
      assert.equal(await postComment(github, 7, news), 'updated');
      assert.deepEqual(
        standIn.comments.map(({ issue, body }) => ({ issue, body })),
        [
          { issue: 7, body: toMarkdown(news) },
          { issue: 7, body: toMarkdown(other) },
        ],
      );
    });

    it('is left alone when it says the same already', async () => {
      await postComment(github, 7, unchanged);
      standIn.requests = [];
      assert.equal(await postComment(github, 7, unchanged), 'unchanged');
      assert.deepEqual(standIn.requests, ['GET /issues/7/comments']);
    });

    it('is found behind a hundred others', async () => {
      for (let i = 0; i < 150; i++) standIn.say(7, `remark ${i}`, { login: 'ann', type: 'User' });
      await postComment(github, 7, unchanged);
      assert.equal(await postComment(github, 7, changed({})), 'updated');
      assert.equal(standIn.comments.length, 151);
    });

    it('is never a person’s, even with the marker in it', async () => {
      const theirs = standIn.say(7, `${marker('staging')} look at this`, { login: 'ann', type: 'User' });
      assert.equal(await postComment(github, 7, unchanged), 'created');
      assert.equal(theirs.body, `${marker('staging')} look at this`);
    });
  });

  describe('belongs to', () => {
    it('the pull request of a pull_request event', async () => {
      assert.equal(await pullRequestOf(readEvent('pull_request'), github), 7);
    });

    it('the open pull request whose commit another workflow ran on', async () => {
      standIn.pulls = [
        { number: 8, head: { label: 'mallory:more-workers', sha: SHA } },
        { number: 7, head: { label: 'acme:more-workers', sha: SHA } },
      ];
      assert.equal(await pullRequestOf(run, github), 7);
    });

    it('none, when the branch has moved on since', async () => {
      standIn.pulls = [{ number: 7, head: { label: 'acme:more-workers', sha: SHA.replace('5f', '6f') } }];
      assert.equal(await pullRequestOf(run, github), undefined);
    });
  });

  it('from a fork says that the fork’s own code made it, whatever it says itself', () => {
    const forged = changed({ note: 'made by the owner' });
    const fork = structuredClone(run) as { workflow_run: { head_repository: { full_name: string } } };
    fork.workflow_run.head_repository.full_name = 'mallory/worker-pools';
    assert.equal(attributed(forged, fork, 'acme/worker-pools').note, `${FORK_NOTE} made by the owner`);
    assert.equal(attributed(forged, run, 'acme/worker-pools').note, 'made by the owner');
  });

  it('of drift is one open issue for each stack, edited while it lasts and closed when it ends', async () => {
    assert.equal(await postDrift(github, unchanged), 'unchanged');
    assert.equal(await postDrift(github, changed({})), 'opened');
    assert.equal(await postDrift(github, changed({})), 'unchanged');
    assert.equal(await postDrift(github, changed({ changes: 3 })), 'updated');
    assert.equal(await postDrift(github, changed({ stack: 'production' })), 'opened');
    assert.equal(await postDrift(github, unchanged), 'closed');
    assert.deepEqual(
      standIn.issues.map(({ title, state, labels }) => ({ title, state, labels })),
      [
        { title: 'Drift: staging', state: 'closed', labels: ['drift'] },
        { title: 'Drift: production', state: 'open', labels: ['drift'] },
      ],
    );
    assert.equal(await postDrift(github, changed({})), 'opened', 'a closed one is not reopened');
  });

  describe('by the workflows’ own scripts', function () {
    this.timeout(120_000);
    let folder: string;

    before(() => {
      folder = mkdtempSync(join(tmpdir(), 'worker-pools-post-'));
    });
    after(() => rmSync(folder, { recursive: true }));

    it('is posted from the files of both stacks, and as a summary where the token may not', async () => {
      standIn.pulls = [{ number: 7, head: { label: 'acme:more-workers', sha: SHA } }];
      const clone = linkedCheckout(folder, ROOT);
      clone.write('reports/preview-staging/report.json', { version: 1, reports: [changed({})] });
      clone.write('reports/preview-production/report.json', {
        version: 1,
        reports: [{ ...unchanged, stack: 'production' }],
      });
      const command = stepCommand('preview-comment.yml', 'comment', 'comment');
      const env = {
        ...process.env,
        GITHUB_API_URL: standIn.url,
        GITHUB_TOKEN: standIn.token,
        GITHUB_REPOSITORY: standIn.repository,
        GITHUB_EVENT_PATH: join(EVENTS, 'workflow_run.json'),
        GITHUB_STEP_SUMMARY: join(folder, 'summary.md'),
      };
      const posted = await start(command, { cwd: folder, env }).finished;
      assert.equal(posted.code, 0, posted.text);
      assert.deepEqual(
        standIn.comments.map(({ body }) => body.split('\n')[0]),
        [marker('production'), marker('staging')],
      );

      standIn.readOnly = true;
      clone.write('reports/preview-staging/report.json', { version: 1, reports: [changed({ changes: 9 })] });
      const summed = await start(command, { cwd: folder, env }).finished;
      assert.equal(summed.code, 0, summed.text);
      assert.equal(readFileSync(join(folder, 'summary.md'), 'utf8'), toMarkdown(changed({ changes: 9 })));
      assert.ok(!posted.text.includes(standIn.token) && !summed.text.includes(standIn.token));
    });

    it('is refused when it does not fit its schema', async () => {
      writeFileSync(
        join(folder, 'report.json'),
        JSON.stringify({ version: 1, reports: [{ stack: 'x', html: '<b>' }] }),
      );
      const command = stepCommand('drift.yml', 'check', 'issue');
      const env = {
        ...process.env,
        GITHUB_API_URL: standIn.url,
        GITHUB_TOKEN: standIn.token,
        GITHUB_REPOSITORY: standIn.repository,
      };
      const { code } = await start(command, { cwd: folder, env }).finished;
      assert.equal(code, 1);
      assert.deepEqual(standIn.requests, []);
    });
  });
});

function readEvent(name: string): unknown {
  return JSON.parse(readFileSync(join(EVENTS, `${name}.json`), 'utf8'));
}
