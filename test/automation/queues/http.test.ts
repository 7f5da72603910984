import assert from 'node:assert/strict';
import type { RequestListener } from 'node:http';
import { prometheusBench, startHttp } from './benches/http';
import type { OpenConfig, QueueBench } from './contract';
import { assertFault, readOnce } from './faults';
import type { OwnServer } from './processes';

type HttpConfig = Extract<OpenConfig, { kind: 'http' }>;

describe('a queue read as JSON', () => {
  let server: OwnServer;
  let answer: RequestListener;
  before(async () => {
    server = await startHttp((request, response) => answer(request, response));
  });
  after(() => server.stop());

  const http = (changes: Partial<HttpConfig> = {}): HttpConfig => ({
    kind: 'http',
    url: `http://127.0.0.1:${server.port}/state?key=in-the-url`,
    waiting: 'queue.depth',
    ...changes,
  });

  type Row = readonly [
    what: string,
    status: number,
    body: string,
    kind: 'wrong' | 'refused' | 'unreachable',
    says: RegExp,
  ];
  const faults: readonly Row[] = [
    [
      'a path that is missing',
      200,
      '{"queue":{"size":1}}',
      'wrong',
      /has no queue\.depth: queue has size\. Correct the path/,
    ],
    ['a path into a number', 200, '{"queue":7}', 'wrong', /has no queue\.depth: queue is a number\. /],
    ['a list where an object is meant', 200, '[1]', 'wrong', /has no queue\.depth: it is a list of 1\. /],
    [
      'text',
      200,
      '{"queue":{"depth":"many"}}',
      'wrong',
      /queue\.depth is 'many', and must be a whole number/,
    ],
    ['null', 200, '{"queue":{"depth":null}}', 'wrong', /queue\.depth is null, /],
    ['a negative number', 200, '{"queue":{"depth":-3}}', 'wrong', /queue\.depth is -3, /],
    ['a page', 200, '<html>', 'wrong', /path \/state: the answer is no JSON: '<html>'\. Correct the URL/],
    ['too long an answer', 200, `"${'x'.repeat(1_000_001)}"`, 'wrong', /longer than 1000000 bytes/],
    ['no permission', 401, '', 'refused', /status 401\. Give what it wants as headers/],
    ['a redirect', 302, '', 'wrong', /status 302, a redirect to elsewhere\.internal, which is not followed/],
    ['an overload', 503, '', 'unreachable', /status 503\. The next reading tries again/],
    ['a fault', 500, 'oops', 'wrong', /status 500: 'oops'\. Correct the URL, or that server/],
  ];
  for (const [what, status, body, kind, says] of faults) {
    it(`says what is wrong with ${what}`, async () => {
      answer = (_, response) =>
        response.writeHead(status, { location: 'http://elsewhere.internal/' }).end(body);
      await assertFault(http(), kind, says);
      await assert.rejects(readOnce(http()), (error: Error) => !error.message.includes('in-the-url'));
    });
  }

  it('takes numbers from lists, and does without an age when nothing waits', async () => {
    answer = (_, response) => response.end('[{"a b":2},{"depth":0}]');
    assert.deepEqual(await readOnce(http({ waiting: '[0].a b' })), { waiting: 2 });
    assert.deepEqual(await readOnce(http({ waiting: '[1].depth', oldestAge: '[1].age' })), { waiting: 0 });
  });

  it('sends its headers, and user and password of the URL as such', async () => {
    const seen: unknown[] = [];
    answer = (request, response) => {
      seen.push([request.headers['x-scope'], request.headers.authorization, request.url]);
      response.end('{"queue":{"depth":1}}');
    };
    await readOnce(http({ headers: { 'X-Scope': 'team', authorization: 'Bearer token' } }));
    await readOnce(http({ url: `http://us%40er:pass%2Fword@127.0.0.1:${server.port}/state` }));
    assert.deepEqual(seen, [
      ['team', 'Bearer token', '/state?key=in-the-url'],
      [undefined, `Basic ${Buffer.from('us@er:pass/word').toString('base64')}`, '/state'],
    ]);
  });
});

describe('a queue read from Prometheus', () => {
  let bench: QueueBench;
  before(async function () {
    this.timeout(60_000);
    bench = await prometheusBench();
  });
  after(async function () {
    this.timeout(20_000);
    await bench.close();
  });

  const prometheus = (query: string): OpenConfig => ({
    kind: 'prometheus',
    url: `http://127.0.0.1:${bench.port}/`,
    query,
  });

  it('takes one sample or a scalar', async () => {
    assert.deepEqual(await readOnce(prometheus('sum(jobs_waiting)')), { waiting: 7 });
    assert.deepEqual(await readOnce(prometheus('scalar(sum(jobs_waiting))')), { waiting: 7 });
  });

  for (const [query, says] of [
    ['jobs_unknown', /the query gives no sample, which is not the same as 0/],
    ['jobs_broken', /the query’s value is 'NaN', and must be a whole number/],
    ['sum(jobs_waiting) / 0', /the query’s value is '\+Inf', /],
    ['sum(jobs_waiting) / 2', /the query’s value is 3\.5, /],
    ['-sum(jobs_waiting)', /the query’s value is -7, /],
    ['jobs_waiting', /the query gives 2 samples, and must give one\. Use sum/],
    ['jobs_waiting[1m]', /the query gives a range, and must give one number/],
    ['"7"', /the query gives a text, and must give one number/],
    ['sum(', /status 400: .*Correct the URL, or that server/],
  ] as const) {
    it(`says what is wrong with ${query}`, () => assertFault(prometheus(query), 'wrong', says));
  }

  it('is told from a server that is none', () =>
    assertFault(
      { kind: 'prometheus', url: `http://127.0.0.1:${bench.port}/api/v1/status/buildinfo?x=`, query: '1' },
      'wrong',
      /status 404|not that of Prometheus’s API/,
    ));
});
