import assert from 'node:assert/strict';
import { UpdateEvents, type Plan } from '../../../automation/apply/update-events';
import type { FailedLaunch } from '../../../automation/apply/types';
import type { MemberRecord } from '../../../components/model/membership';

const LIMIT = 'limit exceeded (resource_limit_exceeded, 5ea0bbd4e9da492f)';
const SOLD_OUT = 'error during placement (resource_unavailable, 283691724b264220)';
const FORBIDDEN = 'insufficient permissions (forbidden, d3373a50f4314b3e)';
const ENDED = 'the update ended before its server was asked for';

const POOL = 'workerpools:index:WorkerPool';
const WORKER = `${POOL}$workerpools:index:Worker`;
const SERVER = `${WORKER}$hcloud:index/server:Server`;
const KEY = `${WORKER}$tailscale:index/tailnetKey:TailnetKey`;
const COMMAND = 'command:local:Command';
const GROUP = `${POOL}$hcloud:index/placementGroup:PlacementGroup`;
const FIREWALL = `${POOL}$hcloud:index/firewall:Firewall`;
const RECORD = 'cloudflare:index/dnsRecord:DnsRecord';
const NETWORK = 'workerpools:index:PoolNetwork$hcloud:index';
const GATEWAY = 'workerpools:index:NatGateway$hcloud:index';

/** `ci-0003` is to be launched beside `ci-0002`; `ci-0001` leaves, and pools are called as workers are. */
const PLAN: Plan = {
  before: pools({ ci: [member('ci-0001'), member('ci-0002', 2)] }),
  after: pools({
    ci: [member('ci-0002', 2), member('ci-0003')],
    'ci-0003': [member('ci-0003-0001')],
    'ci-heavy': [member('ci-heavy-0001')],
  }),
};

