/**
 * Assumed while little has ended, seconds. Short jobs end first, so the first samples make all look short: the
 * assumption weighs as much as five of them.
 */
const PRIOR = 180;
const PRIOR_WEIGHT = 5;
/** Least that a job is expected to run on for where nothing is known of longer ones, seconds. */
const UNKNOWN_REST = 60;
/** Fewer than this many longer jobs say little about what is left of a running one. */
const ENOUGH = 3;

/** What recent service times say about the jobs to come and about what is left of those that run. */
export class ServiceTimes {
  readonly #sorted: Float64Array;
  /** Sum of the values from each index on. */
  readonly #sums: Float64Array;

  constructor(samples: readonly number[]) {
    this.#sorted = new Float64Array(samples).sort();
    this.#sums = new Float64Array(this.#sorted.length + 1);
    for (let at = this.#sorted.length - 1; at >= 0; at -= 1)
      this.#sums[at] = (this.#sums[at + 1] ?? 0) + (this.#sorted[at] ?? 0);
  }

  get mean(): number {
    return ((this.#sums[0] ?? 0) + PRIOR_WEIGHT * PRIOR) / (this.#sorted.length + PRIOR_WEIGHT);
  }

  quantile(q: number): number {
    const { length } = this.#sorted;
    return length < ENOUGH ? PRIOR : (this.#sorted[Math.ceil(q * length) - 1] ?? PRIOR);
  }

  /** Expected rest of a job that has run for `age` seconds: E[p - age | p > age] over the samples. */
  remaining(age: number): number {
    const longer = this.#firstAbove(age);
    const count = this.#sorted.length - longer;
    if (count < ENOUGH) return Math.max(UNKNOWN_REST, age / 2);
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
