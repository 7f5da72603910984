import assert from 'node:assert/strict';
import { stripVTControlCharacters } from 'node:util';
import { devicesText } from '../../../automation/commands/devices';
import { parseDuration, shortDuration } from '../../../automation/commands/duration';
import { explainText } from '../../../automation/commands/explain';
import { statusText } from '../../../automation/commands/status-text';
import { sweepText } from '../../../automation/commands/sweep';
import { doctorText } from '../../../automation/doctor/text';
import type { StackStatus } from '../../../automation/status';
import { verdict } from '../../../automation/http/verdict';
import { NOW, poolStatus, stackStatus, workerStatus } from '../http/status';

const plain = (text: string): string[] => stripVTControlCharacters(text).split('\n');
const told = (status: StackStatus | null, workers = false): string[] =>
  plain(statusText({ now: NOW, status, verdict: verdict(status ?? undefined, NOW) }, { workers }));

describe('a status, as a person reads it', () => {
  it('is a verdict, the pools with their reasons, the cost and what is left of the requests', () => {
    assert.deepEqual(told(stackStatus()), [
      'staging: All is well: 3 workers in 1 pool, 7 jobs wait.',
      '',
      'pool  waiting  oldest    workers  wanted  bounds  ready  busy  drifted  EUR/h',
      'ci          7    42 s          3       3    0–40      2  5/12        0  0.034',
      '                       1 booting',
      'ci: 7 jobs wait, 3 workers end them within 300 s',
      '',
      'Cost: EUR 0.03 of 1.00 an hour, EUR 12.40 of 200.00 this month, gross',
      'Hetzner requests: 3421 of 3600 left, full again in 3 min',
    ]);
  });

  it('has each worker where it is asked for', () => {
    const workers = [
      workerStatus('ci-0001', { busy: 3 }),
      workerStatus('ci-0002', {
        drifted: true,
        drain: { cause: 'operator', reason: 'disk errors that were seen twice', since: NOW },
      }),
      workerStatus('ci-0003', { status: 'booting', seenAt: undefined, address: undefined }),
      workerStatus('ci-0004', {
        status: 'booting',
        failedStep: '13-packages',
        seenAt: undefined,
        address: undefined,
      }),
    ];
    assert.deepEqual(told(stackStatus({ pools: { ci: poolStatus({ workers }) } }), true).slice(-6), [
      'worker             state                         type  in    age     jobs  address     seen     EUR/h',
      'ci-0001            ready                         cx33  fsn1  30 min  3/4   100.64.0.7  4 s ago  0.011',
      'ci-0002 (drifted)  draining: disk errors that    cx33  fsn1  30 min  0/4   100.64.0.7  4 s ago  0.011',
      '                   were seen twice',
      'ci-0003            booting                       cx33  fsn1  30 min  0/4   –           not yet  0.011',
      'ci-0004            failed in step 13-packages    cx33  fsn1  30 min  0/4   –           not yet  0.011',
    ]);
  });

  for (const { what, status, line, text } of [
    {
      what: 'a stack that nobody has led yet',
      status: null,
      line: 0,
      text: 'No process has led this stack yet.',
    },
    {
      what: 'a queue that cannot be read',
      status: stackStatus({
        pools: { ci: poolStatus({ queue: { kind: 'http', readAt: NOW - 300, waiting: 4, error: 'gone' } }) },
      }),
      line: 3,
      text: 'ci    4, 5 min ago       –          3       3    0–40      2  5/12        0  0.034',
    },
    {
      what: 'a queue that was never read',
      status: stackStatus({ pools: { ci: poolStatus({ queue: { kind: 'http', error: 'gone' } }) } }),
      line: 3,
      text: 'ci    never read       –          3       3    0–40      2  5/12        0  0.034',
    },
    {
      what: 'a pool without a queue, held at a size',
      status: stackStatus({
        pools: {
          web: poolStatus({ queue: undefined, order: { size: 3, by: 'anna', until: NOW + 60 }, workers: [] }),
        },
      }),
      line: 3,
      text: 'web   no queue       –        0  3 (held)    0–40      0   0/0        0  0.034',
    },
    {
      what: 'a pause',
      status: stackStatus({ paused: { by: 'anna', since: NOW - 60, reason: 'maintenance' } }),
      line: 0,
      text: 'staging: Paused by anna: maintenance',
    },
    {
      what: 'an alarm',
      status: stackStatus({
        alarms: [
          {
            code: 'queue-unreadable',
            pool: 'ci',
            severity: 'critical',
            message: 'the queue cannot be read',
            next: 'look at its server',
            since: NOW - 7200,
          },
        ],
      }),
      line: 1,
      text: '✗ pool ci: the queue cannot be read (for 2 h)',
    },
    {
      what: 'something that is about to end',
      status: stackStatus({
        deprecations: [{ what: 'server type cx33 in fsn1', until: '2027-01-31T00:00:00.000Z' }],
      }),
      line: 9,
      text: 'server type cx33 in fsn1 is deprecated and ends 2027-01-31',
    },
  ] satisfies { what: string; status: StackStatus | null; line: number; text: string }[]) {
    it(`tells of ${what}`, () => assert.equal(told(status)[line], text));
  }

  it('says what to do about an alarm', () => {
    const alarms = [
      { code: 'x', severity: 'warning' as const, message: 'it is', next: 'do that', since: NOW - 45 },
    ];
    assert.deepEqual(told(stackStatus({ alarms })).slice(1, 3), ['! it is (for 45 s)', '  → do that']);
  });
});

