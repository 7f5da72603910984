/**
 * Draw number `index` of stream `stream`, in [0, 1): a hash, not a sequence, so that the n-th launch of every policy
 * meets the same fate (common random numbers). Integer arithmetic only: the same on every machine.
 * The mixing is MurmurHash3's 32-bit finaliser (Austin Appleby, public domain), once for each word.
 */
export function draw(seed: number, stream: number, index: number): number {
  return mix(mix(mix(seed >>> 0) ^ Math.imul(stream + 1, 0x9e3779b9)) ^ (index >>> 0)) / 4294967296;
}

function mix(word: number): number {
  let mixed = (word + 0x6d2b79f5) >>> 0;
  mixed = Math.imul(mixed ^ (mixed >>> 16), 0x85ebca6b);
  mixed = Math.imul(mixed ^ (mixed >>> 13), 0xc2b2ae35);
  return (mixed ^ (mixed >>> 16)) >>> 0;
}
