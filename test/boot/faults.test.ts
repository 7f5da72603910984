import assert from 'node:assert/strict';
import { BootWorld } from './boot-world';
import { BOOT_SECONDS, debianPool, workerOf } from './pools';
import { HOST_ADDRESS } from '../../sandbox/kernel/guest-network';

const MINUTE = 60_000;
/** Longer than the service waits for a machine that it has never seen boot. */
const PATIENCE = 600;
const HOUR = 3600;

describe('a machine whose set-up goes wrong', function () {
  this.timeout(20 * MINUTE);
  let boot: BootWorld;

  before(async () => {
    boot = await BootWorld.start(
      () => ({
        pools: {
          // No registry of the public ones can be reached from here.
          registry: { ...debianPool, workload: { traefik: true } },
          disk: { ...debianPool, workload: { docker: true } },
          restarted: { ...debianPool, workload: { docker: true } },
          clock: debianPool,
        },
      }),
      { guests: { clockOffsetSeconds: { 'sandbox-clock-0001': -HOUR } } },
    );
  });
  after(() => boot?.close());

  it('in a step: is explained by the step and its reason, and replaced', async () => {
    await boot.addJobs('registry', 1);
    const { id } = await launched('registry');
    await failed(id, /set-up failed in step \d\d-traefik: .*(docker|registry|lookup|dial)/i);
    await replaced('registry', id);
  });

  it('for want of disk space: is explained, and replaced', async () => {
    await boot.addJobs('disk', 1);
    const { id, machine } = await launched('disk');
    await said(machine, /worker-pools: \d\d-packages/);
    await boot.ssh(machine, 'fallocate -l $(($(df --output=avail -B1 / | tail -n 1) - 4096)) /full; true');
    await failed(id, /set-up failed in step \d\d-packages: .*(space|E:)/);
    await replaced('disk', id);
  });

  it('because it was started anew in the middle: is explained, and replaced', async () => {
    await boot.addJobs('restarted', 1);
    const { id, machine } = await launched('restarted');
    // By then what the steps before have written is on the disk.
    await said(machine, /Unpacking /);
    await boot.reset(machine);
    await failed(id, /set-up failed in step interrupted/);
    await replaced('restarted', id);
  });

  it('by nothing but a clock that is an hour behind: gets ready with the right time', async () => {
    await boot.addJobs('clock', 1);
    await boot.until('it is ready', () => boot.isReady('clock'), BOOT_SECONDS);
    const { machine } = await workerOf(boot, 'clock');
    const behind = Date.now() / 1000 - Number(await boot.ssh(machine, 'date +%s'));
    assert.ok(Math.abs(behind) < 60, `${behind} s`);
    assert.match(boot.console(machine), /worker-pools: clock synchronised/);
    await emptied('clock');
  });

  async function launched(pool: string): Promise<{ id: string; machine: string }> {
    await boot.until('its server is there', async () => (await boot.workers(pool)).length > 0, 120);
    return workerOf(boot, pool);
  }

  async function said(machine: string, what: RegExp): Promise<void> {
    await boot.until(`${machine} says ${what}`, () => what.test(boot.console(machine)), BOOT_SECONDS);
  }

  async function failed(id: string, why: RegExp): Promise<void> {
    const told = async (): Promise<boolean> =>
      (await boot.explained(id)).some(({ kind, summary }) => kind === 'worker' && why.test(summary));
    await boot.until(`${id} says ${why}`, told, BOOT_SECONDS);
  }

  /** The service gives it up in its own time, which is not waited for. */
  async function replaced(pool: string, id: string): Promise<void> {
    await boot.world.sandbox.advance(PATIENCE);
    const gone = async (): Promise<boolean> => (await boot.workers(pool)).every((worker) => worker.id !== id);
    await boot.until(`${id} is gone`, gone, 120);
    await boot.until('another is there', async () => (await boot.workers(pool)).length > 0, 300);
    await emptied(pool);
  }

  async function emptied(pool: string): Promise<void> {
    await boot.takeJobsBack(pool);
    await boot.scale(pool, 0);
    await boot.until(`${pool} is empty`, () => boot.isEmpty(pool), 180);
  }
});

describe('a machine that cannot reach its package repository', function () {
  this.timeout(15 * MINUTE);
  let boot: BootWorld;

  before(async () => {
    boot = await BootWorld.start(() => ({ pools: { ci: debianPool }, config: { access: unreachable } }));
  });
  after(() => boot?.close());

  const unreachable = {
    connectivity: 'tailscale',
    tags: ['tag:worker'],
    tailscale: { packages: `http://${HOST_ADDRESS}:9/none` },
  };

  it('says so', async () => {
    await boot.addJobs('ci', 1);
    await boot.until('its server is there', async () => (await boot.workers('ci')).length > 0, 120);
    const { id } = await workerOf(boot, 'ci');
    const told = async (): Promise<boolean> =>
      (await boot.explained(id)).some(({ summary }) => /step \d\d-packages: .*onnect/.test(summary));
    await boot.until(`${id} says why`, told, BOOT_SECONDS);
  });
});
