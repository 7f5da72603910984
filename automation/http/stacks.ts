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
  readonly registrationSecret: string;
  readonly pools: ReadonlyMap<string, ServedPool>;
}

/** By environment. */
export type ServedStacks = () => ReadonlyMap<string, ServedStack>;
