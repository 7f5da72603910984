import { retryAt, type VendorAnswer } from '../../components/preflight/http';
import type { ApiAllowance } from '../decide/types';

/**
 * What a Hetzner project's request limit leaves to us. The limit is the project's: everything that uses one of its tokens
 * draws on it, so only the vendor's own count tells (docs.hetzner.cloud, "Rate Limiting"). Seconds since 1970.
 */
export interface ApiBudget {
  readonly limit: number;
  readonly remaining: number;
  /** When the vendor said so. */
  readonly at: number;
  /** When the limit is whole again, if nobody asks for anything. */
  readonly resetAt: number;
  /** No request at all before this: the vendor has turned one away. */
  readonly heldUntil: number;
}

/** Share of the limit that is kept for deletions, which stop the bill: 600 of 3600. */
const RESERVE_SHARE = 1 / 6;
/** Below the reserve, one list at this interval, so that deletions do not go blind. */
const SPARING_INTERVAL = 60;
/** The limit refills evenly over an hour. */
const REFILL_TIME = 3600;
/** After a refusal that names no time. */
const HOLD_WITHOUT_RESET = 60;

/** What an answer tells of the limit; the budget as it was where it tells nothing. */
export function budgetAfter(
  budget: ApiBudget | undefined,
  answer: Pick<VendorAnswer, 'status' | 'headers'>,
  now: number,
): ApiBudget | undefined {
  const { status, headers } = answer;
  const limit = countIn(headers, 'ratelimit-limit') ?? budget?.limit;
  const remaining = countIn(headers, 'ratelimit-remaining');
  const resetAt = countIn(headers, 'ratelimit-reset') ?? budget?.resetAt ?? now;
  if (status === 429) {
    const until = retryAt({ status, headers }, now * 1000);
    return {
      limit: limit ?? 0,
      remaining: 0,
      at: now,
      resetAt,
      heldUntil: Math.max(
        budget?.heldUntil ?? 0,
        until === undefined ? now + HOLD_WITHOUT_RESET : until / 1000,
      ),
    };
  }
  if (limit !== undefined && remaining !== undefined) {
    return { limit, remaining, at: now, resetAt, heldUntil: budget?.heldUntil ?? 0 };
  }
  // A request that got no answer may have been counted.
  return budget && { ...budget, remaining: Math.max(0, remainingAt(budget, now) - 1), at: now };
}

/** Requests left, with what has flown in since the vendor's last word; none while requests are held. */
export function remainingAt({ limit, remaining, at, heldUntil }: ApiBudget, now: number): number {
  if (now < heldUntil) return 0;
  return Math.min(limit, remaining + (Math.max(0, now - at) * limit) / REFILL_TIME);
}

/** Whether a list may be asked for: freely above the reserve, below it once a minute, never while requests are held. */
export function allowsRead(
  budget: ApiBudget | undefined,
  lastReadAt: number | undefined,
  now: number,
): boolean {
  if (hasSpare(budget, now)) return true;
  if (budget !== undefined && now < budget.heldUntil) return false;
  return lastReadAt === undefined || now - lastReadAt >= SPARING_INTERVAL;
}

/** Whether there are requests to spare for what is good to know, but stops no bill. */
export function hasSpare(budget: ApiBudget | undefined, now: number): boolean {
  if (budget === undefined) return true;
  return now >= budget.heldUntil && remainingAt(budget, now) >= budget.limit * RESERVE_SHARE;
}

/** Whether something may be deleted: the reserve is for that. */
export function allowsDelete(budget: ApiBudget | undefined, now: number): boolean {
  return budget === undefined || now >= budget.heldUntil;
}

/** Follows one project's request limit, and counts our own requests. Times are seconds since 1970. */
export class ApiMeter {
  private budget: ApiBudget | undefined;
  private lastReadAt: number | undefined;
  private readonly counts = new Map<string, number>();

  /** To be told of every try of a request, as it is answered. */
  observe(answer: VendorAnswer, now: number): void {
    this.counts.set(answer.method, (this.counts.get(answer.method) ?? 0) + 1);
    this.budget = budgetAfter(this.budget, answer, now);
  }

  /** To be told before a list is asked for; below the reserve the next one is a minute off. */
  startRead(now: number): void {
    this.lastReadAt = now;
  }

  mayRead(now: number): boolean {
    return allowsRead(this.budget, this.lastReadAt, now);
  }

  hasSpare(now: number): boolean {
    return hasSpare(this.budget, now);
  }

  mayDelete(now: number): boolean {
    return allowsDelete(this.budget, now);
  }

  /** Undefined before the vendor's first word. */
  allowance(now: number): ApiAllowance | undefined {
    if (this.budget === undefined) return undefined;
    return { limit: this.budget.limit, remaining: Math.floor(remainingAt(this.budget, now)) };
  }

  /** No request before this; 0 where nothing holds them. */
  get heldUntil(): number {
    return this.budget?.heldUntil ?? 0;
  }

  /** When the limit is whole again; undefined before the vendor's first word. */
  get resetAt(): number | undefined {
    return this.budget?.resetAt;
  }

  /** Our own requests so far, by method. */
  get requests(): Readonly<Record<string, number>> {
    return Object.fromEntries(this.counts);
  }
}

function countIn(headers: Headers, name: string): number | undefined {
  const value = headers.get(name) ?? '';
  return /^\d+$/.test(value) ? Number(value) : undefined;
}
