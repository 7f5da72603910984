import assert from 'node:assert/strict';
import { standingTrouble } from '../../automation/trouble';
import type { UpdateState } from '../../automation/term';

const NOW = 1_800_000_000;
const WELL: UpdateState = { attempts: 0, notBefore: 0 };
const minutesAgo = (minutes: number): number => NOW - minutes * 60;

describe('what is in the way of a stack', () => {
  const cases: { when: string; fault?: string; update?: Partial<UpdateState>; told: string[] }[] = [
    { when: 'nothing is', told: [] },
    {
      when: 'its file is wrong',
      fault: 'pools.ci.slots must be a number',
      told: [
        "config-wrong: the stack's file is wrong, and the one before it is used: pools.ci.slots must be a number",
      ],
    },
    { when: 'an update runs', update: { runningSince: minutesAgo(19.9) }, told: [] },
    {
      when: 'an update comes to no end',
      update: { runningSince: minutesAgo(20) },
      told: ['update-long: an update has run for 20 minutes; nothing is launched or removed before it ends'],
    },
    {
      when: 'four updates came to nothing',
      update: { attempts: 4, lastOutcome: 'failed', lastProblem: 'no such token' },
      told: [],
    },
    {
      when: 'five updates came to nothing',
      update: { attempts: 5, lastOutcome: 'failed', lastProblem: 'no such token' },
      told: ['updates-fail: 5 updates in a row came to nothing: no such token'],
    },
    {
      when: 'somebody else holds it for five tries',
      update: { attempts: 5, lastOutcome: 'busy', lastProblem: 'anna updates it' },
      told: ['stack-held: 5 updates in a row came to nothing: anna updates it'],
    },
  ];
  for (const { when, fault, update, told } of cases) {
    it(`is ${told.length === 0 ? 'nothing' : 'told'} when ${when}`, () => {
      const alarms = standingTrouble(fault, { ...WELL, ...update }, NOW);
      assert.deepEqual(
        alarms.map(({ code, message }) => `${code}: ${message}`),
        told,
      );
      for (const { next } of alarms) assert.ok(next.length > 0);
    });
  }
});
