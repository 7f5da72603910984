import pRetry, { AbortError } from 'p-retry';
import { z } from 'zod';

/** What came back when a vendor did not do what was asked. The message is the vendor's own. */
export class VendorError extends Error {
  override name = 'VendorError';

  constructor(
    readonly vendor: string,
    readonly status: number | undefined,
    message: string,
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
  /** What the answer is read with. */
  schema: T;
  /** Takes the vendor's words out of its error body. */
  errorMessage: (body: unknown) => string | undefined;
}

const ATTEMPTS = 3;
const TIMEOUT_MS = 15_000;

/**
 * One request with its answer as JSON. Passing faults (no answer, 429, 5xx) are tried again.
 * @throws VendorError with the vendor's status and words; `status` is undefined when nothing answered, and 200 when
 *   something else than the vendor did
 */
export async function requestJson<T extends z.ZodType>(request: VendorRequest<T>): Promise<z.infer<T>> {
  const { vendor, url, method = 'GET', schema } = request;
  if (!/^https?:/.test(url) || !URL.canParse(url)) {
    throw new VendorError(vendor, undefined, 'is not a URL that begins with https:// or http://');
  }
  const answer = await pRetry(() => attempt(request), {
    retries: ATTEMPTS - 1,
    minTimeout: 500,
    randomize: true,
  });
  const read = schema.safeParse(answer);
  if (read.success) return read.data;
  const what = `${method} ${new URL(url).pathname}`;
  throw new VendorError(vendor, 200, `${what} answered something unexpected: ${z.prettifyError(read.error)}`);
}

async function attempt({
  vendor,
  url,
  method = 'GET',
  headers = {},
  body,
  errorMessage,
}: VendorRequest<z.ZodType>): Promise<unknown> {
  const response = await fetch(url, {
    method,
    headers: { accept: 'application/json', ...headers },
    signal: AbortSignal.timeout(TIMEOUT_MS),
    ...(body === undefined ? {} : { body }),
  }).catch((cause: unknown) => {
    throw new VendorError(vendor, undefined, `${new URL(url).origin} does not answer (${reason(cause)})`);
  });
  const text = await response.text();
  const parsed = parse(text);
  if (response.ok) return parsed;
  const failure = new VendorError(
    vendor,
    response.status,
    errorMessage(parsed) ?? `answered ${response.status} ${response.statusText}`.trim(),
  );
  if (response.status === 429 || response.status >= 500) throw failure;
  throw new AbortError(failure);
}

function parse(text: string): unknown {
  try {
    return text === '' ? undefined : JSON.parse(text);
  } catch {
    return undefined;
  }
}

function reason(cause: unknown): string {
  if (!(cause instanceof Error)) return String(cause);
  return cause.cause instanceof Error ? cause.cause.message : cause.message;
}
