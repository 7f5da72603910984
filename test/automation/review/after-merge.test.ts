import assert from 'node:assert/strict';
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { previewSchema, type Report } from '../../../automation/review/report';
import { inventory, serverIds } from '../../engine/cloud';
import { complete } from '../../engine/configs';
import type { Finished, Running } from '../../engine/engine';
import { Environment, STACK } from '../../engine/harness';
import { Secrets } from '../../engine/secrets';
import { GitHubStandIn } from './github-stand-in';
import { ScratchClone } from './scratch-clone';
import { stepCommand } from './workflow-step';

const FILE = `Pulumi.${STACK}.yaml`;

describe('After a merge, on the real engine', function () {
  this.timeout(240_000);
  let environment: Environment;
  let secrets: Secrets;
  let clone: ScratchClone;
  let standIn: GitHubStandIn;

  before(async () => {
    environment = await Environment.start();
    secrets = new Secrets(environment);
    standIn = await GitHubStandIn.start();
    environment.configure(complete(environment));
    clone = ScratchClone.make(environment);
    clone.branch('one-more', { [FILE]: (text) => text.replace('fixed: 1', 'fixed: 2') });
    clone.branch('none-left', { [FILE]: (text) => text.replace('fixed: 1', 'fixed: 0') });
    clone.checkout('main');
  });
  after(async () => {
    clone?.close();
    standIn?.close();
    await environment?.close();
  });

  const deploy = (variables: NodeJS.ProcessEnv = {}): Promise<Running> =>
    clone.launch(stepCommand('deploy-stack.yml', 'up', 'up'), {
      ...environment.credentials,
      STACK,
      WORKER_POOLS_ALLOW_REMOVAL: '',
      ...variables,
    });

  describe('the deployment', () => {
    it('brings a stack up that was never up', async () => {
      const { code, text } = await (await deploy()).finished;
      assert.equal(code, 0, text);
      assert.deepEqual(Object.keys(serverIds(environment.sandbox)).sort(), [
        'sandbox-ci-0001',
        'sandbox-ci-0002',
        'sandbox-ci-0003',
        'sandbox-web-0001',
      ]);
    });

    it('waits while another update holds the stack, and is made when that has ended', async () => {
      const release = hold();
      clone.checkout('one-more');
      const running = await deploy();
      await heard(running, ' holds the stack, waiting …');
      assert.match(running.text(), /^sandbox: the update of anna@\S+ .* holds the stack, waiting …$/m);
      assert.equal(inventory(environment.sandbox).servers.length, 4);
      release();
      const { code, text } = await running.finished;
      assert.equal(code, 0, text);
      assert.ok('sandbox-web-0002' in serverIds(environment.sandbox));
    });

    it('gives up when its patience ends, and says how to find out who holds the stack', async () => {
      const release = hold();
      try {
        const command = ['node', 'automation/worker-pools.js', 'deploy', '--stack', STACK, '--wait', '0'];
        const { code, text } = await clone.run(command);
        assert.equal(code, 1);
        assert.match(
          text,
          /^sandbox: the update of anna@\S+ .* still holds the stack after 0 min\. Nothing was changed\.$/m,
        );
      } finally {
        release();
      }
    });

    it('takes workers away only when they were named', async () => {
      clone.checkout('none-left');
      const refused = await (await deploy()).finished;
      assert.equal(refused.code, 1);
      assert.match(refused.text, /would remove web-0001, web-0002/);
      assert.match(refused.text, /^sandbox: the update failed\.$/m);
      assert.equal(inventory(environment.sandbox).servers.length, 5);
      const { code, text } = await (await deploy({ WORKER_POOLS_ALLOW_REMOVAL: 'web' })).finished;
      assert.equal(code, 0, text);
      assert.deepEqual(Object.keys(serverIds(environment.sandbox)).sort(), [
        'sandbox-ci-0001',
        'sandbox-ci-0002',
        'sandbox-ci-0003',
      ]);
    });
  });

  describe('the morning’s look for drift', () => {
    it('finds none where nothing has changed behind the stack’s back, and opens no issue', async () => {
      environment.sandbox.requests.clear();
      const { report, code, posted } = await look();
      assert.deepEqual([code, report.verdict, report.resources], [0, 'unchanged', []]);
      assert.match(posted.text, /^sandbox: issue unchanged\.$/m);
      assert.deepEqual(standIn.issues, []);
      const asked = environment.sandbox.requests.list().map(({ path }) => path.split('?')[0]);
      for (const id of Object.values(serverIds(environment.sandbox)))
        assert.ok(asked.includes(`/v1/servers/${id}`), 'the vendor was asked for each server');
    });

    it('takes no key for drift that the tailnet has forgotten: its machine joined long ago', async () => {
      environment.sandbox.faults.add({
        vendor: 'tailscale',
        method: 'GET',
        path: '/api/v2/tailnet/*/keys/*',
        status: 404,
        message: 'key not found',
        times: null,
      });
      const { report, code } = await look();
      environment.sandbox.faults.clear();
      assert.deepEqual([code, report.verdict, report.resources], [0, 'unchanged', []]);
    });

    it('opens an issue for a server that somebody has changed', async () => {
      const id = serverIds(environment.sandbox)['sandbox-ci-0002']!;
      await hetzner('PUT', `/servers/${id}`, { labels: { owner: 'somebody' } });
      const { report, code, posted } = await look();
      assert.deepEqual([code, report.verdict], [2, 'changes']);
      assert.deepEqual(
        report.resources.map(({ action, kind, worker, properties }) => [
          action,
          kind,
          worker,
          properties.map(({ name }) => name),
        ]),
        [['update', 'server', 'ci-0002', ['labels']]],
      );
      assert.match(posted.text, /^sandbox: issue opened\.$/m);
      const [issue] = standIn.issues;
      assert.deepEqual([issue!.title, issue!.state, issue!.labels], ['Drift: sandbox', 'open', ['drift']]);
      assert.match(issue!.body, /The stack `sandbox` is not what its branch says\./);
      assert.match(issue!.body, /worker ci-0002 updated/);
    });

    it('says in the same issue which server somebody has deleted', async () => {
      const id = serverIds(environment.sandbox)['sandbox-ci-0003']!;
      await hetzner('DELETE', `/servers/${id}`);
      const { report, code, posted } = await look();
      assert.deepEqual([code, report.verdict, report.changes], [2, 'changes', 2]);
      // The engine looks at servers side by side: which of them it tells first is open.
      const servers = report.resources.filter(({ kind }) => kind === 'server');
      assert.deepEqual(Object.fromEntries(servers.map(({ worker = '', action }) => [worker, action])), {
        'ci-0002': 'update',
        'ci-0003': 'create',
      });
      assert.match(posted.text, /^sandbox: issue updated\.$/m);
      assert.equal(standIn.issues.length, 1);
      assert.match(standIn.issues[0]!.body, /worker ci-0003 created/);
    });

    it('closes the issue when the stack is what its branch says again', async () => {
      const up = await clone.run(['pulumi', 'up', '--yes', '--skip-preview', '--refresh', '--stack', STACK]);
      assert.equal(up.code, 0, up.text);
      const { report, code, posted } = await look();
      assert.deepEqual([code, report.verdict], [0, 'unchanged'], JSON.stringify(report));
      assert.match(posted.text, /^sandbox: issue closed\.$/m);
      assert.equal(standIn.issues[0]!.state, 'closed');
    });

    it('has changed nothing at the vendors and in the state, and has shown no secret', () => {
      secrets.observe();
      environment.transcripts.push(JSON.stringify(standIn.issues));
      assert.deepEqual(secrets.leaks(), []);
    });
  });

  /** What drift.yml does of a stack: its report, the exit code of the preview, and what became of the issue. */
  async function look(): Promise<{ report: Report; code: number; posted: Finished }> {
    const output = clone.path('output.txt');
    rmSync(output, { force: true });
    const variables = { ...environment.credentials, STACK, GITHUB_OUTPUT: output };
    const script = await clone.run(stepCommand('drift.yml', 'check', 'preview'), variables);
    assert.equal(script.code, 0, script.text);
    const code = Number(/^code=(\d)$/m.exec(readFileSync(output, 'utf8'))?.[1]);
    const posted = await clone.run(stepCommand('drift.yml', 'check', 'issue'), {
      GITHUB_API_URL: standIn.url,
      GITHUB_TOKEN: standIn.token,
      GITHUB_REPOSITORY: standIn.repository,
    });
    assert.equal(posted.code, 0, posted.text);
    const text = readFileSync(clone.path('report.json'), 'utf8');
    environment.transcripts.push(text);
    return { report: previewSchema.parse(JSON.parse(text)).reports[0]!, code, posted };
  }

  /** Holds the stack as an update of somebody else does; answers what lets it go. */
  function hold(): () => void {
    const folder = join(environment.backend, '.pulumi', 'locks', 'organization', 'worker-pools', STACK);
    mkdirSync(folder, { recursive: true });
    const file = join(folder, '5f0c8b1e-0000-4000-8000-000000000000.json');
    const lock = { pid: process.pid, username: 'anna', hostname: hostname(), timestamp: new Date() };
    writeFileSync(file, JSON.stringify(lock));
    return () => rmSync(file);
  }

  async function heard(running: Running, words: string): Promise<void> {
    let ended = false;
    void running.finished.then(() => (ended = true));
    while (!running.text().includes(words)) {
      assert.ok(!ended, `it ended before "${words}":\n${running.text()}`);
      await delay(50);
    }
  }

  /** What somebody does in the Console. */
  async function hetzner(method: string, path: string, body?: object): Promise<void> {
    const { url, token } = environment.sandbox.endpoints.hetzner;
    const answer = await fetch(`${url}${path}`, {
      method,
      headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    assert.ok(answer.ok, await answer.text());
  }
});
