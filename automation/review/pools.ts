import { userDataLimit } from '../../cloud-init';
import type { StackConfig } from '../../components/model/config-schema';
import { isDrifted } from '../../components/model/plan';
import type { UserDataSize } from '../../components/model/user-data';
import { PARAMETERS } from '../decide/parameters';
import type { Plan } from './plan';
import type { PoolReport } from './report';

/** Every pool of the file and of the record, in the file's order. */
export function poolReports(
  config: StackConfig,
  { before, after }: Plan,
  userData: readonly UserDataSize[],
): PoolReport[] {
  const names = new Set([...Object.keys(config.pools), ...Object.keys(before?.pools ?? {})]);
  return [...names].map((name) => {
    const pool = config.pools[name];
    const [was, is] = [before?.pools[name], after?.pools[name]];
    const bytes = userData.find((entry) => entry.pool === name)?.bytes;
    return {
      name,
      min: { before: was?.min ?? null, after: is?.min ?? null },
      max: { before: was?.max ?? null, after: is?.max ?? null },
      size: {
        before: before?.membership[name]?.members.length ?? null,
        after: is ? (after?.membership[name]?.members.length ?? 0) : null,
      },
      fixed: pool !== undefined && 'fixed' in pool.size,
      drift: driftOf(config, { before, after }, name),
      userData: bytes === undefined ? null : { bytes, limit: userDataLimit },
    };
  });
}

/** Whether the merge changes anything about a pool that is no resource: its bounds, or what its workers differ from. */
export function isChanged({ min, max, drift }: PoolReport): boolean {
  const moved = min.before !== min.after || max.before !== max.after;
  return moved || (drift !== null && drift.workers !== drift.already);
}

function driftOf(
  config: StackConfig,
  { before, after }: Pick<Plan, 'before' | 'after'>,
  name: string,
): PoolReport['drift'] {
  const pool = config.pools[name];
  const is = after?.pools[name];
  if (!pool || !is) return null;
  const was = before?.pools[name];
  const remaining = new Set(after.membership[name]?.members.map(({ id }) => id));
  const members = (before?.membership[name]?.members ?? []).filter(({ id }) => remaining.has(id));
  const drifted = members.filter((member) => isDrifted(member, pool, is));
  if (drifted.length === 0) return null;
  const already = drifted.filter(
    ({ configHash, configHashVersion }) =>
      was !== undefined && configHashVersion === was.configHashVersion && configHash !== was.configHash,
  );
  const { maxSurge, maxUnavailable } = pool.scaling.rollout;
  const step = Math.min(maxSurge + maxUnavailable, drifted.length);
  const rounds = Math.ceil(drifted.length / step);
  return {
    workers: drifted.length,
    already: already.length,
    step,
    minutes: Math.ceil((rounds * PARAMETERS.bootPrior) / 60),
  };
}
