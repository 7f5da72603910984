import { createHash, createHmac, timingSafeEqual } from 'node:crypto';
import { workerToken } from '../../components/model/worker-machine';
import type { WorkerKey } from '../registry/types';

/** What callers of one pool's slots prove themselves with: derived, so nothing is stored. */
export function slotToken(
  registrationSecret: string,
  { environment, pool }: { environment: string; pool: string },
): string {
  return createHmac('sha256', registrationSecret).update(`slots/${environment}/${pool}`).digest('hex');
}

/**
 * Whether the token is this worker's, by one of the secrets. An HMAC for each, about 7 µs: not worth a cache that has to
 * be bounded.
 */
export function isWorkerToken(
  given: string,
  registrationSecrets: readonly string[],
  worker: WorkerKey,
): boolean {
  return registrationSecrets.some((secret) =>
    sameToken(given, workerToken(secret, { ...worker, id: worker.worker })),
  );
}

/** Whether the token is that of this pool's callers, by one of the secrets. */
export function isSlotToken(
  given: string,
  registrationSecrets: readonly string[],
  pool: { environment: string; pool: string },
): boolean {
  return registrationSecrets.some((secret) => sameToken(given, slotToken(secret, pool)));
}

/** Compares in a time that tells neither content nor length. */
export function sameToken(given: string, expected: string): boolean {
  const digest = (text: string): Buffer => createHash('sha256').update(text).digest();
  return timingSafeEqual(digest(given), digest(expected));
}

/** The token of an `Authorization: Bearer …` header; undefined where there is none. */
export function bearerToken(authorization: string | undefined): string | undefined {
  return /^Bearer +([^\s]+) *$/i.exec(authorization ?? '')?.[1];
}
