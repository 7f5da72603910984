import { VendorError, type Caller } from '../../components/preflight/http';
import { SERVICES_PATIENCE } from '../../components/preflight/patience';
import type { ApiMeter } from './api-budget';

/** What the service's readers of one Hetzner project share. */
export interface HetznerAccess {
  readonly meter: ApiMeter;
  /** Seconds since 1970. */
  readonly now: () => number;
  /** Patience, signal and, in tests, the wait. */
  readonly caller?: Omit<Caller, 'onAnswer' | 'now'>;
}

/** Requests that are counted, and that follow the project's limit. */
export function meteredCaller({ meter, now, caller = {} }: HetznerAccess): Caller {
  return {
    patience: SERVICES_PATIENCE,
    ...caller,
    now: () => now() * 1000,
    onAnswer: (answer) => meter.observe(answer, now()),
  };
}

/** To be called before a list. @throws VendorError 429 where the project's limit leaves no room for it; nothing is sent */
export function claimRead({ meter, now }: HetznerAccess): void {
  if (!meter.mayRead(now())) throw outOfRequests(meter, now(), 'another list has to wait');
  meter.startRead(now());
}

/** To be called before what can wait. @throws VendorError 429 where only the reserve is left; nothing is sent */
export function claimSpare({ meter, now }: HetznerAccess): void {
  if (!meter.hasSpare(now())) throw outOfRequests(meter, now(), 'the catalogue has to wait');
}

/** To be called before a deletion. @throws VendorError 429 while the vendor takes no requests; nothing is sent */
export function claimDelete({ meter, now }: HetznerAccess): void {
  if (!meter.mayDelete(now())) throw outOfRequests(meter, now(), 'the deletion has to wait');
}

function outOfRequests(meter: ApiMeter, now: number, consequence: string): VendorError {
  const { limit, remaining } = meter.allowance(now) ?? { limit: 0, remaining: 0 };
  const held = meter.heldUntil > now;
  const until = held ? ` until ${new Date(meter.heldUntil * 1000).toISOString()}` : '';
  return new VendorError(
    'Hetzner',
    429,
    `the project has ${remaining} of ${limit} requests an hour left; ${consequence}${until}`,
    held ? meter.heldUntil * 1000 : undefined,
  );
}
