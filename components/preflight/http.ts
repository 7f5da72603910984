import pRetry, { AbortError } from 'p-retry';

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

export interface VendorRequest {
  vendor: string;
  url: string;
  method?: 'GET' | 'POST' | 'DELETE';
  headers?: Record<string, string>;
  body?: string | URLSearchParams;
  /** Takes the vendor's words out of its error body. */
  errorMessage: (body: unknown) => string | undefined;
}

const ATTEMPTS = 3;
const TIMEOUT_MS = 15_000;

/**
 * One request with its answer as JSON. Passing faults (no answer, 429, 5xx) are tried again.
 * @throws VendorError with the vendor's status and words; `status` is undefined when nothing answered
 */
export async function requestJson(request: VendorRequest): Promise<unknown> {
  return pRetry(() => attempt(request), { retries: ATTEMPTS - 1, minTimeout: 500, randomize: true });
}

async function attempt({ vendor, url, method = 'GET', headers = {}, body, errorMessage }: VendorRequest) {
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
