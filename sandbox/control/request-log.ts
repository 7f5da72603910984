import type { Vendor } from '../kernel/vendor';

export interface LoggedRequest {
  /** Virtual time of arrival, RFC 3339. */
  time: string;
  /** Wall time of arrival, RFC 3339. */
  wallTime: string;
  vendor: Vendor['name'];
  /** The User-Agent header. */
  client: string;
  method: string;
  /** Path with query, as sent. */
  path: string;
  /** The status answered; null while the call is open and when the connection died without an answer. */
  status: number | null;
  /** Id of the Hetzner project whose token was sent. */
  project: string | null;
  /** Id of the scripted fault that took the call. */
  fault: string | null;
}

export interface RequestFilter {
  /** Virtual time; only requests at or after it. */
  since?: string | undefined;
  vendor?: Vendor['name'] | undefined;
  method?: string | undefined;
  /** Glob or `^regex`, see pathMatcher. */
  path?: string | undefined;
  status?: number | undefined;
  /** Part of the User-Agent. */
  client?: string | undefined;
}

/** A day of a busy fleet; older requests fall out. */
const CAPACITY = 100_000;

/** What was asked of the vendors, in order of arrival. Holds no bodies and no tokens. */
export class RequestLog {
  private entries: LoggedRequest[] = [];

  add(entry: LoggedRequest): void {
    this.entries.push(entry);
    if (this.entries.length > CAPACITY) this.entries.splice(0, CAPACITY / 10);
  }

  list(filter: RequestFilter = {}): LoggedRequest[] {
    const matchesPath = filter.path === undefined ? () => true : pathMatcher(filter.path);
    const since = filter.since === undefined ? -Infinity : Date.parse(filter.since);
    return this.entries.filter(
      (entry) =>
        Date.parse(entry.time) >= since &&
        (filter.vendor === undefined || entry.vendor === filter.vendor) &&
        (filter.method === undefined || entry.method === filter.method.toUpperCase()) &&
        (filter.status === undefined || entry.status === filter.status) &&
        (filter.client === undefined || entry.client.includes(filter.client)) &&
        matchesPath(entry.path),
    );
  }

  clear(): void {
    this.entries = [];
  }
}

/**
 * Turns a path pattern into a test of a path with query.
 * - `^…` is a regular expression over path and query.
 * - anything else is a glob over the path alone: `*` stands for one segment's characters, `**` for any.
 * Throws SyntaxError when the regular expression is not one.
 */
export function pathMatcher(pattern: string): (pathWithQuery: string) => boolean {
  if (pattern.startsWith('^')) {
    const expression = new RegExp(pattern);
    return (path) => expression.test(path);
  }
  const source = pattern
    .split(/(\*\*|\*)/)
    .map((part) =>
      part === '**' ? '.*' : part === '*' ? '[^/]*' : part.replace(/[.+?^${}()|[\]\\]/g, '\\$&'),
    )
    .join('');
  const expression = new RegExp(`^${source}$`);
  return (path) => expression.test(path.split('?')[0] ?? '');
}
