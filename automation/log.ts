import pino, { type DestinationStream } from 'pino';
import type { Censor } from './censor';

export type LogLevel = 'debug' | 'info' | 'warn' | 'error' | 'silent';

/** What an event is about. Errors may stand anywhere in it, with their causes. */
export type LogFields = Readonly<Record<string, unknown>>;

/** One event, one line of JSON. `event` is a fixed name in kebab case, e.g. `update-finished`; what varies is a field. */
export interface Log {
  debug(event: string, fields?: LogFields): void;
  info(event: string, fields?: LogFields): void;
  warn(event: string, fields?: LogFields): void;
  error(event: string, fields?: LogFields): void;
}

/** Keys whose value is a secret whether or not it is known: blanked at the top and one level down. */
const SECRET_KEYS = [
  'authorization',
  'cookie',
  'token',
  'secret',
  'password',
  'passphrase',
  'registrationSecret',
  'previousRegistrationSecret',
];

/**
 * A log of lines like `{"level":"info","time":"2026-01-01T00:00:00.000Z","event":"update-finished",…}`.
 * Every line passes the censor as a whole on its way out, so no caller can forget it.
 *
 * @param destination where lines go, e.g. `process.stderr`
 */
export function createLog(destination: DestinationStream, level: LogLevel, censor: Censor): Log {
  const censored: DestinationStream = {
    write: (line) => destination.write(`${JSON.stringify(censor.json(JSON.parse(line)))}\n`),
  };
  const logger = pino(
    {
      base: null,
      level,
      timestamp: pino.stdTimeFunctions.isoTime,
      formatters: { level: (label) => ({ level: label }) },
      redact: {
        paths: SECRET_KEYS.flatMap((key) => [key, `*.${key}`]),
        censor: '[secret]',
      },
    },
    censored,
  );
  const write =
    (severity: 'debug' | 'info' | 'warn' | 'error') =>
    (event: string, fields: LogFields = {}): void => {
      if (logger.isLevelEnabled(severity)) logger[severity]({ event, ...(plain(fields) as LogFields) });
    };
  return { debug: write('debug'), info: write('info'), warn: write('warn'), error: write('error') };
}

/** Errors as data, wherever they stand: JSON alone would write `{}`. A circle is cut. */
function plain(value: unknown, around: readonly unknown[] = []): unknown {
  if (typeof value === 'bigint') return String(value);
  if (value === null || typeof value !== 'object') return value;
  if (around.includes(value)) return '[circular]';
  const inside = [...around, value];
  if (value instanceof Error) {
    const { name, message, stack, cause, ...rest } = value;
    const errors = value instanceof AggregateError ? { errors: plain(value.errors, inside) } : {};
    return {
      name,
      message,
      stack,
      ...(cause === undefined ? {} : { cause: plain(cause, inside) }),
      ...errors,
      ...(plain(rest, inside) as object),
    };
  }
  if (value instanceof Date) return value;
  if (value instanceof Map) return plain(Object.fromEntries(value), around);
  if (value instanceof Set) return plain([...value], around);
  if (Array.isArray(value)) return value.map((inner) => plain(inner, inside));
  return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, plain(inner, inside)]));
}
