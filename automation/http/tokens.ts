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

/** Whether the token is this worker's. One HMAC a call, about 7 µs: not worth a cache that has to be bounded. */
export function isWorkerToken(given: string, registrationSecret: string, worker: WorkerKey): boolean {
  return sameToken(given, workerToken(registrationSecret, { ...worker, id: worker.worker }));
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