describe('durations', () => {
  for (const [seconds, text] of [
    [0, '0 s'],
    [119, '119 s'],
    [120, '2 min'],
    [7199, '120 min'],
    [7200, '2 h'],
    [12_600, '3.5 h'],
    [172_800, '2 d'],
    [216_000, '2.5 d'],
  ] as const) {
    it(`are short: ${seconds} s is ${text}`, () => assert.equal(shortDuration(seconds), text));
  }

  for (const [text, seconds] of [
    ['90s', 90],
    ['15m', 900],
    ['8h', 28_800],
    ['2d', 172_800],
  ] as const) {
    it(`are read: ${text} is ${seconds} s`, () => assert.equal(parseDuration(text), seconds));
  }

  for (const text of ['', '0m', '5', 'h', '1.5h', '-1h', '1w', '1h30m', '123456s']) {
    it(`are refused: "${text}"`, () => assert.throws(() => parseDuration(text), /must be a duration/));
  }
});

describe('an explanation, as a person reads it', () => {
  const entries = [
    {
      id: 2,
      at: NOW,
      environment: 'staging',
      actor: 'anna',
      kind: 'command',
      summary: 'resumed',
      detail: {},
    },
    {
      id: 1,
      at: NOW - 60,
      environment: 'staging',
      pool: 'ci',
      actor: 'scaler',
      kind: 'decision',
      summary: 'hold',
      detail: { waiting: 0 },
    },
  ];

  it('is in the order of time, with who did it', () => {
    assert.deepEqual(plain(explainText(entries, { inputs: false })), [
      '2026-09-21 14:12:20 decision ci hold (scaler)',
      '2026-09-21 14:13:20 command resumed (anna)',
    ]);
  });

  it('has what each went by where it is asked for', () => {
    assert.deepEqual(plain(explainText(entries.slice(1), { inputs: true })), [
      '2026-09-21 14:12:20 decision ci hold (scaler)',
      '    {',
      '      "waiting": 0',
      '    }',
    ]);
  });

  it('says so where nothing is recorded', () => {
    assert.equal(explainText([], { inputs: false }), 'Nothing of that kind is recorded yet.');
  });
});

