import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { workerDocument } from '../../cloud-init';
import { worker } from './machines';
import { contentOf, inFolder, need, stub } from './programs';

interface Seen {
  path: string | undefined;
  authorization: string | undefined;
  body: unknown;
}

/** What the service says to one request; `drop` closes the connection without an answer. */
type Answer = { status: number; body: string } | 'drop';

/**
 * Runs the real heartbeat against a real server that gives these answers one after the other. The pause is a
 * stand-in that writes down how long it would have been and ends the program after the last answer was used.
 */
async function beat(answers: Answer[], pauses: number, prepare: (run: string) => void = () => undefined) {
  need('curl', 'curl');
  const seen: Seen[] = [];
  const server = createServer((request, response) => {
    let text = '';
    request.on('data', (chunk: Buffer) => (text += chunk.toString()));
    request.on('end', () => {
      const { url: path, headers } = request;
      seen.push({ path, authorization: headers.authorization, body: JSON.parse(text) as unknown });
      const answer = answers.shift() ?? { status: 200, body: '{"drain":false}' };
      if (answer === 'drop') request.socket.destroy();
      else response.writeHead(answer.status, { 'content-type': 'application/json' }).end(answer.body);
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/`;
  try {
    return await inFolder(async (folder) => {
      const document = workerDocument({ ...worker, service: { url, token: 'to"ken\\1' } });
      const run = join(folder, 'run');
      mkdirSync(join(run, 'jobs'), { recursive: true });
      prepare(run);
      writeFileSync(join(folder, 'curl.conf'), contentOf(document, '/etc/worker-pools/curl'));
      const program = contentOf(document, '/usr/local/lib/worker-pools/heartbeat')
        .replaceAll('/run/worker-pools', run)
        .replaceAll('/etc/worker-pools/curl', join(folder, 'curl.conf'));
      writeFileSync(join(folder, 'heartbeat'), program, { mode: 0o700 });
      stub(folder, 'tailscale', 'echo 100.64.0.7');
      stub(
        folder,
        'sleep',
        `echo $1 >>${folder}/pauses; [ $(wc -l <${folder}/pauses) -lt ${pauses} ] || kill $PPID`,
      );
      const child = spawn(join(folder, 'heartbeat'), { env: { PATH: `${folder}:/usr/bin:/bin` } });
      let log = '';
      child.stdout.on('data', (chunk: Buffer) => (log += chunk.toString()));
      child.stderr.on('data', (chunk: Buffer) => (log += chunk.toString()));
      await once(child, 'close');
      const slept = readFileSync(join(folder, 'pauses'), 'utf8').trim().split('\n').map(Number);
      return { seen, slept, log, draining: existsSync(join(run, 'drain')) };
    });
  } finally {
    server.close();
  }
}

const ok = { status: 200, body: '{"drain":false}' };
const me = { environment: 'staging', pool: 'ci', worker: 'ci-000a' };
const register = { ...me, hostname: 'staging-ci-000a', slots: 4, address: '100.64.0.7' };

describe('the heartbeat', function () {
  this.timeout(60_000);
  it('registers once, then tells how many jobs run, with the token', async () => {
    const { seen, slept, log } = await beat([], 3, (run) => {
      writeFileSync(join(run, 'jobs', 'job 1'), '');
      writeFileSync(join(run, 'jobs', 'job 2'), '');
    });
    const authorization = 'Bearer to"ken\\1';
    const heartbeat = { path: '/v1/workers/heartbeat', authorization, body: { ...me, busy: 2 } };
    assert.deepEqual(seen, [
      { path: '/v1/workers/register', authorization, body: register },
      heartbeat,
      heartbeat,
      heartbeat,
    ]);
    assert.deepEqual(slept, [10, 10, 10]);
    assert.equal(log, '');
  });

  it('says 0 when no job runs', async () => {
    const { seen } = await beat([], 1);
    assert.deepEqual(seen[1]?.body, { ...me, busy: 0 });
  });

  const drains = [
    {
      name: 'appears when told to drain',
      answers: [ok, { status: 200, body: '{"drain":true}' }],
      before: false,
      after: true,
    },
    { name: 'goes when the drain is called off', answers: [ok, ok], before: true, after: false },
    {
      name: 'stays when the answer does not say',
      answers: [ok, { status: 200, body: '{}' }],
      before: true,
      after: true,
    },
    {
      name: 'stays when the service fails',
      answers: [ok, { status: 500, body: '{"drain":false}' }],
      before: true,
      after: true,
    },
  ];
  for (const { name, answers, before, after } of drains)
    it(`the drain file ${name}`, async () => {
      const { draining } = await beat(answers, 1, (run) => before && writeFileSync(join(run, 'drain'), ''));
      assert.equal(draining, after);
    });

  it('pauses longer and says so once when nobody answers, then registers again', async () => {
    const answers: Answer[] = [ok, ok, 'drop', { status: 503, body: '' }, 'drop', 'drop'];
    const { seen, slept, log } = await beat(answers, 6);
    assert.deepEqual(slept, [10, 20, 40, 60, 60, 10]);
    assert.deepEqual(
      seen.map(({ path }) => path?.split('/').at(-1)),
      ['register', 'heartbeat', 'heartbeat', 'register', 'register', 'register', 'register', 'heartbeat'],
    );
    assert.match(log, /^no answer, trying on: curl: .*\nthe service answers\n$/);
  });

  it('registers again when the service does not know the worker any more', async () => {
    const { seen } = await beat([ok, { status: 404, body: '' }], 2);
    assert.deepEqual(
      seen.map(({ path }) => path?.split('/').at(-1)),
      ['register', 'heartbeat', 'register', 'heartbeat'],
    );
  });

  it('never shows the token on a command line', () => {
    const document = workerDocument(worker);
    for (const { path, content } of document.config.write_files ?? [])
      assert.equal(content.includes(worker.service?.token ?? ''), path === '/etc/worker-pools/curl', path);
  });
});
