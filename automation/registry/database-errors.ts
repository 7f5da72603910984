/** Why the registry cannot be used. The message is for the operator and holds no password. */
export class RegistryError extends Error {
  override name = 'RegistryError';

  constructor(
    message: string,
    /** SQLSTATE, or Node's code of a socket's error, where there is one. */
    readonly code?: string,
  ) {
    super(message);
  }
}

const UNREACHABLE = new Set([
  'ECONNREFUSED',
  'ECONNRESET',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'ENOENT',
  'ENOTFOUND',
  'EAI_AGAIN',
  'EPIPE',
  'ETIMEDOUT',
]);

/** By SQLSTATE, or by its class of two characters (postgresql.org/docs, appendix A). */
const ADVICE: Readonly<Record<string, string>> = {
  '28': 'check user, password and what pg_hba.conf allows',
  '3D': 'create the database, or name another one',
  '42501': 'grant this user CREATE on the database, and all rights on the schema worker_pools',
  '53300': 'the server has no connection left: raise max_connections, or end other clients',
  '57014': 'a statement took longer than it may: look for long locks and for a disk that is slow',
  '53': 'the server is short of something: look into its log',
  '57': 'the server is stopping or starting: wait, or look into its log',
  '25006': 'this server takes no writes: name the primary',
};

/**
 * Puts what `pg` throws into words.
 * @param where the database as people know it, without a password
 */
export function explain(error: unknown, where: string): RegistryError {
  if (error instanceof RegistryError) return error;
  const cause = error instanceof AggregateError ? (error.errors[0] as unknown) : error;
  const message = cause instanceof Error ? cause.message : 'no reason given';
  const code = codeOf(cause);
  // Without a code it is pg's own: a connection that ended, or a time limit.
  if (code === undefined || UNREACHABLE.has(code)) {
    return new RegistryError(
      `${where} does not answer (${message}): check that it runs and can be reached from here`,
      code,
    );
  }
  const advice = ADVICE[code] ?? ADVICE[code.slice(0, 2)] ?? 'this is not expected: look into its log';
  return new RegistryError(`${where} refused (${message}, ${code}): ${advice}`, code);
}

function codeOf(error: unknown): string | undefined {
  if (!(error instanceof Error) || !('code' in error)) return undefined;
  return typeof error.code === 'string' ? error.code : undefined;
}
