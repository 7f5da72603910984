import assert from 'node:assert/strict';
import { execFileSync, spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readFileSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';

const ROOT = dirname(dirname(__dirname));

interface Run {
  child: ChildProcess;
  output(): string;
  exit: Promise<{ code: number | null; output: string }>;
  /** Resolves when the output holds the text. */
  until(text: string): Promise<void>;
}

describe('npm run demo', function () {
  this.timeout(480_000);
  let folder: string;
  const running = new Set<ChildProcess>();

  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'demo-test-'));
  });
  afterEach(async () => {
    for (const child of running) {
      child.kill('SIGTERM');
      await once(child, 'exit');
    }
    rmSync(folder, { recursive: true });
  });

  it('plays its story and leaves nothing, beside another demo that leaves everything up and says how to end it', async () => {
    const before = git('status', '--porcelain');
    const [story, kept] = await Promise.all([
      demo('--jobs', '60', '--rate', '120').exit,
      demo('--keep', '--jobs', '0').exit,
    ]);
    await lookAround(kept.output);
    for (const { code, output } of [story, kept]) {
      assert.equal(code, 0, output);
      assert.match(output, /3 of 3 machines are on the tailnet/);
      assert.match(
        output,
        /│ sandbox-web-0001 +│ cax11 +│ nbg1 +│ 127\.[\d.]+ +│ web-0001\.sandbox\.sandbox\.example /,
      );
      assert.match(output, /\+ 5 to create/);
    }
    assert.match(story.output, /│ jobs done +│ +60 │/);
    assert.match(story.output, /│ jobs lost +│ +0 │/);
    assert.match(story.output, /│ servers used +│ +[1-9]\d* │/);
    assert.match(story.output, /│ spent for them +│ +EUR 0\.\d\d │/);
    assert.match(story.output, /│ left behind +│ +nothing │/);
    assert.match(story.output, /0 waiting, 0 running, 60 of 60 done; no worker; EUR/);
    assert.match(story.output, /Nothing is left/);
    assert.doesNotMatch(kept.output, /jobs done/);
    assert.equal(git('status', '--porcelain'), before);
    assert.deepEqual(leftBehind(), []);
  });

  it('ends on Ctrl-C in the middle of an update with exit code 130 and takes away what it started', async () => {
    const run = demo();
    await run.until('1 launch');
    const [port] = /127\.0\.0\.1:\d+/.exec(run.output()) ?? [];
    // As a terminal does it: the whole process group gets the signal.
    process.kill(-run.child.pid!, 'SIGINT');
    const { code, output } = await run.exit;
    assert.equal(code, 130, output);
    assert.match(output, /Interrupted/);
    await assert.rejects(fetch(`http://${port}/control/clock`));
    const [, page] = /status page is at (\S+)/.exec(output) ?? [];
    await assert.rejects(fetch(`${page}/healthz`));
    assert.deepEqual(leftBehind(), []);
  });

  it('exits non-zero and says what failed when a step fails', async () => {
    const { code, output } = await demo('--nonsense').exit;
    assert.equal(code, 1);
    assert.match(output, /unknown option '--nonsense'/);
  });

  /** What somebody does with a demo that is left up: uses the engine, the cloud and the service, and ends it. */
  async function lookAround(output: string): Promise<void> {
    const [, file] = /source (\S+)/.exec(output) ?? [];
    const [, page, tokenFile] =
      /(http\S+) +# the status page; it asks for the token in (\S+)/.exec(output) ?? [];
    const [, end] = /(kill \d+; .* rm -r \S+)/.exec(output) ?? [];
    assert.ok(file && end && page && tokenFile, output);
    try {
      const listed = execFileSync(
        'bash',
        [
          '-c',
          `source ${file} && pulumi stack --stack sandbox && curl -s -H "Authorization: Bearer $HCLOUD_TOKEN" $HCLOUD_ENDPOINT/servers`,
        ],
        { cwd: ROOT, encoding: 'utf8' },
      );
      assert.match(listed, /web-0002-server/);
      assert.match(listed, /"name": ?"sandbox-web-0002"/);
      const token = readFileSync(tokenFile, 'utf8').trim();
      const answer = await fetch(`${page}/v1/stacks`, { headers: { authorization: `Bearer ${token}` } });
      assert.equal(answer.status, 200);
    } finally {
      execFileSync('bash', ['-c', end]);
    }
    assert.ok(!existsSync(dirname(file)));
  }

  function demo(...options: string[]): Run {
    const child = spawn('npm', ['run', '--silent', 'demo', '--', ...options], {
      cwd: ROOT,
      env: { ...process.env, TMPDIR: folder },
      stdio: ['ignore', 'pipe', 'pipe'],
      detached: true,
    });
    running.add(child);
    let output = '';
    const listeners = new Set<() => void>();
    for (const stream of [child.stdout, child.stderr]) {
      stream.on('data', (chunk: Buffer) => {
        output += chunk.toString();
        listeners.forEach((listener) => listener());
      });
    }
    const exit = once(child, 'close').then(([code]) => {
      running.delete(child);
      return { code: code as number | null, output };
    });
    const until = (text: string): Promise<void> =>
      new Promise((resolve, reject) => {
        const look = (): void => {
          if (output.includes(text)) resolve();
        };
        listeners.add(look);
        look();
        void exit.then(() => reject(new Error(`ended without "${text}":\n${output}`)));
      });
    return { child, output: () => output, exit, until };
  }

  /** The demo's own folders; Node's loaders keep caches beside them. */
  function leftBehind(): string[] {
    return readdirSync(folder).filter((name) => name.startsWith('worker-pools-demo-'));
  }

  function git(...args: string[]): string {
    return execFileSync('git', args, { cwd: ROOT, encoding: 'utf8' });
  }
});
