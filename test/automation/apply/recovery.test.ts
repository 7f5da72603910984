import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { z } from 'zod';
import { startOf } from '../../../automation/apply/lock';
import { openStack } from '../../../automation/apply/stack-runner';
import type { StackRunner } from '../../../automation/apply/types';
import { inventory, serverIds, writes } from '../../engine/cloud';
import { ciPool, complete, type Raw, withPool } from '../../engine/configs';
import { endPlugins, start, type Running } from '../../engine/engine';
import { Environment, ROOT } from '../../engine/harness';
import { Secrets } from '../../engine/secrets';
import type { ServiceOrder } from './service';
import { FileIntents, runnerOptions, servicePlace, type ServicePlace } from './service-place';

const PLACEMENT = { pool: 'ci', serverType: 'cx33', location: 'fsn1' };
const LONG = 60_000;

describe('A service that was killed while it updated', function () {
  this.timeout(120_000);
  let environment: Environment;
  let config: Raw;
  let place: ServicePlace;
  let secrets: Secrets;
  /** A service of its own that recovers from what became of the others. */
  let runner: StackRunner;
  let running: Running | undefined;

  before(async () => {
    environment = await Environment.start({ hetzner: { limits: { servers: 100, primaryIps: 100 } } });
    config = withPool(complete(environment), 'ci', { size: { min: 1, max: 40 }, spread: true });
    environment.configure(config);
    place = await servicePlace(environment);
    secrets = new Secrets(environment);
    runner = await openStack(runnerOptions(place));
    const web = { pool: 'web', serverType: 'cax11', location: 'nbg1' };
    await runner.update(async () => ({ launches: [PLACEMENT, PLACEMENT, web], removals: [] }));
  });
  afterEach(async () => {
    await killAll();
    environment.sandbox.faults.clear();
  });
  after(async () => {
    await environment?.close();
  });

  it('gives back a lock that it took before it had decided anything', async () => {
    const before = snapshot();
    await reach(child({ launches: [PLACEMENT], hang: 'before the intent' }), 'hangs before the intent');
    await killAll();
    assert.deepEqual(await recovered(), [
      `broke the lock that process ${broken} of this service left on ${host}`,
    ]);
    assert.deepEqual(snapshot(), before);
  });

  it('makes nothing that it had not asked for yet, uses its id for nobody else, and can be killed again', async () => {
    const before = snapshot();
    await reach(child({ launches: [PLACEMENT], hang: 'after the intent' }), 'hangs after the intent');
    await killAll();
    await reach(child({ recover: true, hang: 'after the intent' }), 'hangs after the intent');
    await killAll();
    await recovered();
    assert.deepEqual(snapshot(), { ...before, nextSerial: before.nextSerial + 1 });
  });

  it('keeps who was made, takes in who was in the making, drops who was not, and finishes a removal', async () => {
    const before = snapshot();
    const [victim, ...kept] = before.members;
    const [finished, unheard, keyOnly] = [0, 1, 2].map((index) => workerAt(before.nextSerial + index));
    hold('tailscale', 'POST', '/api/v2/tailnet/*/keys', keyOnly);
    hold('hetzner', 'POST', '/v1/servers', `"name":"sandbox-${unheard}"`);
    const service = child({ launches: [PLACEMENT, PLACEMENT, PLACEMENT], removals: [victim!] });
    await until(() => {
      const now = serverIds(environment.sandbox);
      return `sandbox-${unheard}` in now && serversInState().includes(finished!);
    });
    await killAll(service);
    const made = serverIds(environment.sandbox);
    await recovered();
    assert.deepEqual(snapshot(), {
      nextSerial: before.nextSerial + 3,
      members: [...kept, finished, unheard],
    });
    delete made[`sandbox-${victim}`];
    assert.deepEqual(serverIds(environment.sandbox), made);
  });

  it('forgets a server that was deleted while nobody heard of it', async () => {
    const before = snapshot();
    const victim = before.members[0]!;
    hold('hetzner', 'DELETE', '/v1/servers/*');
    const service = child({ removals: [victim] });
    await until(() => !(`sandbox-${victim}` in serverIds(environment.sandbox)));
    await killAll(service);
    await recovered();
    assert.deepEqual(snapshot(), { ...before, members: before.members.slice(1) });
  });

  it('clears away a placement group and an address record that nobody heard of', async () => {
    const { nextSerial } = snapshot();
    const [member, other] = [workerAt(nextSerial), workerAt(nextSerial + 1)];
    const record = `${member}.sandbox.sandbox.example A`;
    const names = (): string[] => {
      const { placementGroups, records } = inventory(environment.sandbox);
      return [...placementGroups, ...records];
    };
    hold('hetzner', 'POST', '/v1/placement_groups');
    hold('cloudflare', 'POST', '/client/v4/zones/*/dns_records');
    const elsewhere = { ...PLACEMENT, serverType: 'cpx32', location: 'nbg1' };
    const service = child({ launches: [PLACEMENT, elsewhere] });
    await until(() => names().includes(record) && names().includes('sandbox-ci-nbg1-1'));
    await killAll(service);
    await recovered();
    assert.equal(names().filter((name) => name === record).length, 1);
    assert.ok(!names().includes('sandbox-ci-nbg1-1'));
    assert.ok(snapshot().members.includes(member));
    assert.ok(!snapshot().members.includes(other));
  });

  it('knows a record that was written before the intent was cleared', async () => {
    const before = snapshot();
    const removed = before.members[0]!;
    const service = child({ launches: [PLACEMENT], removals: [removed], hang: 'before clearing' });
    await reach(service, 'hangs before clearing');
    await killAll(service);
    const after = snapshot();
    assert.deepEqual(await recovered(), ['the interrupted update had changed nothing that was not recorded']);
    assert.deepEqual(snapshot(), after);
  });

  it('goes on when its engine has died after it, which is when that next speaks to nobody', async () => {
    const before = snapshot();
    const servers = serverCount();
    hold('hetzner', 'POST', '/v1/servers', undefined, 4000);
    const service = child({ launches: [PLACEMENT] });
    await until(() => serverCount() === servers + 1);
    const engine = engineOf(place)!;
    await service.kill();
    await until(() => startOf(engine) === undefined);
    await recovered();
    assert.equal(snapshot().members.length, before.members.length + 1);
  });

  it('leaves a person nothing to put right, and no secret anywhere', async () => {
    secrets.observe();
    const { changes, finished } = await environment.preview();
    assert.deepEqual(changes, {}, finished.text);
    assert.deepEqual(secrets.leaks(), []);
  });

  it('takes in a NAT machine that nobody heard of', async () => {
    const natGateway = { serverType: 'cx23', location: 'fsn1', image: 'debian-12' };
    const network = { cidr: '10.20.0.0/16', zone: 'eu-central', natGateway };
    const hidden = { ...ciPool, publicNetwork: { ipv4: false, ipv6: false } };
    environment.configure({ ...withPool(config, 'hidden', hidden), network });
    hold('hetzner', 'POST', '/v1/servers', '"name":"sandbox-nat"');
    const service = child({ launches: [{ ...PLACEMENT, pool: 'hidden' }] });
    await until(() => 'sandbox-nat' in serverIds(environment.sandbox));
    const made = serverIds(environment.sandbox);
    await killAll(service);
    environment.sandbox.faults.clear();
    await runner.recover();
    assert.deepEqual(serverIds(environment.sandbox), made);
    assert.ok(serversInState().includes('nat'));
    assert.deepEqual(pendingOperations(), []);
  });

  let broken = 0;
  let host = '';

  /** Recovers in a new service, and holds everything that has to be so afterwards. */
  async function recovered(): Promise<string[]> {
    for (const lock of locks()) {
      ({ pid: broken, hostname: host } = z.object({ pid: z.number(), hostname: z.string() }).parse(lock));
    }
    environment.sandbox.faults.clear();
    environment.sandbox.requests.clear();
    const done = await runner.recover();
    environment.transcripts.push(JSON.stringify(done));
    const { members } = snapshot();
    assert.deepEqual(serversInState(), [...members, 'web-0001'], done.join('\n'));
    assert.deepEqual(
      Object.keys(serverIds(environment.sandbox)).sort(),
      serversInState().map((id) => `sandbox-${id}`),
    );
    assert.deepEqual(
      writes(environment.sandbox).filter((call) => call === 'POST /v1/servers'),
      [],
    );
    assert.deepEqual(pendingOperations(), []);
    assert.deepEqual(locks(), []);
    assert.equal(await new FileIntents(place.intentFile).open(), undefined);
    return done;
  }

  function child(order: Omit<ServiceOrder, 'place'>): Running {
    const argument = JSON.stringify({ place, ...order });
    const command = ['node', '--require', 'tsx/cjs', join(__dirname, 'service.ts'), argument];
    running = environment['track'](start(command, { cwd: ROOT, env: place.environment }));
    return running;
  }

  /** As when the machine dies: the service, its engine and the engine's plugins. */
  async function killAll(service = running): Promise<void> {
    // The engine first, and nothing between: each of the two would still act when it sees the other die.
    const engine = engineOf(place);
    if (engine !== undefined) killGroup(engine);
    await service?.kill();
    endPlugins(place.pulumiHome);
    // On a busy machine a killed process is there for a while yet, and its lock is a living one's.
    if (engine !== undefined) await until(() => startOf(engine) === undefined);
  }

  async function reach(service: Running, line: string): Promise<void> {
    await until(() => service.text().includes(line));
  }

  function hold(
    vendor: 'hetzner' | 'tailscale' | 'cloudflare',
    method: string,
    path: string,
    body?: string,
    delayMs = LONG,
  ): void {
    const times = body === undefined ? 1 : null;
    environment.sandbox.faults.add({
      ...{ vendor, method, path, mode: 'slow', delayMs, times },
      ...(body === undefined ? {} : { body }),
    });
  }

  function snapshot(): { nextSerial: number; members: string[] } {
    const { nextSerial, members } = environment.record().membership['ci']!;
    return { nextSerial, members: members.map(({ id }) => id) };
  }

  function serverCount(): number {
    return Object.keys(serverIds(environment.sandbox)).length;
  }

  function serversInState(): string[] {
    return environment
      .resources()
      .filter(({ type }) => type === 'hcloud:index/server:Server')
      .map(({ urn }) => urn.slice(urn.lastIndexOf('::') + 2).replace('-server', ''))
      .sort();
  }

  function pendingOperations(): unknown[] {
    const file = join(environment.backend, '.pulumi', 'stacks', 'worker-pools', 'sandbox.json');
    return z
      .object({
        checkpoint: z.object({
          latest: z.object({ pending_operations: z.array(z.unknown()).default([]) }),
        }),
      })
      .parse(JSON.parse(readFileSync(file, 'utf8'))).checkpoint.latest.pending_operations;
  }

  function locks(): unknown[] {
    const folder = join(environment.backend, '.pulumi', 'locks');
    return readdirSync(folder, { recursive: true, encoding: 'utf8' })
      .filter((name) => name.endsWith('.json'))
      .map((name): unknown => JSON.parse(readFileSync(join(folder, name), 'utf8')));
  }
});

function engineOf({ pulumiHome, stack }: ServicePlace): number | undefined {
  try {
    const note: unknown = JSON.parse(readFileSync(join(pulumiHome, `running-${stack}.json`), 'utf8'));
    return z.object({ pid: z.number() }).parse(note).pid;
  } catch {
    return undefined;
  }
}

function killGroup(pid: number): void {
  try {
    process.kill(-pid, 'SIGKILL');
  } catch {
    // It has ended already.
  }
}

function workerAt(serial: number): string {
  return `ci-${serial.toString(36).padStart(4, '0')}`;
}

async function until(condition: () => boolean): Promise<void> {
  const deadline = Date.now() + 40_000;
  while (!condition()) {
    if (Date.now() > deadline) throw new Error('what was waited for did not happen within 40 s');
    await sleep(25);
  }
}
