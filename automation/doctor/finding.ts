import { setTimeout as delay } from 'node:timers/promises';

/** `note`: what cannot be known from here, or is simply good to know. */
export type Level = 'ok' | 'note' | 'warning' | 'failed';

/** What one check has seen. */
export interface Finding {
  /** What was looked at, e.g. `Hetzner token`. */
  readonly check: string;
  readonly level: Level;
  /** One sentence, without secrets. */
  readonly seen: string;
  /** What to do; present where something is to be done. */
  readonly next?: string;
}

/** Checks of one subject. */
export interface Section {
  readonly title: string;
  readonly findings: readonly Finding[];
}

export const ok = (check: string, seen: string): Finding => ({ check, level: 'ok', seen });
export const note = (check: string, seen: string): Finding => ({ check, level: 'note', seen });
export const warning = (check: string, seen: string, next: string): Finding => ({
  check,
  level: 'warning',
  seen,
  next,
});
export const failed = (check: string, seen: string, next: string): Finding => ({
  check,
  level: 'failed',
  seen,
  next,
});

/** Of a fault's message, which has what to do after its first semicolon. */
export function told(check: string, message: string, level: Level = 'failed'): Finding {
  const cut = message.indexOf('; ');
  if (cut === -1) return { check, level, seen: message };
  return { check, level, seen: message.slice(0, cut), next: message.slice(cut + 2) };
}

/** Real time that one check may take. */
export const PATIENCE_MS = 25_000;

/**
 * Findings of a check that ends in time and never throws: whatever happens is told.
 * @param patienceMs real time that it may take
 */
export async function bounded(
  check: string,
  look: (signal: AbortSignal) => Promise<readonly Finding[]>,
  patienceMs = PATIENCE_MS,
): Promise<readonly Finding[]> {
  const ended = new AbortController();
  const late = delay(patienceMs, undefined, { signal: ended.signal, ref: false }).then(
    () => [
      failed(check, `no answer within ${patienceMs / 1000} s`, 'look at the network between here and there'),
    ],
    () => [],
  );
  const looking = look(ended.signal).catch((error: unknown) => [
    failed(
      check,
      error instanceof Error ? error.message : String(error),
      'this is not expected: please report it',
    ),
  ]);
  try {
    return await Promise.race([looking, late]);
  } finally {
    ended.abort();
  }
}
