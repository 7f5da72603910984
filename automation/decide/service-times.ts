/** Assumed while nothing has ended yet, seconds. */
const UNKNOWN_SERVICE = 60;
/** Fewer than this many longer jobs say little about what is left of a running one. */
const ENOUGH = 3;

/** What recent service times say about the jobs to come and about what is left of those that run. */
export class ServiceTimes {
  readonly #sorted: Float64Array;
  /** Sum of the values from each index on. */
  readonly #sums: Float64Array;

  constructor(samples: readonly number[]) {
    this.#sorted = Float64Array.from(samples).sort();
    this.#sums = new Float64Array(this.#sorted.length + 1);
    for (let at = this.#sorted.length - 1; at >= 0; at -= 1)
      this.#sums[at] = (this.#sums[at + 1] ?? 0) + (this.#sorted[at] ?? 0);
  }

  get mean(): number {
    const { length } = this.#sorted;
    return length < ENOUGH ? UNKNOWN_SERVICE : (this.#sums[0] ?? 0) / length;
  }

  quantile(q: number): number {
    const { length } = this.#sorted;
    return length < ENOUGH ? UNKNOWN_SERVICE : (this.#sorted[Math.ceil(q * length) - 1] ?? UNKNOWN_SERVICE);
  }

  /** Expected rest of a job that has run for `age` seconds: E[p - age | p > age] over the samples. */
  remaining(age: number): number {
    const longer = this.#firstAbove(age);
    const count = this.#sorted.length - longer;
    if (count < ENOUGH) return Math.max(UNKNOWN_SERVICE, age / 2);
    return (this.#sums[longer] ?? 0) / count - age;
  }

  #firstAbove(age: number): number {
    let [low, high] = [0, this.#sorted.length];
    while (low < high) {
      const middle = (low + high) >> 1;
      if ((this.#sorted[middle] ?? 0) > age) high = middle;
      else low = middle + 1;
    }
    return low;
  }
}
