import assert from 'node:assert/strict';
import type { Raw } from '../engine/configs';
import { STACK } from '../engine/harness';
import type { BootWorld } from './boot-world';

/** A translated guest on a busy machine takes its time; one that runs on the processor itself a minute. */
export const BOOT_SECONDS = 600;

/** The least pool of real machines. */
export const debianPool: Raw = {
  size: { min: 0, max: 1 },
  slots: 1,
  image: 'debian-12',
  placements: [{ serverType: 'cx33', location: 'fsn1' }],
};

/** The only worker of a pool, its machine's name, and the seconds that it has been there. */
export async function workerOf(
  boot: BootWorld,
  pool: string,
): Promise<{ id: string; machine: string; bootSeconds: number }> {
  const [worker, ...others] = await boot.workers(pool);
  assert.ok(worker !== undefined && others.length === 0);
  const bootSeconds = Math.round(boot.world.now - worker.created);
  return { id: worker.id, machine: `${STACK}-${worker.id}`, bootSeconds };
}
