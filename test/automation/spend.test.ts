import assert from 'node:assert/strict';
import fc from 'fast-check';
import { monthSpend, monthStart } from '../../automation/spend';
import type { LedgerEntry } from '../../automation/registry/types';

const at = (time: string): number => Date.parse(time) / 1000;
const NOW = at('2026-11-21T12:00:00Z');
const entry = (more: Partial<LedgerEntry>): LedgerEntry => ({
  environment: 'production',
  serverId: 1,
  worker: 'ci-0001',
  pool: 'ci',
  created: at('2026-11-21T10:00:00Z'),
  hourly: 0.01,
  monthly: 6,
  ...more,
});

describe('what the month has cost', () => {
  it('begins at the first of the month, UTC', () => {
    assert.equal(monthStart(NOW), at('2026-11-01T00:00:00Z'));
  });

  for (const { what, server, euros } of [
    { what: 'nothing without a server', server: undefined, euros: 0 },
    { what: 'an hour that has just begun as a whole one', server: entry({ created: NOW - 1 }), euros: 0.01 },
    { what: 'two hours that are just over as two', server: entry({}), euros: 0.02 },
    {
      what: 'a server that is gone up to its end',
      server: entry({ deleted: at('2026-11-21T10:59:00Z') }),
      euros: 0.01,
    },
    {
      what: 'only this month’s hours of an older server',
      server: entry({ created: at('2026-10-31T22:30:00Z'), deleted: at('2026-11-01T01:00:00Z') }),
      euros: 0.01,
    },
    {
      what: 'no more than a server’s month',
      server: entry({ created: at('2026-11-01T00:00:00Z'), hourly: 0.02 }),
      euros: 6,
    },
  ]) {
    it(`counts ${what}`, () => {
      assert.equal(Math.round(monthSpend(server ? [server] : [], NOW) * 1e6) / 1e6, euros);
    });
  }

  it('never falls while time goes on within a month', () => {
    fc.assert(
      fc.property(
        fc.array(fc.record({ created: fc.nat(40 * 86_400), life: fc.nat(20 * 86_400) }), { maxLength: 8 }),
        fc.nat(86_400),
        (servers, later) => {
          const entries = servers.map(({ created, life }, serverId) =>
            entry({ serverId, created: NOW - created, deleted: NOW - created + life }),
          );
          assert.ok(monthSpend(entries, NOW + later) >= monthSpend(entries, NOW) - 1e-9);
        },
      ),
    );
  });
});
