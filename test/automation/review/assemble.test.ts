import assert from 'node:assert/strict';
import type { EngineEvent } from '@pulumi/pulumi/automation';
import { assemble, type Surroundings } from '../../../automation/review/assemble';
import { readPlan } from '../../../automation/review/plan';
import { parsed, withPool } from '../../components/configs';

const POOL = { min: 0, max: 40, slots: 4, configHash: '0123456789abcdef', configHashVersion: 1 };
const MEMBER = {
  id: 'ci-0001',
  configHash: '0123456789abcdef',
  configHashVersion: 1,
  serverType: 'cx33',
  location: 'fsn1',
  launchedAt: '2026-10-01T08:00:00.000Z',
};
const outputs = (members = [MEMBER], network: string | null = null) => ({
  membership: { ci: { nextSerial: 2, members } },
  network,
  pools: { ci: POOL },
});
const surroundings: Surroundings = {
  stack: 'production',
  config: parsed(withPool({})),
  userData: [],
  servers: [],
  prices: {
    serverTypes: [
      {
        name: 'cx33',
        prices: [
          {
            location: 'fsn1',
            price_hourly: { net: '', gross: '0.0100' },
            price_monthly: { net: '', gross: '6.00' },
          },
        ],
      },
      {
        name: 'cpx32',
        prices: [
          {
            location: 'nbg1',
            price_hourly: { net: '', gross: '0.0200' },
            price_monthly: { net: '', gross: '12.00' },
          },
        ],
      },
    ],
    ipv4: new Map([
      ['fsn1', { hourly: 0.001, monthly: 0.6 }],
      ['nbg1', { hourly: 0.001, monthly: 0.6 }],
    ]),
  },
  allowed: [],
};

describe('A report from the engine’s events', () => {
  it('says nothing of a run that changes nothing', () => {
    const report = assemble(readPlan([root(outputs(), outputs())]), surroundings);
    assert.equal(report.verdict, 'unchanged');
    assert.equal(report.changes, 0);
  });

  it('never looks at debug messages, which quote secrets', () => {
    const debug = diagnostic('info', 'registering {"userData": "s3cret"}', 'debug: ');
    const plan = readPlan([debug, diagnostic('error', 's3cret', 'debug: '), root(outputs(), outputs())]);
    assert.ok(!JSON.stringify(plan).includes('s3cret'));
  });

  it('tells the engine’s errors without colours', () => {
    const report = assemble(
      readPlan([
        diagnostic('error', '\u001b[31mno such image\u001b[0m\n'),
        diagnostic('error', 'preview failed'),
      ]),
      surroundings,
    );
    assert.equal(report.verdict, 'failed');
    assert.deepEqual(report.faults, ['no such image']);
  });

  it('takes a plan that only a policy refuses for complete', () => {
    const violation = policy('mandatory', 'SSH is closed.\nopens port 22');
    const report = assemble(readPlan([violation, root(outputs(), outputs())]), surroundings);
    assert.equal(report.verdict, 'dangerous');
    assert.deepEqual(report.violations, [
      { policy: 'no-public-ssh', level: 'mandatory', message: 'opens port 22' },
    ]);
  });

  it('does not blame a policy for what only the update will know', () => {
    const report = assemble(
      readPlan([policy('advisory', "can't run policy 'x': unknown"), root(outputs(), outputs())]),
      surroundings,
    );
    assert.deepEqual(report.violations, []);
  });

  it('tells what a guard of the program warns of as a danger, once', () => {
    const warning =
      'This would take workers away. Nothing was changed.\n  • pool ci: this would remove ci-0001, and maxUnavailable is 0. If that is meant, say so once: WORKER_POOLS_ALLOW_REMOVAL=ci pulumi up';
    const events = [
      diagnostic('warning', warning),
      diagnostic('warning', 'sold out'),
      root(outputs(), outputs([])),
    ];
    const report = assemble(readPlan(events), surroundings);
    assert.equal(report.verdict, 'dangerous');
    assert.equal(report.dangers.length, 1);
    assert.deepEqual(report.warnings, ['sold out']);
    const confirmed = assemble(readPlan(events), { ...surroundings, allowed: ['ci'] });
    assert.deepEqual(confirmed.dangers, []);
  });

  it('folds a replacement’s three steps into one, with what goes with it', () => {
    const step = (op: string) =>
      server(op, {
        before: { serverType: 'cx33', location: 'fsn1' },
        after: { serverType: 'cx43', location: 'fsn1' },
      });
    const events = ['create-replacement', 'replace', 'delete-replaced'].map(step);
    const report = assemble(readPlan([...events, root(outputs(), outputs())]), surroundings);
    assert.deepEqual(report.resources, [
      {
        action: 'replace',
        kind: 'server',
        name: 'ci-0001-server',
        urn: WORKER_SERVER,
        worker: 'ci-0001',
        properties: [{ name: 'serverType', before: 'cx33', after: 'cx43' }],
        takesDown: 'worker ci-0001 and the jobs on it',
      },
    ]);
    assert.deepEqual(report.dangers, [
      'server ci-0001-server would be replaced (serverType) and take down worker ci-0001 and the jobs on it',
    ]);
  });

  it('takes a key that the tailnet has forgotten for no change: the worker needs it no more', () => {
    const place = { serverType: 'cx33', location: 'fsn1' };
    const stands = ['refresh', 'same'].map((op) => server(op, { before: place, after: place }));
    const left = assemble(readPlan([...stands, key('create'), root(outputs(), outputs())]), surroundings);
    assert.deepEqual([left.verdict, left.resources], ['unchanged', []]);
    const fresh = [server('create', { before: undefined, after: place }), key('create')];
    const made = assemble(readPlan([...fresh, root(outputs([]), outputs())]), surroundings);
    assert.deepEqual(
      made.resources.map(({ kind }) => kind),
      ['server', 'tailnet key'],
    );
  });

  it('shows no secret value and no value that is not known yet', () => {
    const secret = {
      '4dabf18193072939515e22adb298388d': '1b47061264138c4ac30d75fd1eb44270',
      ciphertext: '[secret]',
    };
    const event = server(
      'update',
      {
        before: { userData: secret, firewallIds: [1] },
        after: { userData: secret, firewallIds: ['04da6b54-80e4-46f7-96ec-b56ff0331ba9'] },
      },
      ['userData', 'firewallIds[0]'],
    );
    const { resources } = assemble(readPlan([event, root(outputs(), outputs())]), surroundings);
    assert.deepEqual(resources[0]!.properties, [
      { name: 'userData', before: '[secret]', after: '[secret]' },
      { name: 'firewallIds', before: '[1]', after: 'known after the update' },
    ]);
  });

  it('adds up what servers and their addresses cost: now, after, and at max on the dearest placement', () => {
    const inputs = { serverType: 'cx33', location: 'fsn1', publicNets: [{ ipv4Enabled: true }] };
    const hidden = { ...inputs, publicNets: [{ ipv4Enabled: false }] };
    const events = [
      server('same', { before: inputs, after: inputs }),
      server('create', { before: undefined, after: hidden }, [], 'ci-0002'),
      root(outputs(), outputs([MEMBER, { ...MEMBER, id: 'ci-0002' }])),
    ];
    const config = { ...surroundings.config, budget: { hourly: 0.5 } };
    const { cost, limits } = assemble(readPlan(events), { ...surroundings, config });
    assert.deepEqual(cost, {
      now: { hourly: 0.011, monthly: 6.6 },
      after: { hourly: 0.021, monthly: 12.6 },
      atMax: { hourly: 0.84, monthly: 504 },
      budget: { hourly: 0.5 },
      exceeded: [
        'at max, €0.84 an hour would be beyond the budget of €0.50: the scaling service stops growing at the budget',
      ],
    });
    assert.deepEqual(limits, { servers: 40, primaryIpv4: 40, project: null });
  });

  it('tells no cost where prices cannot be read, and says so', () => {
    const plan = readPlan([root(outputs(), outputs())]);
    const report = assemble(plan, { ...surroundings, prices: 'Prices could not be read' });
    assert.equal(report.cost, null);
    assert.deepEqual(report.warnings, ['Prices could not be read']);
  });
});

