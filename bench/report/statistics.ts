/** Middle and ends of some measurements, all in the unit of the measurements. */
export interface Spread {
  median: number;
  min: number;
  max: number;
}

/** @throws RangeError when nothing was measured */
export function spread(values: readonly number[]): Spread {
  if (values.length === 0) throw new RangeError('nothing was measured');
  const sorted = [...values].sort((a, b) => a - b);
  const middle = Math.floor(sorted.length / 2);
  const upper = sorted[middle]!;
  return {
    median: sorted.length % 2 === 1 ? upper : (sorted[middle - 1]! + upper) / 2,
    min: sorted[0]!,
    max: sorted.at(-1)!,
  };
}

/** Growth of `y` for each `x` from the first point to the last: the cost of one more. */
export function slope(points: readonly { x: number; y: number }[]): number {
  const first = points[0];
  const last = points.at(-1);
  if (!first || !last || first.x === last.x) throw new RangeError('a slope takes two sizes');
  return (last.y - first.y) / (last.x - first.x);
}

/** `2.31 s`, and `2.31 s (2.1–2.9)` when there was more than one measurement. */
export function seconds(milliseconds: readonly number[]): string {
  const { median, min, max } = spread(milliseconds.map((value) => value / 1000));
  const ends = milliseconds.length > 1 ? ` (${min.toFixed(1)}–${max.toFixed(1)})` : '';
  return `${median.toFixed(2)} s${ends}`;
}
