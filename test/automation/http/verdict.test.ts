import assert from 'node:assert/strict';
import { withStatus, type HistoryPoint } from '../../../automation/http/history';
import { roundCheck } from '../../../automation/http/readiness';
import { verdict } from '../../../automation/http/verdict';
import type { StackStatus } from '../../../automation/status';
import { NOW, poolStatus, stackStatus, workerStatus } from './status';

describe('the verdict on a stack', () => {
  const alarm = (severity: 'warning' | 'critical', message: string) => ({
    code: 'x',
    severity,
    message,
    next: 'y',
    since: NOW,
  });
  const paused = { by: 'ada', since: NOW, reason: 'migration' };
  const rows: { name: string; status: StackStatus | undefined; level: string; text: string }[] = [
    {
      name: 'none published',
      status: undefined,
      level: 'warning',
      text: 'No process has led this stack yet.',
    },
    {
      name: 'all well',
      status: stackStatus(),
      level: 'ok',
      text: 'All is well: 3 workers in 1 pool, 7 jobs wait.',
    },
    {
      name: 'one of each',
      status: stackStatus({
        pools: {
          ci: poolStatus({ workers: [workerStatus('ci-0001')], queue: { kind: 'slots', waiting: 1 } }),
        },
      }),
      level: 'ok',
      text: 'All is well: 1 worker in 1 pool, 1 job waits.',
    },
    {
      name: 'nothing to do',
      status: stackStatus({
        pools: {
          a: poolStatus({ workers: [], queue: undefined }),
          b: poolStatus({ workers: [], queue: undefined }),
        },
      }),
      level: 'ok',
      text: 'All is well: 0 workers in 2 pools, nothing waits.',
    },
    {
      name: 'silence of the leader above all',
      status: stackStatus({ at: NOW - 901, alarms: [alarm('critical', 'budget spent')] }),
      level: 'critical',
      text: 'Nothing heard from pools-1 (4711) for 15 min: is the service running?',
    },
    {
      name: 'a critical alarm before a pause',
      status: stackStatus({ paused, alarms: [alarm('warning', 'slow'), alarm('critical', 'budget spent')] }),
      level: 'critical',
      text: '1 critical alarm: budget spent',
    },
    {
      name: 'a pause before warnings',
      status: stackStatus({ paused, alarms: [alarm('warning', 'slow')] }),
      level: 'warning',
      text: 'Paused by ada: migration',
    },
    {
      name: 'switched off',
      status: stackStatus({ enabled: false }),
      level: 'warning',
      text: 'Autoscaling is switched off: it watches and changes nothing.',
    },
    {
      name: 'a dry run',
      status: stackStatus({ dryRun: true }),
      level: 'warning',
      text: 'Dry run: it decides and changes nothing.',
    },
    {
      name: 'warnings',
      status: stackStatus({ alarms: [alarm('warning', 'slow'), alarm('warning', 'old')] }),
      level: 'warning',
      text: '2 alarms: slow',
    },
  ];
  for (const { name, status, level, text } of rows)
    it(`tells ${name}`, () => assert.deepEqual(verdict(status, NOW), { level, text }));
});

describe('the history of a pool', () => {
  const at = (time: number, changes = {}): StackStatus =>
    stackStatus({ at: time, pools: { ci: poolStatus(changes) } });
  const after = (...statuses: StackStatus[]): Record<string, readonly HistoryPoint[]> =>
    statuses.reduce((history, status) => withStatus(history, status), {});

  it('has a point every 15 seconds at most', () => {
    const history = after(at(NOW), at(NOW + 14), at(NOW + 15), at(NOW + 15));
    assert.deepEqual(
      history['ci']?.map((point) => point.at),
      [NOW, NOW + 15],
    );
  });

  it('goes back an hour', () => {
    const history = after(...Array.from({ length: 500 }, (_, index) => at(NOW + index * 15)));
    assert.equal(history['ci']?.length, 240);
    assert.equal(history['ci']?.at(-1)?.at, NOW + 499 * 15);
  });

  it('has a gap where the queue could not be read', () => {
    const queue = { kind: 'postgres', waiting: 7, error: 'no connection' };
    assert.deepEqual(after(at(NOW, { queue }))['ci'], [{ at: NOW, workers: 3, desired: 3 }]);
  });

  it('forgets pools that are gone', () => {
    assert.deepEqual(after(at(NOW), stackStatus({ at: NOW + 15, pools: {} })), {});
  });
});

describe('the check of a stack’s rounds', () => {
  const name = 'rounds of staging';
  const rows = [
    { lastRound: undefined, problem: 'the first round has not ended yet; wait, or see the log' },
    { lastRound: NOW - 60, problem: undefined },
    { lastRound: NOW - 61, problem: 'the last round ended 61 s ago, 60 s are allowed; see the log' },
  ];
  for (const { lastRound, problem } of rows)
    it(`says: ${problem ?? 'nothing'}`, () =>
      assert.deepEqual(
        roundCheck('staging', { lastRound, now: NOW, patience: 60 }),
        problem === undefined ? { name } : { name, problem },
      ));
});
