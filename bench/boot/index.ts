import { BOOT_SECONDS, BootWorld } from '../../test/boot/boot-world';
import { startContainerRegistry } from '../../test/boot/container-registry';
import { openPools, workerOf } from '../../test/boot/pools';
import { type Blame, parseBlame } from './blame';

/** One worker's first boot, seconds. */
export interface Boot {
  pool: string;
  /** From the server's creation until the service knew it as ready. */
  ready: number;
  blame: Blame[];
}

/** Boots a worker of each of `openPools` by itself, one after the other, on the sandbox's real guests. */
export async function benchmarkBoots(progress: (line: string) => void): Promise<Boot[]> {
  const registry = await startContainerRegistry();
  try {
    progress('stack');
    let pools: string[] = [];
    const boot = await BootWorld.start((queueUrl) => {
      const plan = openPools(registry, queueUrl);
      pools = Object.keys(plan.pools);
      return plan;
    });
    try {
      const boots: Boot[] = [];
      for (const pool of pools) {
        progress(pool);
        boots.push(await measure(boot, pool));
      }
      return boots;
    } finally {
      await boot.close();
    }
  } finally {
    await registry.close();
  }
}

async function measure(boot: BootWorld, pool: string): Promise<Boot> {
  await boot.addJobs(pool, 1);
  await boot.until(`a worker of ${pool} is ready`, () => boot.isReady(pool), BOOT_SECONDS);
  const { machine, bootSeconds } = await workerOf(boot, pool);
  const blame = parseBlame(await boot.ssh(machine, 'systemd-analyze blame'));
  await boot.scale(pool, 0);
  await boot.until(`${pool} is empty`, () => boot.isEmpty(pool), 300);
  return { pool, ready: bootSeconds, blame };
}
