import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, readFileSync, utimesSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { workerDocument } from '../../cloud-init';
import { worker } from './machines';
import { contentOf, inFolder, need, stub } from './programs';

interface Seen {
  path: string | undefined;
  authorization: string | undefined;
  /** As sent. */
  body: string;
}

/** What the machine's clock shows when the program starts; it moves on by a millisecond with each look. */
const NOON = 1_795_262_400;

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
      seen.push({ path, authorization: headers.authorization, body: text });
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
        'date',
        `echo x >>${folder}/looks; [ "$1" = +%s ] && echo ${NOON} ||
          printf '${NOON}.%03d\\n' $(wc -l <${folder}/looks)`,
      );
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
const drain = { status: 200, body: '{"drain":true}' };
const me = '{"environment":"staging","pool":"ci","worker":"ci-000a"';
const names = (seen: Seen[]): (string | undefined)[] => seen.map(({ path }) => path?.split('/').at(-1));

/** Marks a job that began at this second. */
function mark(run: string, name: string, since: number): void {
  const path = join(run, 'jobs', name);
  writeFileSync(path, '');
  utimesSync(path, since, since);
}

describe('the heartbeat', function () {
  this.timeout(60_000);
  it('registers once, then tells how many jobs run and for how long, with the token', async () => {
    const { seen, slept, log } = await beat([], 3, (run) => {
      mark(run, 'job 1', NOON - 12);
      mark(run, 'job 2', NOON - 340);
    });
    const authorization = 'Bearer to"ken\\1';
    const heartbeat = (at: string) => ({
      path: '/v1/workers/heartbeat',
      authorization,
      body: `${me},"at":${at},"busy":2,"ages":[12,340]}`,
    });
    assert.deepEqual(seen, [
      {
        path: '/v1/workers/register',
        authorization,
        body: `${me},"at":${NOON}.002,"hostname":"staging-ci-000a","slots":4,"address":"100.64.0.7"}`,
      },
      heartbeat(`${NOON}.003`),
      heartbeat(`${NOON}.005`),
      heartbeat(`${NOON}.007`),
    ]);
    assert.deepEqual(slept, [10, 10, 10]);
    assert.equal(log, '');
  });

  for (const { name, prepare, says } of [
    { name: 'says that none runs', prepare: () => undefined, says: '"busy":0,"ages":[]' },
    {
      name: 'does not count names that begin with a dot',
      prepare: (run: string) => mark(run, '.hidden', NOON - 5),
      says: '"busy":0,"ages":[]',
    },
    {
      name: 'gives a job from the future, which a clock set back makes, no age',
      prepare: (run: string) => mark(run, 'job', NOON + 60),
      says: '"busy":1,"ages":[0]',
    },
  ])
    it(name, async () => {
      const { seen } = await beat([], 1, prepare);
      assert.equal(seen[1]?.body, `${me},"at":${NOON}.003,${says}}`);
    });

  const drains = [
    { name: 'appears when told to drain', answers: [ok, drain], before: false, after: true },
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

  it('beats again soon, once, when it is told to drain', async () => {
    const { slept } = await beat([ok, ok, drain, drain, drain, ok, drain, drain], 7);
    assert.deepEqual(slept, [10, 2, 10, 10, 10, 2, 10]);
  });

  it('pauses longer and says so once when nobody answers, then registers again', async () => {
    const answers: Answer[] = [ok, ok, 'drop', { status: 503, body: '' }, 'drop', 'drop'];
    const { seen, slept, log } = await beat(answers, 6);
    assert.deepEqual(slept, [10, 20, 40, 60, 60, 10]);
    assert.deepEqual(names(seen), [
      'register',
      'heartbeat',
      'heartbeat',
      'register',
      'register',
      'register',
      'register',
      'heartbeat',
    ]);
    assert.match(log, /^no answer, trying on: curl: .*\nthe service answers\n$/);
  });

  it('registers again when the service does not know the worker any more', async () => {
    const { seen } = await beat([ok, { status: 404, body: '' }], 2);
    assert.deepEqual(names(seen), ['register', 'heartbeat', 'register', 'heartbeat']);
  });

  it('never shows the token on a command line', () => {
    const document = workerDocument(worker);
    for (const { path, content } of document.config.write_files ?? [])
      assert.equal(content.includes(worker.service?.token ?? ''), path === '/etc/worker-pools/curl', path);
  });
});
