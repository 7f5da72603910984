import assert from 'node:assert/strict';
import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import path from 'node:path';
import { createInterface } from 'node:readline';
import { promisify } from 'node:util';

const run = promisify(execFile);
const ROOT = path.join(__dirname, '..', '..');
const MODULE = path.join(__dirname, 'go');

describe('The vendors’ own Go clients', () => {
  let sandbox: ChildProcess | undefined;
  afterEach(async () => {
    if (sandbox?.pid === undefined || sandbox.exitCode !== null) return;
    const ended = once(sandbox, 'exit');
    // npm, a shell and tsx stand between: the signal goes to the whole group.
    process.kill(-sandbox.pid, 'SIGTERM');
    await ended;
  });

  it('hcloud-go, the Tailscale client and cloudflare-go work against the sandbox unchanged', async function () {
    // The first run downloads and compiles the clients: minutes on a cold machine, seconds afterwards.
    this.timeout('20m');
    await requireGo();
    // Machines boot in 40 to 90 virtual seconds; one wall second is a virtual minute.
    sandbox = spawn('npm', ['run', '--silent', 'sandbox', '--', '--port', '0', '--clock', '60'], {
      cwd: ROOT,
      detached: true,
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    const line = await firstLine(sandbox);
    const tests = await run('go', ['test', '-count=1', '-v', './...'], {
      cwd: MODULE,
      env: { ...process.env, SANDBOX: line },
      maxBuffer: 64 * 1024 * 1024,
    }).catch((error: unknown) => assert.fail(output(error)));
    assert.deepEqual(passed(tests.stdout), [
      'TestCloudflareBatchAndPaging',
      'TestCloudflareRecords',
      'TestCloudflareRefusesAnotherToken',
      'TestHetznerSSHKeys',
      'TestServerJoinsTailnet',
      'TestTailscaleKeys',
      'TestTailscalePolicy',
      'TestTailscaleScopes',
    ]);
  });
});

async function requireGo(): Promise<void> {
  await run('go', ['version']).catch(() =>
    assert.fail('the official clients are Go libraries: install Go (https://go.dev/dl) and put it on PATH'),
  );
}

/** The JSON line that the sandbox prints when it is up. */
async function firstLine(child: ChildProcess): Promise<string> {
  assert.ok(child.stdout);
  for await (const line of createInterface({ input: child.stdout })) {
    if (line.startsWith('{')) return line;
  }
  return assert.fail('the sandbox ended before it printed its addresses');
}

function passed(stdout: string): string[] {
  return [...stdout.matchAll(/^--- PASS: (\w+)/gm)].map(([, name]) => name ?? '').sort();
}

/** What a failed `go test` said; its own message is only that the command failed. */
function output(error: unknown): string {
  if (typeof error !== 'object' || error === null) return String(error);
  const { stdout, stderr, message } = error as { stdout?: string; stderr?: string; message?: string };
  return [message, stdout, stderr].filter(Boolean).join('\n');
}
