export interface ErrorEntry {
  code: number;
  message: string;
  error_chain?: ErrorEntry[];
}

/** An answer other than success: the vendor's status, and what goes into `errors` of the envelope. */
export class CloudflareError extends Error {
  override name = 'CloudflareError';

  constructor(
    readonly status: number,
    readonly entry: ErrorEntry,
    readonly headers: Record<string, string> = {},
  ) {
    super(entry.message);
  }
}

export const failure = (status: number, code: number, message: string): CloudflareError =>
  new CloudflareError(status, { code, message });

/** The general "DNS Validation Error", with the reason chained to it as the vendor does. */
export const validationError = (code: number, message: string): CloudflareError =>
  new CloudflareError(400, {
    code: 1004,
    message: 'DNS Validation Error',
    error_chain: [{ code, message }],
  });

export const noRoute = (path: string): CloudflareError =>
  failure(404, 7003, `Could not route to ${path}, perhaps your object identifier is invalid?`);
