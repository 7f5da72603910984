/**
 * The least value that a share `q` of the values does not exceed.
 * @throws RangeError when there is none
 */
export function quantile(values: readonly number[], q: number): number {
  const sorted = Float64Array.from(values).sort();
  const value = sorted[Math.max(0, Math.ceil(q * sorted.length) - 1)];
  if (value === undefined) throw new RangeError('there are no values');
  return value;
}

export function mean(values: readonly number[]): number {
  if (values.length === 0) throw new RangeError('there are no values');
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}

/** The mean for ratios: twice as dear and half as dear cancel out. */
export function geometricMean(values: readonly number[]): number {
  return Math.exp(mean(values.map(Math.log)));
}
