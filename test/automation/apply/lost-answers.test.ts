import assert from 'node:assert/strict';
import { openStack } from '../../../automation/apply/stack-runner';
import type { StackRunner } from '../../../automation/apply/types';
import type { FaultInput } from '../../../sandbox/control/faults';
import { inventory, project } from '../../engine/cloud';
import { least, type Raw, withPool } from '../../engine/configs';
import { Environment } from '../../engine/harness';
import { runnerOptions, servicePlace } from './service-place';

const NUREMBERG = { pool: 'ci', serverType: 'cpx32', location: 'nbg1' };
const GROUP = 'sandbox-ci-nbg1-1';
const GROUPS = { vendor: 'hetzner', method: 'POST', path: '/v1/placement_groups' } as const;
const RECORDS = { vendor: 'cloudflare', method: 'POST', path: '/client/v4/zones/*/dns_records' } as const;

describe('An answer that is lost', function () {
  this.timeout(120_000);
  let environment: Environment;
  let config: Raw;
  let runner: StackRunner;
  const log: string[] = [];

  beforeEach(async () => {
    environment = await Environment.start();
    const pools = withPool(least(environment), 'ci', { size: { min: 0, max: 40 }, spread: true });
    config = { ...pools, dns: { zone: 'sandbox.example', workers: true } };
    environment.configure(config);
    const options = runnerOptions(await servicePlace(environment));
    log.length = 0;
    runner = await openStack({ ...options, log: (line) => log.push(line) });
  });
  afterEach(() => environment?.close());

  const faults: [string, FaultInput][] = [
    ['the connection dies', { ...GROUPS, mode: 'hang-up' }],
    ['a proxy answers in its place, and the provider asks again', { ...GROUPS, mode: 'after', status: 502 }],
  ];
  for (const [how, fault] of faults) {
    it(`keeps no later launch from its placement group: ${how}`, async () => {
      environment.sandbox.faults.add(fault);
      const first = await launch();
      assert.deepEqual([first.outcome, first.launched], ['failed', []]);
      assert.deepEqual(inventory(environment.sandbox).placementGroups, [GROUP]);
      const second = await retry();
      assert.deepEqual([second.outcome, second.launched], ['succeeded', ['ci-0001']]);
      assert.deepEqual(inventory(environment.sandbox).placementGroups, [GROUP]);
      assert.deepEqual(log, ['deleted what was left of ci-nbg1-1']);
    });
  }

  it('keeps no worker without a public address from its way out, the NAT machine', async () => {
    const natGateway = { serverType: 'cx23', location: 'fsn1', image: 'debian-12' };
    const network = { cidr: '10.20.0.0/16', zone: 'eu-central', natGateway };
    const hidden = { publicNetwork: { ipv4: false, ipv6: false } };
    environment.configure({ ...withPool(config, 'ci', hidden), network });
    environment.sandbox.faults.add({
      vendor: 'hetzner',
      method: 'POST',
      path: '/v1/servers',
      mode: 'hang-up',
    });
    const first = await launch();
    assert.deepEqual([first.outcome, first.launched], ['failed', []]);
    assert.deepEqual(inventory(environment.sandbox).servers, ['sandbox-nat']);
    const second = await retry();
    assert.deepEqual([second.outcome, second.launched], ['succeeded', ['ci-0001']]);
    assert.deepEqual(inventory(environment.sandbox).servers, ['sandbox-ci-0001', 'sandbox-nat']);
  });

  it('keeps no worker from its address record', async () => {
    environment.sandbox.faults.add({ ...RECORDS, mode: 'hang-up' });
    const first = await launch();
    assert.deepEqual(first.launched, ['ci-0001']);
    const second = await retry();
    assert.equal(second.outcome, 'succeeded');
    assert.deepEqual(records(), ['ci-0001.sandbox.sandbox.example A']);
    const removed = await runner.update(async () => ({ launches: [], removals: ['ci-0001'] }));
    assert.deepEqual([removed.outcome, records()], ['succeeded', []]);
  });

  const removals: [string, FaultInput][] = [
    ['server', { vendor: 'hetzner', method: 'DELETE', path: '/v1/servers/*' }],
    ['placement group', { vendor: 'hetzner', method: 'DELETE', path: '/v1/placement_groups/*' }],
    ['tailnet key', { vendor: 'tailscale', method: 'DELETE', path: '/api/v2/tailnet/*/keys/*' }],
    ['name', { vendor: 'cloudflare', method: 'DELETE', path: '/client/v4/zones/*/dns_records/*' }],
  ];
  for (const [what, call] of removals) {
    it(`leaves nothing of a removed worker in the state: its ${what}`, async () => {
      assert.equal((await launch()).outcome, 'succeeded');
      environment.sandbox.faults.add({ ...call, mode: 'hang-up' });
      await runner.update(async () => ({ launches: [], removals: ['ci-0001'] }));
      const { outcome, problems } = await retry();
      assert.deepEqual({ outcome, problems }, { outcome: 'succeeded', problems: [] });
      assert.deepEqual(
        environment.resources().filter(({ urn }) => /::ci-(0001|nbg1)/.test(urn)),
        [],
      );
    });
  }

  it('has nothing deleted that may be somebody else’s', async () => {
    await createGroup({});
    assert.equal((await launch()).outcome, 'failed');
    const { outcome, problems } = await retry();
    assert.equal(outcome, 'failed');
    assert.match(problems[0]!, /^ci-nbg1-1: placement group name is already used/);
    assert.deepEqual(inventory(environment.sandbox).placementGroups, [GROUP]);
    assert.deepEqual(log, []);
  });

  it('has nothing deleted that somebody uses', async () => {
    const group = await createGroup({ 'managed-by': 'hcloud-worker-pools', stack: 'sandbox' });
    const server = { name: 'by-hand', server_type: 'cpx32', location: 'nbg1', image: 'debian-12' };
    await hetzner('/servers', { ...server, placement_group: group });
    assert.equal((await launch()).outcome, 'failed');
    assert.equal((await retry()).outcome, 'failed');
    assert.deepEqual(Object.keys(project(environment.sandbox).placementGroups), [String(group)]);
  });

  function launch() {
    return runner.update(async () => ({ launches: [NUREMBERG], removals: [] }));
  }

  /** What is recorded and has no server yet is made. */
  function retry() {
    return runner.update(async () => ({ launches: [], removals: [] }));
  }

  const records = (): string[] => inventory(environment.sandbox).records;

  async function createGroup(labels: Record<string, string>): Promise<number> {
    const made = await hetzner('/placement_groups', { name: GROUP, type: 'spread', labels });
    return (made as { placement_group: { id: number } }).placement_group.id;
  }

  async function hetzner(path: string, body: object): Promise<unknown> {
    const { url, token } = environment.sandbox.endpoints.hetzner;
    const headers = { authorization: `Bearer ${token}`, 'content-type': 'application/json' };
    const answer = await fetch(`${url}${path}`, { method: 'POST', headers, body: JSON.stringify(body) });
    assert.ok(answer.ok, await answer.clone().text());
    return answer.json();
  }
});
