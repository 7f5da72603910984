import assert from 'node:assert/strict';
import * as fc from 'fast-check';
import { createCensor, secretsOfUrl } from '../../automation/censor';
import { createLog, type Log, type LogFields } from '../../automation/log';

function logged(secrets: string[], use: (log: Log) => void): string[] {
  const lines: string[] = [];
  use(createLog({ write: (line) => void lines.push(line) }, 'info', createCensor(...secrets)));
  return lines;
}

describe('the log', () => {
  it('writes one JSON event to a line', () => {
    const [line = '', ...others] = logged([], (log) =>
      log.info('update-finished', { environment: 'staging', seconds: 14.5, pools: { ci: 3 } }),
    );
    assert.equal(others.length, 0);
    assert.ok(line.endsWith('}\n'));
    const { time, ...event } = JSON.parse(line) as { time: string };
    assert.equal(new Date(time).toISOString(), time);
    assert.deepEqual(event, {
      level: 'info',
      event: 'update-finished',
      environment: 'staging',
      seconds: 14.5,
      pools: { ci: 3 },
    });
  });

  it('leaves out what is below its level', () => {
    assert.deepEqual(
      logged([], (log) => log.debug('looked')),
      [],
    );
  });

  it('writes errors with their causes, wherever they stand', () => {
    const error = new Error('update failed', { cause: new TypeError('no network') });
    const [line] = logged([], (log) => log.error('tick-failed', { pools: [{ error }] }));
    const { pools } = JSON.parse(line!) as {
      pools: { error: { name: string; message: string; stack: string; cause: object } }[];
    };
    const { stack, cause, ...rest } = pools[0]!.error;
    assert.match(stack, /^Error: update failed\n/);
    assert.deepEqual(rest, { name: 'Error', message: 'update failed' });
    assert.deepEqual({ ...cause, stack: '' }, { name: 'TypeError', message: 'no network', stack: '' });
  });

  it('cuts circles and writes what JSON cannot', () => {
    const circle: Record<string, unknown> = { big: 2n ** 60n, map: new Map([['a', new Set([1])]]) };
    circle['self'] = circle;
    const [line] = logged([], (log) => log.info('odd', circle));
    const { big, map, self } = JSON.parse(line!) as Record<string, unknown>;
    assert.deepEqual({ big, map, self }, { big: '1152921504606846976', map: { a: [1] }, self: '[circular]' });
  });

  it('blanks fields that are secrets by their name, known or not', () => {
    const [line] = logged([], (log) =>
      log.info('odd', { token: 'abc', headers: { authorization: 'Bearer x' } }),
    );
    const { token, headers } = JSON.parse(line!) as Record<string, unknown>;
    assert.deepEqual({ token, headers }, { token: '[secret]', headers: { authorization: '[secret]' } });
  });

  it('finds the password of a database’s URL, as it stands there and decoded', () => {
    const [line] = logged(secretsOfUrl('postgres://pools:p%40ss-word!@db/pools'), (log) =>
      log.info('odd', { a: 'used p@ss-word!', b: 'used p%40ss-word!' }),
    );
    const { a, b } = JSON.parse(line!) as Record<string, unknown>;
    assert.deepEqual({ a, b }, { a: 'used [secret]', b: 'used [secret]' });
  });

  it('censors secrets that become known later', () => {
    const lines: string[] = [];
    const censor = createCensor();
    const log = createLog({ write: (line) => void lines.push(line) }, 'info', censor);
    censor.add('one-time-key');
    log.info('odd', { key: 'one-time-key' });
    assert.ok(!lines[0]!.includes('one-time-key'));
  });

  it('leaves short words alone, however secret', () => {
    const [line] = logged(['ci'], (log) => log.info('started', { pool: 'ci' }));
    assert.equal((JSON.parse(line!) as { pool: string }).pool, 'ci');
  });

  describe('never tells a secret', () => {
    const secret = fc
      .string({ minLength: 8, maxLength: 40, unit: 'binary' })
      .filter((text) => Buffer.from(text).toString() === text);
    const around = fc.string({ maxLength: 9 });
    const spellings: { name: string; spell: (secret: string, before: string, after: string) => string }[] = [
      { name: 'as it is', spell: (text, before, after) => before + text + after },
      { name: 'URL-encoded', spell: (text, before, after) => encodeURIComponent(before + text + after) },
      {
        name: 'URL-encoded twice',
        spell: (text) => encodeURIComponent(encodeURIComponent(text)),
      },
      {
        name: 'as a form field',
        spell: (text) => new URLSearchParams({ key: text }).toString(),
      },
      {
        name: 'in base64',
        spell: (text, before, after) => Buffer.from(before + text + after).toString('base64'),
      },
      {
        name: 'in base64 for URLs',
        spell: (text, before, after) => Buffer.from(before + text + after).toString('base64url'),
      },
      { name: 'in hexadecimal', spell: (text) => Buffer.from(text).toString('hex').toUpperCase() },
      { name: 'as JSON in JSON', spell: (text) => JSON.stringify({ inner: JSON.stringify(text) }) },
    ];
    const places: { name: string; put: (text: string) => LogFields }[] = [
      { name: 'a field', put: (text) => ({ text }) },
      { name: 'a key', put: (text) => ({ nested: { [text]: 1 } }) },
      { name: 'a list in an object', put: (text) => ({ a: [{ b: [text] }] }) },
      { name: 'an error', put: (text) => ({ error: new Error(text) }) },
      {
        name: 'an error’s cause and properties',
        put: (text) => ({
          error: Object.assign(new Error('x', { cause: new Error(text) }), { response: { body: text } }),
        }),
      },
      { name: 'an aggregate', put: (text) => ({ error: new AggregateError([new Error(text)], 'several') }) },
    ];
    for (const { name, spell } of spellings)
      for (const { name: place, put } of places)
        it(`${name}, in ${place}`, () => {
          fc.assert(
            fc.property(secret, around, around, (text, before, after) => {
              const spelled = spell(text, before, after);
              const bare = spell(text, '', '');
              const [line] = logged([text], (log) => log.info('odd', put(spelled)));
              const rest = {
                ...(JSON.parse(line!) as Record<string, unknown>),
                time: '',
                level: '',
                event: '',
              };
              for (const part of strings(rest)) {
                assert.ok(!part.includes(text));
                assert.ok(!part.includes(spelled));
                assert.ok(
                  name.startsWith('in base64') || name.startsWith('as a form') || !part.includes(bare),
                );
              }
            }),
            { numRuns: 40 },
          );
        });

    it('as a number', () => {
      const [line] = logged(['12345678'], (log) => log.info('odd', { value: 912345678 }));
      assert.equal((JSON.parse(line!) as { value: unknown }).value, '[secret]');
    });

    it('of several, one inside the other', () => {
      const [line] = logged(['inner-secret', 'an-inner-secret-and-more'], (log) =>
        log.info('odd', { value: 'an-inner-secret-and-more' }),
      );
      assert.equal((JSON.parse(line!) as { value: unknown }).value, '[secret]');
    });
  });
});

/** Every string and key of a JSON value. */
function strings(value: unknown): string[] {
  if (typeof value === 'string') return [value];
  if (value === null || typeof value !== 'object') return [];
  return Object.entries(value).flatMap(([key, inner]) => [key, ...strings(inner)]);
}
