import type { FaultInput } from './faults';

/**
 * Faults for a day on which the vendors misbehave at random. Each takes `share` of the calls that the ones before it
 * let pass, so that about nine times the share of all calls goes wrong.
 */
export function chaosFaults(share: number, vendor?: FaultInput['vendor']): FaultInput[] {
  const page =
    '<html><head><title>502 Bad Gateway</title></head><body><h1>502 Bad Gateway</h1></body></html>';
  const faults: FaultInput[] = [
    { status: 429 },
    { status: 500, code: 'server_error', message: 'unexpected error' },
    { status: 502, page },
    { mode: 'after', status: 502, page },
    { mode: 'drop' },
    { mode: 'hang-up' },
    { mode: 'ignore' },
    { mode: 'stall' },
    { mode: 'half' },
    { method: 'GET', mode: 'empty' },
  ];
  return faults.map((fault) => ({ ...fault, ...(vendor && { vendor }), probability: share, times: null }));
}
