/**
 * The value that this share of the measurements does not exceed (nearest rank).
 *
 * @param share from 0 to 1
 * @throws RangeError when nothing was measured
 */
export function percentile(values: readonly number[], share: number): number {
  if (values.length === 0) throw new RangeError('nothing was measured');
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.max(0, Math.ceil(share * sorted.length) - 1)]!;
}
