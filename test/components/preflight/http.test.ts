import assert from 'node:assert/strict';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import * as fc from 'fast-check';
import { z } from 'zod';
import { listHetzner } from '../../../components/preflight/hetzner-list';
import {
  requestJson,
  retryAt,
  VendorError,
  type Caller,
  type VendorRequest,
} from '../../../components/preflight/http';
import { pauseBefore, PERSONS_PATIENCE, SERVICES_PATIENCE } from '../../../components/preflight/patience';

const NOW = Date.UTC(2026, 10, 21, 12);
const okSchema = z.object({ ok: z.literal(true) });
type Play = (response: ServerResponse, request: IncomingMessage) => void;

const json =
  (status: number, body: unknown, headers: Record<string, string> = {}): Play =>
  (response) =>
    response.writeHead(status, { 'content-type': 'application/json', ...headers }).end(JSON.stringify(body));
const ok = json(200, { ok: true });
const limited = (headers: Record<string, string> = {}): Play => json(429, { message: 'slow down' }, headers);
const broken = json(503, { message: 'under maintenance' });
const hangUp: Play = (response) => response.destroy();
const truncated: Play = (response) => response.writeHead(200).end('{"ok": tr');
/** Announces more than it sends. */
const brokenOff: Play = (response) => {
  response.writeHead(200, { 'content-length': '100' });
  response.write('{"ok"', () => response.destroy());
};

