import { setTimeout as sleep } from 'node:timers/promises';
import pRetry, { AbortError } from 'p-retry';
import { z } from 'zod';
import { deadline } from './deadline';
import { pauseBefore, PERSONS_PATIENCE, type Patience } from './patience';

/** What came back when a vendor did not do what was asked. The message is the vendor's own. */
export class VendorError extends Error {
  override name = 'VendorError';

  constructor(
    readonly vendor: string,
    readonly status: number | undefined,
    message: string,
    /** No request before this, milliseconds since the epoch, where the vendor said so. */
    readonly retryAt?: number,
  ) {
    super(message);
  }
}

export interface VendorRequest<T extends z.ZodType> {
  vendor: string;
  url: string;
  method?: 'GET' | 'POST' | 'DELETE';
  headers?: Record<string, string>;
  body?: string | URLSearchParams;
  /** Whether a second one does no harm: then it is tried again when nobody knows what became of the first. By default
   *  true for all methods but POST, which may have made what it asked for before its answer was lost. */
  repeatable?: boolean;
  /** What the answer is read with. */
  schema: T;
  /** Takes the vendor's words out of its error body. */
  errorMessage: (body: unknown) => string | undefined;
}

/** What became of one try; without status where nothing answered. */
export interface VendorAnswer {
  vendor: string;
  method: string;
  status: number | undefined;
  headers: Headers;
}

/** How a caller of the vendors behaves. By default: as a person's run, which does not wait long. */
export interface Caller {
  patience?: Patience;
  /** Ends the request and every wait; the request then rejects with the signal's reason. */
  signal?: AbortSignal;
  /** Hears of every try, so that calls can be counted and the vendor's limits followed. */
  onAnswer?: (answer: VendorAnswer) => void;
  /** Sleeps for milliseconds; for tests. */
  wait?: (milliseconds: number, signal: AbortSignal | undefined) => Promise<unknown>;
  /** Milliseconds since the epoch; for tests. */
  now?: () => number;
  /** From 0 to 1; for tests. */
  random?: () => number;
}

/** Of one try, with its body. */
const TIMEOUT_MS = 15_000;

/**
 * One request with its answer as JSON. Passing faults (no answer, a broken one, 429, 5xx) are tried again, never before
 * the time that the vendor names, and never a request that may have taken effect and must not twice.
 * @throws VendorError with the vendor's status and words; `status` is undefined when nothing answered, and 200 when
 *   something else than the vendor did
 */
export async function requestJson<T extends z.ZodType>(
  request: VendorRequest<T>,
  caller: Caller = {},
): Promise<z.infer<T>> {
  const { vendor, url, method = 'GET', schema, repeatable = method !== 'POST' } = request;
  if (!/^https?:/.test(url) || !URL.canParse(url)) {
    throw new VendorError(vendor, undefined, 'is not a URL that begins with https:// or http://');
  }
  const {
    patience = PERSONS_PATIENCE,
    signal,
    wait = waitFor,
    now = Date.now,
    random = Math.random,
  } = caller;
  let waited = 0;
  const attempt = async (): Promise<unknown> => {
    const inTime = deadline(TIMEOUT_MS, signal);
    return exchange(request, caller, inTime.signal).finally(() => inTime.release());
  };
  const answer = await pRetry(attempt, {
    retries: patience.tries - 1,
    minTimeout: 0,
    ...(signal && { signal }),
    shouldRetry: async ({ error, attemptNumber }) => {
      if (!(error instanceof VendorError) || (!repeatable && error.status !== 429)) return false;
      const pause = pauseBefore(attemptNumber + 1, {
        patience,
        waited,
        retryIn: error.retryAt === undefined ? undefined : error.retryAt - now(),
        random: random(),
      });
      if (pause === undefined) return false;
      waited += pause;
      await wait(pause, signal);
      return true;
    },
  });
  const read = schema.safeParse(answer);
  if (read.success) return read.data;
  const what = `${method} ${new URL(url).pathname}`;
  throw new VendorError(vendor, 200, `${what} answered something unexpected: ${z.prettifyError(read.error)}`);
}

/** @throws VendorError for a passing fault; AbortError around one that stays, or around the signal's reason */
async function exchange(
  { vendor, url, method = 'GET', headers = {}, body, errorMessage }: VendorRequest<z.ZodType>,
  { signal, onAnswer, now = Date.now }: Caller,
  inTime: AbortSignal,
): Promise<unknown> {
  const lost = (what: string) => (cause: unknown) => {
    if (signal?.aborted) throw new AbortError(asError(signal.reason));
    throw new VendorError(vendor, undefined, `${new URL(url).origin} ${what} (${reason(cause)})`);
  };
  const response = await fetch(url, {
    method,
    headers: { accept: 'application/json', ...headers },
    signal: inTime,
    ...(body === undefined ? {} : { body }),
  }).catch((cause: unknown) => {
    onAnswer?.({ vendor, method, status: undefined, headers: new Headers() });
    return lost('does not answer')(cause);
  });
  onAnswer?.({ vendor, method, status: response.status, headers: response.headers });
  const text = await response.text().catch(lost('broke off its answer'));
  const { isJson, value } = parse(text);
  if (response.ok && (isJson || (text === '' && method !== 'GET'))) return value;
  if (response.ok) {
    const what = `${method} ${new URL(url).pathname}`;
    throw new VendorError(
      vendor,
      response.status,
      `${what} answered something unexpected: it is not whole JSON`,
    );
  }
  const failure = new VendorError(
    vendor,
    response.status,
    errorMessage(value) ?? `answered ${response.status} ${response.statusText}`.trim(),
    retryAt(response, now()),
  );
  if (response.status === 429 || response.status >= 500) throw failure;
  throw new AbortError(failure);
}

/** A delay or a time in `RateLimit-Reset` is told apart by its size: no delay lasts thirty years. */
const LEAST_UNIX_TIME = 1e9;

/**
 * When the vendor takes requests again, milliseconds since the epoch: the later of `Retry-After` (RFC 9110, 10.2.3) and, of
 * a 429, `RateLimit-Reset` (Hetzner: Unix seconds; the IETF draft: seconds from now).
 */
export function retryAt(response: Pick<Response, 'status' | 'headers'>, now: number): number | undefined {
  const after = response.headers.get('retry-after') ?? '';
  const reset = response.status === 429 ? (response.headers.get('ratelimit-reset') ?? '') : '';
  const times = [
    /^\d+$/.test(after) ? now + Number(after) * 1000 : Date.parse(after),
    !/^\d+$/.test(reset)
      ? Number.NaN
      : Number(reset) < LEAST_UNIX_TIME
        ? now + Number(reset) * 1000
        : Number(reset) * 1000,
  ].filter((time) => !Number.isNaN(time));
  return times.length === 0 ? undefined : Math.max(...times);
}

async function waitFor(milliseconds: number, signal: AbortSignal | undefined): Promise<void> {
  await sleep(milliseconds, undefined, { ...(signal && { signal }) }).catch(() => signal?.throwIfAborted());
}

function parse(text: string): { isJson: boolean; value: unknown } {
  try {
    return { isJson: true, value: JSON.parse(text) };
  } catch {
    return { isJson: false, value: undefined };
  }
}

function asError(cause: unknown): Error {
  return cause instanceof Error ? cause : new Error(String(cause));
}

function reason(cause: unknown): string {
  if (!(cause instanceof Error)) return String(cause);
  return cause.cause instanceof Error ? cause.cause.message : cause.message;
}
