import { randomStream } from '../traces/random';
import { quantile } from './quantile';

/** A figure, and the ends between which 95 % of the resamples have it. */
export interface Interval {
  readonly value: number;
  readonly low: number;
  readonly high: number;
}

/**
 * Ratio of the sums of two figures that were measured on the same traces, by the paired bootstrap: pairs are drawn with
 * replacement, so that what a trace does to both cancels out. Seeded: the same pairs give the same interval.
 * @throws RangeError when there is no pair
 */
export function pairedRatio(
  pairs: readonly { readonly ours: number; readonly theirs: number }[],
  resamples = 10_000,
): Interval {
  const random = randomStream(1, 'bootstrap');
  const draw = (): { readonly ours: number; readonly theirs: number } =>
    pairs[Math.floor(random() * pairs.length)]!;
  const ratios = Array.from({ length: resamples }, () => ratioOfSums(pairs.map(draw)));
  return { value: ratioOfSums(pairs), low: quantile(ratios, 0.025), high: quantile(ratios, 0.975) };
}

function ratioOfSums(pairs: readonly { readonly ours: number; readonly theirs: number }[]): number {
  if (pairs.length === 0) throw new RangeError('there are no pairs to compare');
  let [ours, theirs] = [0, 0];
  for (const pair of pairs) {
    ours += pair.ours;
    theirs += pair.theirs;
  }
  return ours / theirs;
}
