import type { LedgerEntry } from './registry/types';

const HOUR = 3600;

/** Start of the calendar month (UTC), seconds since 1970. */
export function monthStart(now: number): number {
  const date = new Date(now * 1000);
  return Date.UTC(date.getUTCFullYear(), date.getUTCMonth(), 1) / 1000;
}

/**
 * EUR gross that servers have cost since the month began. Each started hour is paid, and a server's month never costs
 * more than its monthly price (docs.hetzner.com, Cloud, Billing FAQ).
 */
export function monthSpend(entries: readonly LedgerEntry[], now: number): number {
  const from = monthStart(now);
  return entries.reduce((sum, { created, deleted, hourly, monthly }) => {
    const until = Math.min(deleted ?? now, now);
    // Hours that began before the month belong to the month before.
    const startedBefore = Math.max(0, Math.ceil((from - created) / HOUR));
    const started = Math.max(0, Math.ceil((until - created) / HOUR));
    const hours = Math.max(0, started - startedBefore);
    return sum + Math.min(hours * hourly, monthly);
  }, 0);
}
