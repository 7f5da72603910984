/**
 * Runs `declare` while stack traces read as empty. The SDK reads one, mapped to sources, for every promise and every
 * resource, and the resources' ones go into the state: for nothing that anybody looks at, they took two fifths of the
 * program's processor time and a fifth of the state (docs/performance.md). What is thrown keeps its trace, because
 * that is made up only when it is read.
 */
export function withoutStackTraces<T>(declare: () => T): T {
  const before = Object.getOwnPropertyDescriptor(Error, 'prepareStackTrace');
  Error.prepareStackTrace = () => '';
  try {
    return declare();
  } finally {
    if (before) Object.defineProperty(Error, 'prepareStackTrace', before);
    else delete (Error as Partial<ErrorConstructor>).prepareStackTrace;
  }
}
