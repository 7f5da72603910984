import assert from 'node:assert/strict';
import { targetRunners } from '../../../simulation/peers/arc';
import { acceptableBacklog, desiredCapacity } from '../../../simulation/peers/aws';
import { desiredInstances } from '../../../simulation/peers/buildkite';
import { nodesToAdd } from '../../../simulation/peers/cluster-autoscaler';
import { steps } from '../../../simulation/peers/depth';
import { serverDiff } from '../../../simulation/peers/drone';
import { instancesWanted } from '../../../simulation/peers/gitlab';
import { limitGrowth, recommend, Stabilization } from '../../../simulation/peers/horizontal-pod-autoscaler';
import { beforeHourWraps, excessAgents } from '../../../simulation/peers/jenkins';
import { agentDelta } from '../../../simulation/peers/woodpecker';

/** Rows of arguments and the answer that the peer's documentation or source gives. */
function golden<Args extends unknown[], Answer>(
  name: string,
  formula: (...args: Args) => Answer,
  rows: readonly (readonly [...Args, Answer])[],
): void {
  describe(name, () => {
    for (const row of rows) {
      const args = row.slice(0, -1) as Args;
      it(`(${args.map((arg) => JSON.stringify(arg)).join(', ')}) is ${JSON.stringify(row.at(-1))}`, () => {
        assert.deepEqual(formula(...args), row.at(-1));
      });
    }
  });
}

describe('peers’ formulas', () => {
  golden('HPA: metric, target, replicas', recommend, [
    [0, 20, 0, 0],
    [1, 20, 0, 1],
    [100, 20, 0, 5],
    [100, 20, 5, 5],
    // A tenth more or less is tolerated; beyond it is rounded up.
    [109, 20, 5, 5],
    // 1.1 - 1 is more than 0.1 in floating point, there as here.
    [110, 20, 5, 6],
    [90, 20, 5, 5],
    [89, 20, 5, 5],
    [79, 20, 5, 4],
    [0, 20, 5, 0],
  ]);
  golden('HPA: growth of the recommendation from so many replicas', limitGrowth, [
    [100, 0, 4],
    [100, 1, 5],
    [100, 4, 8],
    [100, 10, 20],
    [12, 10, 12],
    [3, 10, 3],
  ]);
  it('HPA keeps the greatest recommendation of the last 300 s', () => {
    const stabilization = new Stabilization();
    assert.equal(stabilization.apply(0, 8), 8);
    assert.equal(stabilization.apply(150, 3), 8);
    assert.equal(stabilization.apply(299, 2), 8);
    assert.equal(stabilization.apply(300, 2), 3);
    assert.equal(stabilization.apply(460, 1), 2);
  });
  golden('AWS: acceptable backlog per instance', acceptableBacklog, [
    [10, 0.1, 100],
    [300, 60, 5],
  ]);
  golden('AWS: capacity for a backlog', desiredCapacity, [
    [1500, 100, 15],
    [1501, 100, 16],
    [0, 100, 0],
  ]);
  golden('cluster-autoscaler: pending, upcoming nodes, slots', nodesToAdd, [
    [10, 0, 1, 10],
    [10, 10, 1, 0],
    [10, 12, 1, 0],
    [10, 1, 4, 2],
    [0, 0, 4, 0],
  ]);
  golden('Drone: pending, running, capacity, per server', serverDiff, [
    [0, 0, 0, 2, 0],
    [1, 0, 0, 2, 1],
    [5, 0, 0, 2, 3],
    [5, 2, 4, 2, 2],
    // Free capacity that is less than a server's is kept.
    [0, 1, 2, 2, 0],
    [0, 0, 2, 2, -1],
    [0, 1, 6, 2, -2],
    // More running than there is capacity leaves none free, and none owed.
    [0, 5, 4, 2, 0],
  ]);
  golden('Woodpecker: counts, bounds', agentDelta, [
    [{ free: 0, running: 0, pending: 3, pool: 0 }, { perAgent: 2, min: 0, max: 10 }, 2],
    [{ free: 0, running: 0, pending: 3, pool: 2 }, { perAgent: 2, min: 0, max: 10 }, 2],
    [{ free: 4, running: 0, pending: 3, pool: 2 }, { perAgent: 2, min: 0, max: 10 }, 0],
    [{ free: 4, running: 0, pending: 0, pool: 2 }, { perAgent: 2, min: 1, max: 10 }, -1],
    [{ free: 0, running: 0, pending: 50, pool: 8 }, { perAgent: 2, min: 1, max: 10 }, 2],
  ]);
  golden('GitLab: in use, idle, per instance', instancesWanted, [
    [0, 0, 4, 0],
    [5, 0, 4, 2],
    [5, 4, 4, 3],
  ]);
  golden('ARC: least, assigned, most', targetRunners, [
    [0, 7, 100, 7],
    [2, 7, 100, 9],
    [2, 7, 5, 5],
  ]);
  golden('Buildkite: scheduled, running, agents per instance', desiredInstances, [
    [0, 0, 1, 0],
    [10, 5, 1, 15],
    [10, 5, 4, 4],
  ]);
  golden('Jenkins: age in seconds', beforeHourWraps, [
    [3299, false],
    [3300, true],
    [3599, true],
    [3600, false],
    [6900, true],
  ]);
  golden('Jenkins: queued, planned agents, slots', excessAgents, [
    [3, 0, 1, 3],
    [3, 2, 1, 1],
    [3, 1, 4, 0],
    [9, 1, 4, 2],
  ]);
  golden('depth ≥ 5: one more', steps, [
    [0, 0],
    [4, 0],
    [5, 1],
    [500, 1],
  ]);
});
