import type { Log } from '../log';
import { Refusal } from './refusal';

/** Wrong tokens from one address within a minute that are worth a line in the log. */
const SUSPICIOUS = 20;
const WINDOW = 60;
/** Addresses remembered at once; the memory starts anew beyond. */
const ADDRESSES = 1000;

/** Makes the refusal of a wrong token, and says so in the log when one address has many: once a minute. */
export type WrongToken = (address: string) => Refusal;

export function tokenWatch(now: () => number, log: Log): WrongToken {
  const seen = new Map<string, { since: number; count: number }>();
  return (address) => {
    const known = seen.get(address);
    const current = known && now() - known.since < WINDOW ? known : { since: now(), count: 0 };
    current.count += 1;
    if (seen.size >= ADDRESSES && !known) seen.clear();
    seen.set(address, current);
    if (current.count === SUSPICIOUS)
      log.warn('wrong-tokens', { address, count: current.count, seconds: WINDOW });
    return new Refusal(
      401,
      'wrong-token',
      'the token is not valid here; it must be the bearer token made for this very worker or pool',
    );
  };
}
