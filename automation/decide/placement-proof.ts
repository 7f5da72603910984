import type { Placement } from '../../components/model/config-schema';
import type { PoolFacts, PoolMemory } from './stack-types';

const keyOf = ({ serverType, location }: Placement): string => `${serverType}/${location}`;

/** When launches last succeeded, by placement. One that was sold out since has to prove itself again. */
export function rememberProof(
  proven: PoolMemory['proven'],
  { launched, failures }: Pick<PoolFacts, 'launched' | 'failures'>,
  now: number,
): PoolMemory['proven'] {
  const soldOut = failures.filter(({ kind }) => kind === 'sold-out').map(({ placement }) => keyOf(placement));
  return Object.fromEntries([
    ...Object.entries(proven).filter(([key]) => !soldOut.includes(key)),
    ...launched
      .map(keyOf)
      .filter((key) => !soldOut.includes(key))
      .map((key) => [key, now] as const),
  ]);
}

/** Launches that this placement is trusted with: one finds out first where none succeeded lately. */
export function provenAllowance(
  proven: PoolMemory['proven'],
  placement: Placement,
  now: number,
  proofLife: number,
): number {
  return now - (proven[keyOf(placement)] ?? -Infinity) <= proofLife ? Infinity : 1;
}