describe('a sweep’s plan, as a person reads it', () => {
  const nothing = { deletions: [], drains: [], devices: [], reasons: [] };

  it('is what goes, each with its reason once, and what stays', () => {
    const plan = {
      deletions: [{ id: 7, name: 'staging-ci-0001', worker: 'ci-0001', reason: 'no record knows it' }],
      drains: [{ worker: 'ci-0002', pool: 'ci', reason: 'its job ends first' }],
      devices: [{ id: 'n1', hostname: 'staging-ci-0003', reason: 'it has no server' }],
      reasons: ['no record knows it', 'staging-ci-0004 stays: it is 3 min old'],
    };
    assert.deepEqual(plain(sweepText('staging', { at: NOW - 30, plan }, NOW)), [
      'staging: the next sweep takes away (as it is since 30 s)',
      '✗ server staging-ci-0001 (7): no record knows it',
      '! drain of ci-0002: its job ends first',
      '✗ device staging-ci-0003: it has no server',
      '· staging-ci-0004 stays: it is 3 min old',
    ]);
  });

  it('is empty where nothing is left over', () => {
    assert.deepEqual(plain(sweepText('staging', { at: NOW - 30, plan: nothing }, NOW)), [
      'staging: nothing would be deleted (as it is since 30 s)',
    ]);
  });

  it('says so where none was made yet', () => {
    assert.match(sweepText('staging', { at: null, plan: null }, NOW), /no sweep was planned yet/);
  });
});

describe('devices, as a person reads them', () => {
  const device = {
    id: 'n1',
    name: 'staging-ci-0001.example.ts.net',
    hostname: 'staging-ci-0001',
    address: '100.64.0.7',
    os: 'linux',
    online: true,
    lastSeen: NOW,
  };

  it('are a table', () => {
    const gone = { ...device, hostname: 'staging-ci-0002', online: false, lastSeen: NOW - 900 };
    assert.deepEqual(plain(devicesText([device, gone], 2, NOW)), [
      'host name        state    seen        address     OS     name',
      'staging-ci-0001  online   now         100.64.0.7  linux  staging-ci-0001.example.ts.net',
      'staging-ci-0002  offline  15 min ago  100.64.0.7  linux  staging-ci-0001.example.ts.net',
    ]);
  });

  it('are told to be none, or none of that kind', () => {
    assert.equal(devicesText([], 0, NOW), 'The stack has no device on the tailnet.');
    assert.equal(devicesText([], 3, NOW), 'None of the stack’s 3 devices is like that.');
  });
});

describe('a doctor’s findings, as a person reads them', () => {
  it('are a list by subject, with what to do, and a sum', () => {
    const sections = [
      { title: 'Stack', findings: [{ check: 'lock', level: 'ok' as const, seen: 'free' }] },
      { title: 'Nothing', findings: [] },
      {
        title: 'Hetzner',
        findings: [
          { check: 'token', level: 'failed' as const, seen: 'refused', next: 'make a new one' },
          { check: 'requests', level: 'warning' as const, seen: '3 of 3600 an hour left', next: 'wait' },
          { check: 'limit', level: 'note' as const, seen: 'not told' },
        ],
      },
    ];
    assert.deepEqual(plain(doctorText('staging', sections)), [
      'Stack',
      '  ✓ lock      free',
      '',
      'Hetzner',
      '  ✗ token     refused',
      '              → make a new one',
      '  ! requests  3 of 3600 an hour left',
      '              → wait',
      '  · limit     not told',
      '',
      'staging: 1 fault and 1 warning.',
    ]);
  });

  it('keep to the width of the terminal', () => {
    const finding = {
      check: 'token',
      level: 'failed' as const,
      seen: 'one two three four',
      next: 'five six seven',
    };
    assert.deepEqual(plain(doctorText('staging', [{ title: 'Hetzner', findings: [finding] }], 24)), [
      'Hetzner',
      '  ✗ token  one two three',
      '           four',
      '           → five six',
      '             seven',
      '',
      'staging: 1 fault.',
    ]);
  });

  for (const [levels, sum] of [
    [['ok', 'note'], 'staging: all is well.'],
    [['ok', 'warning'], 'staging: works, with 1 warning.'],
    [['failed', 'failed', 'warning', 'warning'], 'staging: 2 faults and 2 warnings.'],
  ] as const) {
    it(`sum up ${levels.join(', ')}`, () => {
      const findings = levels.map((level) => ({ check: 'x', level, seen: 'y' }));
      assert.equal(plain(doctorText('staging', [{ title: 'All', findings }])).at(-1), sum);
    });
  }
});
