/** A job to come or waiting: when it can start at the earliest, and by when it should. */
export interface Claim {
  readonly arrival: number;
  readonly deadline: number;
}

/**
 * Whether every claim, first in first out, starts by its deadline on slots that become free at these times, if each
 * job takes `service` seconds. `fresh` further slots come free at `freshAt`.
 */
export function allInTime(
  claims: readonly Claim[],
  freeAt: readonly number[],
  service: number,
  fresh = 0,
  freshAt = 0,
): boolean {
  if (claims.length === 0) return true;
  const slots = heapOf(freeAt, fresh, freshAt);
  for (const { arrival, deadline } of claims) {
    const start = Math.max(arrival, slots[0] ?? Infinity);
    if (start > deadline) return false;
    slots[0] = start + service;
    sink(slots, 0);
  }
  return true;
}

/** The least number of new workers with which every claim starts in time; `most` where even that is too few. */
export function leastWorkers(most: number, enough: (workers: number) => boolean): number {
  if (most <= 0 || enough(0)) return 0;
  let [tooFew, sufficient] = [0, most];
  while (sufficient - tooFew > 1) {
    const middle = (tooFew + sufficient) >> 1;
    if (enough(middle)) sufficient = middle;
    else tooFew = middle;
  }
  return sufficient;
}

function heapOf(freeAt: readonly number[], fresh: number, freshAt: number): Float64Array {
  const slots = new Float64Array(freeAt.length + fresh);
  slots.set(freeAt);
  slots.fill(freshAt, freeAt.length);
  // A sorted array is a heap.
  return slots.sort();
}

function sink(heap: Float64Array, from: number): void {
  const moving = heap[from] ?? 0;
  let at = from;
  for (;;) {
    let child = 2 * at + 1;
    if (child >= heap.length) break;
    if (child + 1 < heap.length && (heap[child + 1] ?? 0) < (heap[child] ?? 0)) child += 1;
    if ((heap[child] ?? 0) >= moving) break;
    heap[at] = heap[child] ?? 0;
    at = child;
  }
  heap[at] = moving;
}
