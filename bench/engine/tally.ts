import type { Request } from '../cloud';

/** How often each call was made, by `vendor METHOD path`; ids in paths stand as `{id}`. */
export type Tally = ReadonlyMap<string, number>;

/** Counts requests by call. */
export function tally(requests: readonly Pick<Request, 'vendor' | 'method' | 'path'>[]): Tally {
  const counts = new Map<string, number>();
  for (const request of requests) {
    const call = callOf(request);
    counts.set(call, (counts.get(call) ?? 0) + 1);
  }
  return counts;
}

/** What `more` has above `less`, divided by `parts`; calls that are equal are left out. */
export function difference(more: Tally, less: Tally, parts = 1): Tally {
  const calls = new Set([...more.keys(), ...less.keys()]);
  return new Map(
    [...calls]
      .map((call): [string, number] => [call, ((more.get(call) ?? 0) - (less.get(call) ?? 0)) / parts])
      .filter(([, count]) => count !== 0),
  );
}

/** Calls of one vendor, or of all. */
export function total(counts: Tally, vendor = ''): number {
  let sum = 0;
  for (const [call, count] of counts) if (call.startsWith(vendor)) sum += count;
  return sum;
}

/** Calls that change something; asking for an access token does not. */
export function writes(counts: Tally): number {
  let sum = 0;
  for (const [call, count] of counts) {
    if (!/ GET /.test(call) && !call.endsWith('/oauth/token')) sum += count;
  }
  return sum;
}

/** `2 × POST /servers, GET /actions`, one vendor's calls. */
export function list(counts: Tally, vendor: string): string {
  return [...counts]
    .filter(([call]) => call.startsWith(`${vendor} `))
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([call, count]) => `${count === 1 ? '' : `${round(count)} × `}${call.slice(vendor.length + 1)}`)
    .join(', ');
}

/** At most one decimal. */
export function round(count: number): string {
  return String(Math.round(count * 10) / 10);
}

function callOf({ vendor, method, path }: Pick<Request, 'vendor' | 'method' | 'path'>): string {
  const plain = path
    .split('?')[0]!
    .replace(/^\/(v1|api\/v2|client\/v4)/, '')
    .replace(/^\/tailnet\/[^/]+/, '/tailnet/{id}')
    .replace(/\/(\d+|[0-9a-f]{32}|k[A-Za-z0-9]{9,})(?=\/|$)/g, '/{id}');
  return `${vendor} ${method} ${plain}`;
}
