import { PARAMETERS, type Parameters } from './parameters';

/** What is the same for every stack. Durations in seconds. */
export interface StackParameters {
  readonly policy: Parameters;
  /** A silent worker is given up after this; one that ran a job when it was last heard of, after the longer time. */
  readonly silence: { readonly idle: number; readonly busy: number };
  /** Whoever listens for less than this knows of nobody's silence: workers beat every ten seconds. */
  readonly listening: number;
  /** A heartbeat that says "idle" is relied upon for this long. */
  readonly beatLife: number;
  /** A placement in which a launch succeeded is relied upon for this long. */
  readonly proofLife: number;
}

export const STACK_PARAMETERS: StackParameters = {
  policy: PARAMETERS,
  silence: { idle: 300, busy: 900 },
  listening: 60,
  beatLife: 30,
  proofLife: 24 * 3600,
};
