/** A job of the demo. */
export interface Arrival {
  /** Seconds from the story's beginning. */
  readonly at: number;
  /** How long it runs. */
  readonly seconds: number;
}

/** A morning's pushes: shares of all jobs, the minute at which each burst begins, and the minutes that it lasts. */
const BURSTS = [
  { share: 0.3, minute: 1, minutes: 2 },
  { share: 0.2, minute: 10, minutes: 2 },
  { share: 0.5, minute: 19, minutes: 3 },
] as const;
/** Seconds. Short jobs are the many, as in any build queue. */
const SHORTEST = 20;
const LONGEST = 600;

/**
 * The jobs of a story, first come first. As many short as long ones by their order of magnitude (log-uniform).
 * @param random in [0, 1)
 */
export function tellStory(jobs: number, random: () => number): Arrival[] {
  const ends = BURSTS.map((_, index) =>
    BURSTS.slice(0, index + 1).reduce((sum, { share }) => sum + share, 0),
  );
  return Array.from({ length: jobs }, (_, index): Arrival => {
    const place = (index + 0.5) / jobs;
    const { minute, minutes } = BURSTS[ends.findIndex((end) => place < end)] ?? BURSTS.at(-1)!;
    return {
      at: Math.floor((minute + random() * minutes) * 60),
      seconds: Math.round(SHORTEST * (LONGEST / SHORTEST) ** random()),
    };
  }).sort((a, b) => a.at - b.at);
}
