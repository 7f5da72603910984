/** Virtual milliseconds as the vendor writes times: to the second, in UTC. */
export function rfc3339(at: number): string {
  return new Date(at).toISOString().replace(/\.\d{3}Z$/, 'Z');
}

/** Go's zero time, which the vendor sends for "never". */
export const ZERO_TIME = '0001-01-01T00:00:00Z';