describe('a launch whose server was not asked for', () => {
  describe('is told with the failure of what it depends on', () => {
    const rows: [string, string, string, string, FailedLaunch['kind']][] = [
      ['the network', `${NETWORK}/network:Network`, 'network', LIMIT, 'limit'],
      ['the subnet', `${NETWORK}/networkSubnet:NetworkSubnet`, 'network-subnet', LIMIT, 'limit'],
      ['its placement group', GROUP, 'ci-fsn1-1', LIMIT, 'limit'],
      ['its pool’s closed firewall', FIREWALL, 'ci-closed', LIMIT, 'limit'],
      ['its pool’s open firewall', FIREWALL, 'ci-open', LIMIT, 'limit'],
      [
        'an SSH key',
        'workerpools:index:SshAccess$hcloud:index/sshKey:SshKey',
        'ssh-0a1b2c3d',
        LIMIT,
        'limit',
      ],
      ['the way out', `${GATEWAY}/networkRoute:NetworkRoute`, 'nat-route-0.0.0.0/0', LIMIT, 'limit'],
      ['the way out’s check', `${GATEWAY}$${COMMAND}`, 'nat-ready', 'no answer', 'other'],
      ['its own key', KEY, 'ci-0003-key', 'not allowed (403)', 'other'],
      ['its own key, asked for too often', KEY, 'ci-0003-key', 'too many requests (429)', 'rate'],
      ['nothing that the engine names', '', '', 'the plugin has exited', 'other'],
    ];
    for (const [what, types, name, message, kind] of rows) {
      it(`${what}: ${kind}`, () =>
        assert.deepEqual(cause('ci-0003', [{ types, name, message }]), { kind, message }));
    }
  });

  it('is told so in a pool whose name has a hyphen, too', () => {
    for (const [types, name] of [
      [FIREWALL, 'ci-heavy-closed'],
      [GROUP, 'ci-heavy-fsn1-1'],
    ] as const) {
      const failure = { types, name, message: LIMIT };
      assert.deepEqual(cause('ci-heavy-0001', [failure]), { kind: 'limit', message: LIMIT }, name);
    }
  });

  describe('is not told with the failure of what is another’s', () => {
    const rows: [string, string, string, string?][] = [
      ['another worker’s server', SERVER, 'ci-0002-server'],
      ['another worker’s key', KEY, 'ci-0002-key'],
      ['another worker’s check', `${WORKER}$${COMMAND}`, 'ci-0002-ready'],
      ['another worker’s address record', `${WORKER}$${RECORD}`, 'ci-0002-dns'],
      ['a wildcard’s record', `workerpools:index:Dns$${RECORD}`, 'ci-0002-wildcard'],
      ['a tenant’s record', `workerpools:index:Dns$${RECORD}`, 'ci-0002-tenant-acme'],
      ['a tenant’s record, with hyphens', `workerpools:index:Dns$${RECORD}`, 'ci-0002-tenant-a-b'],
      ['the server of a worker whose name begins like its own', SERVER, 'ci-0003-0001-server'],
      ['the firewall of a pool that is called as it is', FIREWALL, 'ci-0003-closed'],
      ['another placement group of its pool', GROUP, 'ci-fsn1-2'],
      ['another pool’s placement group', GROUP, 'ci-heavy-fsn1-1'],
      ['another pool’s firewall', FIREWALL, 'ci-heavy-open'],
      ['a server that could not be deleted', SERVER, 'ci-0001-server', 'delete'],
      ['one that an earlier update has left', SERVER, 'ci-0000-server', 'delete'],
      ['a placement group that could not be deleted', GROUP, 'ci-fsn1-3', 'delete'],
      ['a firewall that could not be deleted', FIREWALL, 'ci-open', 'delete'],
    ];
    for (const [what, types, name, op] of rows) {
      it(what, () => {
        const failure = { types, name, op, message: LIMIT };
        assert.deepEqual(cause('ci-0003', [failure]), { kind: 'other', message: ENDED });
        const own = { types: GROUP, name: 'ci-fsn1-1', message: SOLD_OUT };
        assert.equal(cause('ci-0003', [failure, own]).message, SOLD_OUT);
      });
    }
  });

  it('says of its placement only what its own server was answered', () => {
    const rows = [
      [SERVER, 'ci-0003-server', SOLD_OUT, 'sold-out'],
      [SERVER, 'ci-0003-server', FORBIDDEN, 'sold-out'],
      [`${GATEWAY}/server:Server`, 'nat-server', SOLD_OUT, 'other'],
      [GROUP, 'ci-fsn1-1', FORBIDDEN, 'other'],
    ] as const;
    for (const [types, name, message, kind] of rows) {
      assert.deepEqual(cause('ci-0003', [{ types, name, message }]), { kind, message }, name);
    }
  });

  it('takes no problem with it but its own', () => {
    const failures = [
      { types: SERVER, name: 'ci-0003-server', message: SOLD_OUT },
      { types: FIREWALL, name: 'ci-0003-closed', message: LIMIT },
    ];
    assert.deepEqual(report(failures).problems, [`ci-0003-closed: ${LIMIT}`]);
  });
});

interface Failure {
  types: string;
  name: string;
  message: string;
  op?: string;
}

function cause(worker: string, failures: readonly Failure[]): Pick<FailedLaunch, 'kind' | 'message'> {
  const { kind, message } = report(failures).failedLaunches.find((failed) => failed.worker === worker)!;
  return { kind, message };
}

/** What is told of an update in which this failed, and nothing else was made. */
function report(failures: readonly Failure[]) {
  const events = new UpdateEvents();
  const at = { sequence: 0, timestamp: 0 };
  for (const { types, name, message, op = 'create' } of failures) {
    const urn = name === '' ? undefined : `urn:pulumi:staging::fleet::${types}::${name}`;
    events.take({ ...at, diagnosticEvent: { urn, message, color: 'never', severity: 'error' } });
    if (urn === undefined) continue;
    const metadata = { op: op as 'create' | 'delete', urn, type: types.split('$').at(-1)!, provider: '' };
    events.take({ ...at, resOpFailedEvent: { metadata, status: 0, steps: 0 } });
  }
  return events.report(PLAN, (text) => text);
}

function pools(members: Record<string, MemberRecord[]>): Plan['after'] {
  return Object.fromEntries(
    Object.entries(members).map(([name, list]) => [name, { nextSerial: 100, members: list }]),
  );
}

function member(id: string, placementGroup = 1): MemberRecord {
  return {
    ...{ id, configHash: 'x', configHashVersion: 1, serverType: 'cx33', location: 'fsn1' },
    ...{ launchedAt: '2026-01-01T00:00:00.000Z', placementGroup },
  };
}
