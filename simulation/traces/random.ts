/** A source of even draws from [0, 1). */
export type Random = () => number;

/**
 * A source of its own for each name, so that one more draw of, say, arrivals changes no service time.
 * Mulberry32, seeded by FNV-1a of the seed and the names: integer arithmetic only, hence the same everywhere.
 */
export function randomStream(seed: number, ...names: string[]): Random {
  let state = 0x811c9dc5;
  for (const character of [seed, ...names].join('/')) {
    state = Math.imul(state ^ character.codePointAt(0)!, 0x01000193);
  }
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

export function exponential(random: Random, mean: number): number {
  return -mean * Math.log(1 - random());
}

/** Box-Muller; one of the pair is thrown away, to keep one draw independent of how many came before. */
export function lognormal(random: Random, median: number, sigma: number): number {
  const radius = Math.sqrt(-2 * Math.log(1 - random()));
  return median * Math.exp(sigma * radius * Math.cos(2 * Math.PI * random()));
}

/** Pareto cut off at `max`; the smaller `alpha`, the more of the work is in few jobs. */
export function boundedPareto(random: Random, alpha: number, min: number, max: number): number {
  const cut = 1 - (min / max) ** alpha;
  return min / (1 - random() * cut) ** (1 / alpha);
}

/** Tries until the first success: 1, 2, 3, … */
export function geometric(random: Random, success: number): number {
  return 1 + Math.floor(Math.log(1 - random()) / Math.log(1 - success));
}
