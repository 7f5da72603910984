/**
 * Holds the lock file at `path` while `work` runs. The lock of an owner that died is taken over.
 * `waiting(owner)` is called once when somebody else holds it.
 */
export function withLock<T>(
  path: string,
  waiting: (owner: { pid: number; host: string }) => void,
  work: () => Promise<T>,
): Promise<T>;
