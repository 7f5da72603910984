/** One fault in what a person wrote, with all that is needed to put it right. */
export interface ConfigFault {
  /** Key path as written in the stack's file, e.g. `worker-pools:pools.ci.size.max`. */
  path: string;
  /** What is wrong and what would be right, in one sentence or two. */
  message: string;
}

/** A user's mistake: shown as its message alone, never with a stack trace. All faults are reported in one go. */
export class ConfigError extends Error {
  override name = 'ConfigError';

  /** @param heading what happened, as a sentence; by default, that the stack's configuration has faults */
  constructor(
    readonly faults: ConfigFault[],
    heading = `The stack configuration has ${counted(faults)}.`,
  ) {
    super(
      `${heading} Nothing was changed.\n${faults.map(({ path, message }) => `  • ${path}: ${message}`).join('\n')}`,
    );
  }
}

/** `1 fault`, `3 faults`. */
export function counted(faults: readonly ConfigFault[]): string {
  return faults.length === 1 ? '1 fault' : `${faults.length} faults`;
}
