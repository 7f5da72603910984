import { seconds } from '../report/statistics';
import type { Table } from '../report/table';
import type { Reaction } from './reaction';

/** Reactions by size. */
export function reactionTable(reactions: readonly Reaction[]): Table {
  return {
    title: 'Reaction of the service',
    note: 'From the call of `update()` in a warm process; median (fastest–slowest). The local cloud’s actions end at once, so this is the service and the engine without the vendor. Each worker: tailnet key, server on a private network, behind a firewall, a tenth of a placement group, address record. Processor time is of an update that adds one worker: the service’s own, and that of the engine with its plugins.',
    head: [
      'workers',
      'runs',
      'until the record is read',
      'until POST /servers',
      '+1',
      '−1',
      'CPU, service',
      'CPU, engine',
    ],
    rows: reactions.map(({ size, asked, firstPost, added, removed, service, engine }) => [
      String(size),
      String(firstPost.length),
      ...[asked, firstPost, added, removed, service, engine].map(seconds),
    ]),
  };
}
