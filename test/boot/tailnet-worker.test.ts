import assert from 'node:assert/strict';
import { z } from 'zod';
import { keyRequest } from '../sandbox/tailscale/tailnet';
import { BootWorld } from './boot-world';
import { BOOT_SECONDS, debianPool, workerOf } from './pools';
import { TailscaleClient } from './tailscale-client';

const MINUTE = 60_000;

const devicesSchema = z.object({
  devices: z.array(z.object({ hostname: z.string(), tags: z.array(z.string()).optional() })),
});

describe('a worker that boots for real and joins a real tailnet', function () {
  this.timeout(5 * MINUTE);
  let boot: BootWorld;
  let operator: TailscaleClient;
  let machine: string;

  before('comes up for a job that waits', async function () {
    // Where nothing is cached yet, this is where the tailnet's programs are built.
    this.timeout(25 * MINUTE);
    boot = await BootWorld.start(() => ({ pools: { ci: debianPool } }), { tailnetKind: 'headscale' });
    const tailnet = boot.world.sandbox.endpoints.tailnet!;
    operator = await TailscaleClient.start(tailnet.programs);
    const key = (await boot.tailnetApi('POST', '/tailnet/-/keys', keyRequest({ ephemeral: true }))) as {
      key: string;
    };
    await operator.up(tailnet.hostLoginServer, key.key, 'operator');
    await boot.addJobs('ci', 1);
    await boot.until('a worker of ci is ready', () => boot.isReady('ci'), BOOT_SECONDS);
    ({ machine } = await workerOf(boot, 'ci'));
  });
  after(async () => {
    await operator?.close();
    await boot?.close();
  });

  it('is a device with its tag', async () => {
    assert.deepEqual(
      (await devices()).filter(({ hostname }) => hostname === machine),
      [{ hostname: machine, tags: ['tag:worker'] }],
    );
  });

  it('is reached by SSH over the tailnet, by its name and under its own host key', async () => {
    const [program, args] = operator.command('nc', machine, '22');
    assert.equal((await boot.sshThrough([program, ...args], machine, 'hostname')).trim(), machine);
  });

  it('has told the service its tailnet address, and used its key up', async () => {
    const address = (await boot.ssh(machine, 'tailscale ip -1')).trim();
    assert.equal((await boot.workers('ci'))[0]?.address, address);
    assert.equal(
      (await boot.ssh(machine, 'ls /run/worker-pools.key 2>&1 || true')).includes('No such file'),
      true,
    );
  });

  it('is off the tailnet when it is removed', async () => {
    await boot.takeJobsBack('ci');
    await boot.scale('ci', 0);
    await boot.until('the pool is empty', () => boot.isEmpty('ci'), 300);
    const gone = async (): Promise<boolean> =>
      (await devices()).every(({ hostname }) => hostname !== machine);
    await boot.until('its device is gone', gone, 120);
  });

  async function devices(): Promise<z.infer<typeof devicesSchema>['devices']> {
    return devicesSchema.parse(await boot.tailnetApi('GET', '/tailnet/-/devices')).devices;
  }
});
