import assert from 'node:assert/strict';
import { keda, leaseSlo, policies } from '../../../simulation/peers';
import { simulate } from '../../../simulation/simulator';
import { DEFAULT_SCENARIO, type Outcome, type SimulatedPolicy } from '../../../simulation/types';

const batch = { jobs: Array.from({ length: 12 }, () => ({ arrival: 1, service: 600 })), horizon: 4 * 3600 };
const play = (policy: SimulatedPolicy | undefined, change = {}): Outcome => {
  assert.ok(policy);
  return simulate(batch, policy, { ...DEFAULT_SCENARIO, boot: { min: 120, max: 120 }, ...change });
};
const lifetimes = ({ servers }: Outcome): number[] =>
  servers.map(({ created, deleted }) => deleted - created);

describe('peers in the simulator', () => {
  it('are known by the names of the command', () => {
    assert.deepEqual(Object.keys(policies).sort(), [
      'arc',
      'aws',
      'buildkite',
      'cluster-autoscaler',
      'depth-5',
      'drone',
      'gitlab',
      'jenkins',
      'keda',
      'lease-slo',
      'woodpecker',
      'woodpecker-booting',
    ]);
  });

  for (const name of Object.keys(policies))
    it(`${name}: deletes no server that runs a job and ends the batch`, () => {
      const outcome = play(policies[name]);
      assert.equal(outcome.busyDeletes, 0);
      assert.equal(outcome.unfinished, 0);
      assert.ok(outcome.launches >= 1);
    });

  for (const [name, launches] of [
    ['arc', 12],
    ['buildkite', 12],
    ['cluster-autoscaler', 12],
    ['drone', 12],
    ['gitlab', 12],
    ['jenkins', 12],
    ['woodpecker-booting', 12],
    ['keda', 1],
  ] as const)
    it(`${name}: launches ${launches} for a batch of 12`, () =>
      assert.equal(play(policies[name]).launches, launches));

  it('woodpecker orders again what boots: more servers than jobs', () => {
    assert.ok(play(policies['woodpecker']).launches > 12);
  });

  for (const [name, from, to] of [
    ['woodpecker-booting', 3420, 3600],
    ['jenkins', 3300, 3600],
    ['drone', 3300, 3360],
    ['cluster-autoscaler', 1320, 1340],
    ['gitlab', 1920, 1940],
    ['arc', 720, 740],
  ] as const)
    it(`${name}: lets go of a server ${from} to ${to} s old`, () => {
      for (const lifetime of lifetimes(play(policies[name])))
        assert.ok(lifetime >= from && lifetime <= to, `${lifetime} s`);
    });

  it('KEDA with the service’s release keeps idle servers until their hour ends', () => {
    const outcome = play(keda({ name: 'keda-3', target: 3, releaseAtHourEnd: true }));
    assert.equal(outcome.launches, 4);
    for (const lifetime of lifetimes(outcome)) assert.ok(lifetime % 3600 >= 3555, `${lifetime} s`);
  });

  it('LEASE-SLO starts the batch in time with fewer servers than jobs where they are short', () => {
    const jobs = batch.jobs.map((job) => ({ ...job, service: 40 }));
    const outcome = simulate({ ...batch, jobs }, leaseSlo(), {
      ...DEFAULT_SCENARIO,
      boot: { min: 90, max: 90 },
    });
    assert.equal(outcome.lateShare, 0);
    assert.ok(outcome.launches < 12);
    for (const lifetime of lifetimes(outcome)) assert.ok(lifetime % 3600 >= 3555, `${lifetime} s`);
  });
});