const WORKER = 'urn:pulumi:production::worker-pools::workerpools:index:WorkerPool$workerpools:index:Worker';
const WORKER_SERVER = `${WORKER}$hcloud:index/server:Server::ci-0001-server`;

function event(fields: Record<string, unknown>): EngineEvent {
  return { sequence: 0, timestamp: 0, ...fields };
}

function root(before: unknown, after: unknown): EngineEvent {
  const urn = 'urn:pulumi:production::worker-pools::pulumi:pulumi:Stack::worker-pools-production';
  const metadata = {
    op: 'same',
    urn,
    type: 'pulumi:pulumi:Stack',
    old: { outputs: before },
    new: { outputs: after },
  };
  return event({ resOutputsEvent: { metadata } });
}

function server(
  op: string,
  { before, after }: { before: unknown; after: unknown },
  paths = ['serverType'],
  worker = 'ci-0001',
): EngineEvent {
  const parent = `${WORKER}::${worker}`;
  const state = (inputs: unknown) => (inputs === undefined ? null : { parent, inputs });
  const metadata = {
    op,
    urn: `${WORKER}$hcloud:index/server:Server::${worker}-server`,
    type: 'hcloud:index/server:Server',
    old: state(before),
    new: state(after),
    detailedDiff: op === 'same' ? null : Object.fromEntries(paths.map((path) => [path, {}])),
  };
  return event({ resourcePreEvent: { metadata } });
}

function key(op: string, worker = 'ci-0001'): EngineEvent {
  const metadata = {
    op,
    urn: `${WORKER}$tailscale:index/tailnetKey:TailnetKey::${worker}-key`,
    type: 'tailscale:index/tailnetKey:TailnetKey',
    old: null,
    new: { parent: `${WORKER}::${worker}`, inputs: {} },
    detailedDiff: null,
  };
  return event({ resourcePreEvent: { metadata } });
}

function diagnostic(severity: string, message: string, prefix = ''): EngineEvent {
  return event({ diagnosticEvent: { severity, message, prefix, color: 'never' } });
}

function policy(enforcementLevel: string, message: string): EngineEvent {
  return event({ policyEvent: { policyName: 'no-public-ssh', enforcementLevel, message } });
}
