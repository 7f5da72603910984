/** What the HTTP side knows of the stacks that this process serves. Asked anew at each request: files change. */

export interface ServedPool {
  /** Jobs that a new worker runs at once. */
  readonly slots: number;
  /** Kind of its queue; `slots` where callers ask this service itself. */
  readonly kind: string | undefined;
  readonly min: number;
  readonly max: number;
}

export interface ServedStack {
  /** What workers and callers of slots prove themselves with: today's, and the one before while it is exchanged. */
  readonly registrationSecrets: readonly string[];
  readonly pools: ReadonlyMap<string, ServedPool>;
}

/** For an environment that is not served: looking costs as much time as in one that is. */
export const NO_SECRETS: readonly string[] = [''];

/** By environment. */
export type ServedStacks = () => ReadonlyMap<string, ServedStack>;
