/**
 * How often Hetzner is asked. All in all an idle hour with up to 50 workers takes 48 lists (3600 / 75, one page each) and the
 * catalogue once (types, locations, images, prices: 5 pages), which is 53 of the 3600 requests that a project may send; with 100 workers
 * it is 101. Seconds.
 */
export const CADENCE = {
  /** Nothing is going on. Finds a server that somebody deleted by hand within two lists. */
  idleList: 75,
  /** Workers boot or leave, or something looked wrong in the last list and wants a second look. */
  movingList: 25,
  idleCatalogue: 3600,
  /** What a launch decision may be based on. */
  freshCatalogue: 60,
} as const;

/** What is going on with the servers. */
export interface Activity {
  /** Launched, not ready yet. */
  readonly booting: number;
  /** Taken out of the membership or about to be. */
  readonly leaving: number;
  /** Gone from the last list though members, or in it though not. */
  readonly suspects: number;
}

/** When the servers are to be listed next; at once where they never were. */
export function nextListAt(lastListAt: number | undefined, activity: Activity): number {
  if (lastListAt === undefined) return -Infinity;
  const { booting, leaving, suspects } = activity;
  return lastListAt + (booting + leaving + suspects > 0 ? CADENCE.movingList : CADENCE.idleList);
}

/**
 * How old the catalogue may be now. What is sold out matters only to somebody who is about to launch and has a choice.
 * @param choices placements among which the launches of this tick can choose; 0 where nothing is about to be launched
 */
export function catalogueMaxAge(choices: number): number {
  return choices > 1 ? CADENCE.freshCatalogue : CADENCE.idleCatalogue;
}
