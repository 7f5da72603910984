/** Seconds by which the start of one job may differ between two beats: ages are whole seconds, and messages take time. */
const TOLERANCE = 5;

/**
 * What became of a worker's jobs between two beats. Jobs are told apart by when they started. Where the beat does not say
 * so for each (no ages), only their number counts: one more began now, one less was the oldest. A job that began and
 * ended between two beats is not seen.
 * @param before since when each job ran after the last beat, oldest first
 * @returns `running`: since when each of the `busy` jobs runs, oldest first; `served`: seconds that each job ran that
 *   ended, up to one beat too long
 */
export function followJobs(
  before: readonly number[],
  beat: { readonly busy: number; readonly ages: readonly number[] },
  now: number,
): { running: number[]; served: number[] } {
  const { kept, ended, begun } =
    beat.ages.length === beat.busy
      ? match(before, beat.ages.map((age) => now - age).sort(ascending))
      : count(before, beat.busy, now);
  return {
    running: [...kept, ...begun].sort(ascending),
    served: ended.map((start) => Math.max(0, now - start)),
  };
}

interface Followed {
  kept: number[];
  ended: number[];
  begun: number[];
}

/** Pairs as many old and new starts as lie close enough; a job keeps the start that was noted first. Both are sorted. */
function match(before: readonly number[], starts: readonly number[]): Followed {
  const followed: Followed = { kept: [], ended: [], begun: [] };
  let next = 0;
  for (const start of before) {
    while (next < starts.length && starts[next]! < start - TOLERANCE) followed.begun.push(starts[next++]!);
    if (next < starts.length && starts[next]! <= start + TOLERANCE) {
      followed.kept.push(start);
      next += 1;
    } else {
      followed.ended.push(start);
    }
  }
  followed.begun.push(...starts.slice(next));
  return followed;
}

function count(before: readonly number[], busy: number, now: number): Followed {
  const ended = before.slice(0, Math.max(0, before.length - busy));
  return {
    kept: before.slice(ended.length),
    ended,
    begun: Array<number>(Math.max(0, busy - before.length)).fill(now),
  };
}

const ascending = (a: number, b: number) => a - b;
