/** Seeded randomness: the same seed draws the same boot times, addresses and tokens. */
export interface Random {
  /** A number in [0, 1). */
  next(): number;
  /** A number drawn evenly from [min, max). */
  between(min: number, max: number): number;
  /** `length` characters of the alphabet. */
  text(length: number, alphabet?: string): string;
  /** Where the sequence stands, for a snapshot; `moveTo(state())` changes nothing. */
  state(): number;
  moveTo(state: number): void;
}

const ALPHANUMERIC = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789';

/** Mulberry32 (Tommy Ettinger, public domain): 32 bits of state, enough for a simulation, never for real secrets. */
export function createRandom(seed: number): Random {
  let state = seed >>> 0;
  const next = (): number => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = state;
    mixed = Math.imul(mixed ^ (mixed >>> 15), mixed | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4294967296;
  };
  return {
    next,
    between: (min, max) => min + next() * (max - min),
    text: (length, alphabet = ALPHANUMERIC) =>
      Array.from({ length }, () => alphabet[Math.floor(next() * alphabet.length)]).join(''),
    state: () => state,
    moveTo: (at) => {
      state = at >>> 0;
    },
  };
}
