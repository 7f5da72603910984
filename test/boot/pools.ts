import assert from 'node:assert/strict';
import type { Raw } from '../engine/configs';
import { STACK } from '../engine/harness';
import type { BootWorld, StackPlan } from './boot-world';
import type { ContainerRegistry } from './container-registry';
import { jobWorker } from './job-worker';

/** The least pool of real machines. */
export const debianPool: Raw = {
  size: { min: 0, max: 1 },
  slots: 1,
  image: 'debian-12',
  placements: [{ serverType: 'cx33', location: 'fsn1' }],
};

/** Pools whose workers do jobs in a container: of Debian 12 behind Traefik, and of Debian 13. */
export function openPools(registry: ContainerRegistry, queueUrl: string): StackPlan {
  return {
    config: { machines: { registryMirrors: [registry.url] } },
    pools: {
      proxied: jobPool('proxied', registry, queueUrl, { workload: { traefik: true } }),
      newer: jobPool('newer', registry, queueUrl, { image: 'debian-13' }),
    },
  };
}

/** The same, and one whose workers have no public address. */
export function allPools(registry: ContainerRegistry, queueUrl: string): StackPlan {
  const { config, pools } = openPools(registry, queueUrl);
  const natGateway = { serverType: 'cx23', location: 'fsn1', image: 'debian-12' };
  return {
    config: { ...config, network: { cidr: '10.20.0.0/16', zone: 'eu-central', natGateway } },
    pools: {
      ...pools,
      inside: jobPool('inside', registry, queueUrl, { publicNetwork: { ipv4: false, ipv6: false } }),
    },
  };
}

function jobPool(name: string, { image }: ContainerRegistry, queueUrl: string, changes: Raw): Raw {
  const { workload, ...rest } = changes;
  const container = jobWorker(name, image, queueUrl);
  return { ...debianPool, slots: 2, ...rest, workload: { ...(workload as Raw | undefined), container } };
}

/** The name of a worker's machine. */
export const machineOf = (worker: string): string => `${STACK}-${worker}`;

/** The only worker of a pool, its machine's name, and the seconds that it has been there. */
export async function workerOf(
  boot: BootWorld,
  pool: string,
): Promise<{ id: string; machine: string; bootSeconds: number }> {
  const [worker, ...others] = await boot.workers(pool);
  assert.ok(worker !== undefined && others.length === 0);
  const bootSeconds = Math.round(boot.world.now - worker.created);
  return { id: worker.id, machine: machineOf(worker.id), bootSeconds };
}