describe('requests to vendors', () => {
  let url: string;
  let plays: Play[];
  let methods: string[];
  const server = createServer((request, response) => {
    methods.push(request.method ?? '');
    (plays.shift() ?? ok)(response, request);
  });
  before(async () => {
    await new Promise<void>((ready) => server.listen(0, '127.0.0.1', ready));
    url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/thing`;
  });
  beforeEach(() => {
    plays = [];
    methods = [];
  });
  after(() => {
    server.close();
    server.closeAllConnections();
  });

  /** Sends one request while the vendor plays these answers; waits are noted, not slept. */
  async function send(
    answers: Play[],
    request: Partial<VendorRequest<typeof okSchema>> = {},
    caller: Caller = {},
  ): Promise<{ outcome: 'ok' | VendorError; waits: number[]; tries: number }> {
    plays = [...answers];
    const waits: number[] = [];
    const outcome = await requestJson(
      {
        vendor: 'Vendor',
        url,
        schema: okSchema,
        errorMessage: (body) => z.object({ message: z.string() }).safeParse(body).data?.message,
        ...request,
      },
      {
        patience: SERVICES_PATIENCE,
        wait: async (milliseconds) => waits.push(milliseconds),
        now: () => NOW,
        random: () => 0,
        ...caller,
      },
    ).then(
      () => 'ok' as const,
      (error: unknown) => {
        assert.ok(error instanceof VendorError, String(error));
        return error;
      },
    );
    return { outcome, waits, tries: methods.length };
  }

  const in20s = String(NOW / 1000 + 20);
  const passing: [string, Play[], number[]][] = [
    ['a 503', [broken], [1_000]],
    ['a 503 with Retry-After', [json(503, {}, { 'retry-after': '7' })], [7_000]],
    ['a connection that dies', [hangUp], [1_000]],
    ['an answer that is not whole JSON', [truncated], [1_000]],
    ['an answer that breaks off', [brokenOff], [1_000]],
    ['a 429 without a time', [limited()], [1_000]],
    ['a 429 with Retry-After in seconds', [limited({ 'retry-after': '3' })], [3_000]],
    [
      'a 429 with Retry-After as a date',
      [limited({ 'retry-after': new Date(NOW + 9_000).toUTCString() })],
      [9_000],
    ],
    ['a 429 with RateLimit-Reset as a time', [limited({ 'ratelimit-reset': in20s })], [20_000]],
    ['a 429 with RateLimit-Reset as a delay', [limited({ 'ratelimit-reset': '20' })], [20_000]],
    [
      'a 429 with both: the later one counts',
      [limited({ 'ratelimit-reset': in20s, 'retry-after': '1' })],
      [20_000],
    ],
    ['a 429 whose time is past', [limited({ 'ratelimit-reset': String(NOW / 1000 - 5) })], [1_000]],
    ['one fault after another', [broken, hangUp, truncated, limited()], [1_000, 2_000, 4_000, 8_000]],
  ];
  for (const [what, answers, waits] of passing) {
    it(`${what} passes: the read is sent again after its wait`, async () => {
      assert.deepEqual(await send(answers), { outcome: 'ok', waits, tries: answers.length + 1 });
    });
  }

  it('gives up after five tries, with the vendor’s words', async () => {
    const { outcome, waits, tries } = await send(Array<Play>(9).fill(broken));
    assert.ok(outcome instanceof VendorError);
    assert.deepEqual([outcome.status, outcome.message], [503, 'under maintenance']);
    assert.deepEqual([tries, waits], [5, [1_000, 2_000, 4_000, 8_000]]);
  });

  it('gives a person up to three tries and no long wait', async () => {
    const many = Array<Play>(9).fill(broken);
    const { waits, tries } = await send(many, {}, { patience: PERSONS_PATIENCE });
    assert.deepEqual([tries, waits], [3, [500, 1_000]]);
  });

  it('does not wait longer than its patience: it fails at once and says until when', async () => {
    const later = limited({ 'ratelimit-reset': String(NOW / 1000 + 3_000) });
    const { outcome, waits, tries } = await send([later]);
    assert.ok(outcome instanceof VendorError);
    assert.deepEqual([outcome.status, outcome.retryAt], [429, NOW + 3_000_000]);
    assert.deepEqual([tries, waits], [1, []]);
  });

  const lasting: [string, Play, number | undefined, string][] = [
    ['a refusal', json(403, { message: 'not yours' }), 403, 'not yours'],
    [
      'a refusal without words',
      (response) => response.writeHead(404).end('<p>no</p>'),
      404,
      'answered 404 Not Found',
    ],
  ];
  for (const [what, answer, status, message] of lasting) {
    it(`${what} stays so: it is not asked again`, async () => {
      const { outcome, tries } = await send([answer]);
      assert.ok(outcome instanceof VendorError);
      assert.deepEqual([outcome.status, outcome.message, tries], [status, message, 1]);
    });
  }

  const unclear: [string, Play, number | undefined][] = [
    ['a 503', broken, 503],
    ['a connection that dies', hangUp, undefined],
    ['an answer that is not whole JSON', truncated, 200],
    ['an answer that breaks off', brokenOff, undefined],
  ];
  for (const [what, answer, status] of unclear) {
    it(`${what} may come after a POST took effect: it is not sent twice`, async () => {
      const { outcome, tries } = await send([answer], { method: 'POST' });
      assert.ok(outcome instanceof VendorError);
      assert.deepEqual([outcome.status, tries], [status, 1]);
    });

    it(`${what}: a POST that may be repeated is sent again, and so is a DELETE`, async () => {
      for (const request of [{ method: 'POST', repeatable: true }, { method: 'DELETE' }] as const) {
        methods = [];
        assert.deepEqual(await send([answer], request), { outcome: 'ok', waits: [1_000], tries: 2 });
      }
    });
  }

  it('a POST that was turned away by the rate limit did nothing: it is sent again', async () => {
    const { outcome, waits } = await send([limited({ 'retry-after': '2' })], { method: 'POST' });
    assert.deepEqual([outcome, waits], ['ok', [2_000]]);
  });

  it('the caller’s signal ends a wait, with its own reason, and nothing more is sent', async () => {
    const stop = new AbortController();
    plays = [limited({ 'ratelimit-reset': in20s })];
    const asked = requestJson(
      { vendor: 'Vendor', url, schema: okSchema, errorMessage: () => undefined },
      {
        patience: SERVICES_PATIENCE,
        signal: stop.signal,
        now: () => NOW,
        onAnswer: () => setImmediate(() => stop.abort(new Error('shutting down'))),
      },
    );
    await assert.rejects(asked, { message: 'shutting down' });
    assert.deepEqual(methods, ['GET']);
  });

  it('the caller’s signal ends a request that is not answered', async () => {
    const stop = new AbortController();
    plays = [() => stop.abort(new Error('shutting down'))];
    const asked = requestJson(
      { vendor: 'Vendor', url, schema: okSchema, errorMessage: () => undefined },
      { patience: SERVICES_PATIENCE, signal: stop.signal },
    );
    await assert.rejects(asked, { message: 'shutting down' });
    assert.deepEqual(methods, ['GET']);
  });

  it('tells its observer of every try', async () => {
    const heard: [string, string, number | undefined, string | null][] = [];
    await send(
      [json(503, {}, { 'ratelimit-remaining': '12' }), hangUp],
      {},
      {
        onAnswer: ({ vendor, method, status, headers }) =>
          heard.push([vendor, method, status, headers.get('ratelimit-remaining')]),
      },
    );
    assert.deepEqual(heard, [
      ['Vendor', 'GET', 503, '12'],
      ['Vendor', 'GET', undefined, null],
      ['Vendor', 'GET', 200, null],
    ]);
  });

  describe('for lists of Hetzner', () => {
    const page = (ids: number[], pagination: unknown, schemaKey = 'things'): Play =>
      json(200, { [schemaKey]: ids.map((id) => ({ id })), meta: { pagination } });
    const list = (answers: Play[]): Promise<{ id: number }[]> => {
      plays = [...answers];
      return listHetzner(
        { url: url.replace('/thing', ''), token: 'secret' },
        { path: '/things', key: 'things', schema: z.object({ id: z.number() }) },
        { wait: () => Promise.resolve(), now: () => NOW, random: () => 0 },
      );
    };

    it('reads all pages', async () => {
      const pages = [
        page([1, 2], { next_page: 2, total_entries: 3 }),
        page([3], { next_page: null, total_entries: 3 }),
      ];
      assert.deepEqual(await list(pages), [{ id: 1 }, { id: 2 }, { id: 3 }]);
    });

    const first = page([1, 2], { next_page: 2, total_entries: 3 });
    const partial: [string, Play[], RegExp][] = [
      [
        'a later page fails',
        [first, broken, broken, broken],
        /page 2 cannot be read \(answered 503 Service Unavailable\)/,
      ],
      [
        'a later page is refused',
        [first, json(401, { error: { message: 'unable to authenticate' } })],
        /page 2 cannot be read/,
      ],
      ['next_page is missing', [page([1, 2], { total_entries: 3 })], /page 1 does not say what follows it/],
      [
        'there is no pagination',
        [json(200, { things: [], meta: {} })],
        /page 1 does not say what follows it/,
      ],
      ['entries are missing', [page([1], { next_page: null, total_entries: 3 })], /1 of 3 entries came/],
      [
        'an entry came twice',
        [first, page([2], { next_page: null, total_entries: 3 })],
        /2 of 3 entries came/,
      ],
      [
        'one was deleted between two pages',
        [first, page([4], { next_page: null, total_entries: 2 })],
        /changed from 3 to 2 entries/,
      ],
      [
        'the pages go in a circle',
        [page([1, 2], { next_page: 1, total_entries: 3 })],
        /page 1 is followed by page 1/,
      ],
    ];
    for (const [what, answers, message] of partial) {
      it(`throws rather than give a short one: ${what}`, async () => {
        await assert.rejects(list(answers), { name: 'IncompleteListError', message });
      });
    }

    it('hands on the refusal of the first page', async () => {
      const refusal = json(401, { error: { message: 'unable to authenticate' } });
      await assert.rejects(list([refusal]), {
        name: 'VendorError',
        status: 401,
        message: 'unable to authenticate',
      });
    });
  });

  const seconds = fc.integer({ min: 0, max: 10_000 });
  const attempts = fc.integer({ min: 2, max: 12 });

  it('law: the wait is never shorter than what the vendor asks for, and never beyond the patience', () => {
    fc.assert(
      fc.property(
        attempts,
        fc.option(fc.integer({ min: -5_000, max: 100_000 }), { nil: undefined }),
        fc.nat({ max: 70_000 }),
        fc.double({ min: 0, max: 1, noNaN: true }),
        (attempt, retryIn, waited, random) => {
          const patience = SERVICES_PATIENCE;
          const pause = pauseBefore(attempt, { patience, waited, retryIn, random });
          if (pause === undefined) return;
          assert.ok(pause >= (retryIn ?? 0));
          assert.ok(pause > 0);
          assert.ok(waited + pause <= patience.totalWait);
        },
      ),
    );
  });

  it('law: without a time from the vendor, waits double up to a minute', () => {
    const patience = { ...SERVICES_PATIENCE, totalWait: Infinity };
    fc.assert(
      fc.property(attempts, fc.double({ min: 0, max: 1, noNaN: true }), (attempt, random) => {
        const pause = pauseBefore(attempt, { patience, waited: 0, retryIn: undefined, random })!;
        assert.equal(pause, Math.min(60_000, 1_000 * 2 ** (attempt - 2) * (1 + random)));
      }),
    );
  });

  it('law: a reset is understood as a time and as a delay', () => {
    fc.assert(
      fc.property(seconds, (delay) => {
        const asked = (reset: number): number | undefined =>
          retryAt({ status: 429, headers: new Headers({ 'ratelimit-reset': String(reset) }) }, NOW);
        assert.equal(asked(delay), NOW + delay * 1000);
        assert.equal(asked(NOW / 1000 + delay), NOW + delay * 1000);
      }),
    );
  });
});
