import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { workerDocument } from '../../cloud-init';
import { worker } from './machines';
import { contentOf, inFolder, need, run, stub } from './programs';

const PROGRAMS = '/usr/local/lib/worker-pools';

/** Runs a machine's own program, with the end of a log, against a server; what the server was told, and what was called. */
async function play(program: 'report' | 'interrupted', args: string[], log: string, status = 200) {
  need('curl', 'curl');
  const posts: { path: string | undefined; authorization: string | undefined; body: unknown }[] = [];
  const server = createServer((request, response) => {
    let text = '';
    request.on('data', (chunk: Buffer) => (text += chunk.toString()));
    request.on('end', () => {
      const { url: path, headers } = request;
      posts.push({ path, authorization: headers.authorization, body: JSON.parse(text) });
      response.writeHead(status).end('{}');
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  try {
    return await inFolder(async (folder) => {
      const document = workerDocument({ ...worker, service: { url, token: 'token' } });
      writeFileSync(join(folder, 'log'), log);
      writeFileSync(join(folder, 'curl.conf'), contentOf(document, '/etc/worker-pools/curl'));
      for (const name of ['report', 'interrupted'])
        writeFileSync(
          join(folder, name),
          contentOf(document, `${PROGRAMS}/${name}`)
            .replaceAll(PROGRAMS, folder)
            .replaceAll('/var/log/cloud-init-output.log', join(folder, 'log'))
            .replaceAll('/etc/worker-pools/curl', join(folder, 'curl.conf')),
          { mode: 0o700 },
        );
      stub(folder, 'date', 'echo 1795262400.250');
      stub(folder, 'systemctl', `echo "$*" >>${folder}/calls`);
      writeFileSync(join(folder, 'calls'), '');
      const child = spawn(join(folder, program), args, { env: { PATH: `${folder}:/usr/bin:/bin` } });
      await once(child, 'close');
      return { posts, calls: run('cat', [join(folder, 'calls')]) };
    });
  } finally {
    server.close();
  }
}

const me = { environment: 'staging', pool: 'ci', worker: 'ci-000a' };

describe('the report of a failed set-up', () => {
  it('tells the service the step and the end of the log, whatever stands in it', async () => {
    const said = `Err:1 "quoted" \\ back\tslash\u0007 ümlaut\nE: no route\n`;
    const { posts } = await play('report', ['12-packages'], said);
    assert.deepEqual(posts, [
      {
        path: '/v1/workers/failed',
        authorization: 'Bearer token',
        body: {
          ...me,
          at: 1795262400.25,
          step: '12-packages',
          log: 'Err:1 "quoted" \\ backslash mlaut\nE: no route\n',
        },
      },
    ]);
  });

  it('stays within what the service takes, however long the log is', async () => {
    const { posts } = await play('report', ['12-packages'], '"\\'.repeat(5000));
    const [post] = posts;
    assert.ok(JSON.stringify(post?.body).length < 4096);
  });

  it('says at the next boot that a set-up was broken off, once', async () => {
    const { posts, calls } = await play('interrupted', [], 'worker-pools: 12-packages\n');
    assert.deepEqual(
      posts.map(({ body }) => body),
      [
        {
          ...me,
          at: 1795262400.25,
          step: 'interrupted',
          log: 'worker-pools: 12-packages\nworker-pools: the machine was started anew before its set-up had ended\n',
        },
      ],
    );
    assert.equal(calls, '-q disable --now worker-pools@interrupted\n');
  });

  it('says so again when nobody took it, and only then', async () => {
    const { calls } = await play('interrupted', [], 'worker-pools: 13-packages\n', 404);
    assert.equal(calls, '');
  });

  it('is watched for from the first step to the end of the last', () => {
    const steps = workerDocument(worker).config.write_files?.filter(({ path }) =>
      path.includes('per-instance'),
    );
    assert.match(steps?.at(0)?.content ?? '', /^systemctl -q enable worker-pools@interrupted$/m);
    assert.match(
      steps?.at(-1)?.content ?? '',
      /worker-pools@heartbeat\nsystemctl -q disable worker-pools@interrupted\n$/,
    );
  });
});
