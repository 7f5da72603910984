/** An answer of the API that refuses a request: status, code and message as the vendor sends them. */
export class ApiError extends Error {
  override name = 'ApiError';

  constructor(
    readonly status: number,
    readonly code: string,
    message: string,
    readonly details: unknown = null,
  ) {
    super(message);
  }
}

/** `{"error": {code, message, details}}`; `details` is always present, as the Terraform provider needs it. */
export function errorBody(code: string, message: string, details: unknown = null): unknown {
  return { error: { code, message, details } };
}

export interface InvalidField {
  name: string;
  messages: string[];
}

/** 422 with the faulty fields; the message names the first one, as the vendor's does. */
export function invalidInput(fields: InvalidField[]): ApiError {
  const first = fields[0];
  const message = first
    ? `invalid input in field '${first.name}': ${first.messages.join(', ')}`
    : 'invalid input';
  return new ApiError(422, 'invalid_input', message, { fields });
}

export const invalidField = (name: string, ...messages: string[]): ApiError =>
  invalidInput([{ name, messages }]);

/** 422 whose message is a sentence of its own, such as `unsupported location for server type`. */
export const invalidInputMessage = (message: string): ApiError =>
  new ApiError(422, 'invalid_input', message, { fields: [] });

export const notFound = (what: string, id: string | number): ApiError =>
  new ApiError(404, 'not_found', `${what} with ID '${id}' not found`);

export const notUnique = (what: string, field: string): ApiError =>
  new ApiError(409, 'uniqueness_error', `${what} is already used`, { fields: [{ name: field }] });

export const conflict = (message: string): ApiError => new ApiError(409, 'conflict', message);

/** 403 of a quota; `limit` is the vendor's name for it, such as `server_limit`. */
export const limitExceeded = (message: string, limit: string): ApiError =>
  new ApiError(403, 'resource_limit_exceeded', message, { limits: [{ name: limit }] });

export const unavailable = (message: string): ApiError =>
  new ApiError(412, 'resource_unavailable', message, {});

export const serviceError = (message: string): ApiError => new ApiError(422, 'service_error', message);

export const unsupported = (message: string): ApiError => new ApiError(422, 'unsupported_error', message);

export const protectedError = (what: string): ApiError =>
  new ApiError(423, 'protected', `${what} is protected`);
