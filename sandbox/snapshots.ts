import { existsSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { z } from 'zod';
import type { Jobs } from './jobs';
import type { ClaimedAddresses } from './kernel/addresses';
import type { Kernel, Vendor } from './kernel/vendor';
import type { Machines } from './machines';

/** Wall milliseconds that changes are gathered before the file is written. */
const SAVE_DELAY_MS = 300;

const snapshotSchema = z.object({
  version: z.literal(2),
  seed: z.number(),
  now: z.number(),
  random: z.number(),
  schedule: z.array(z.object({ at: z.number(), kind: z.string(), subject: z.string() })),
  addresses: z.object({ block: z.string(), taken: z.array(z.string()) }),
  vendors: z.object({ hetzner: z.unknown(), tailscale: z.unknown(), cloudflare: z.unknown() }),
  machines: z.unknown(),
  jobs: z.unknown(),
});

export interface Snapshots {
  /** The whole cloud as plain data; holds tokens and keys of the local cloud. */
  take: () => unknown;
  /** Puts the cloud into a snapshot's state. A real clock then catches up with the wall clock, a stepped one does not. */
  load: (data: unknown) => Promise<void>;
  /** Loads the snapshot file, if one is named and there, and makes sure that it can be written. */
  loadFile: () => Promise<void>;
  /** To be called when something may have changed: the file is written soon after. */
  changed: () => void;
  /** Writes the file a last time. */
  close: () => void;
}

export class SnapshotError extends Error {
  override name = 'SnapshotError';
}

export function createSnapshots(
  cloud: {
    seed: number;
    kernel: Kernel;
    addresses: ClaimedAddresses;
    vendors: Vendor[];
    machines: Machines;
    jobs: Jobs;
  },
  file?: string,
): Snapshots {
  const { seed, kernel, addresses, vendors, machines, jobs } = cloud;
  let timer: NodeJS.Timeout | undefined;
  // A file that could not be loaded must not be overwritten with an empty cloud.
  let writable = false;

  const take = (): z.output<typeof snapshotSchema> => ({
    version: 2,
    seed,
    now: kernel.clock.now(),
    random: kernel.random.state(),
    schedule: kernel.schedule.snapshot(),
    addresses: addresses.snapshot(),
    vendors: vendorSnapshots(vendors),
    machines: machines.snapshot(),
    jobs: jobs.snapshot(),
  });

  const load = async (data: unknown): Promise<void> => {
    const parsed = snapshotSchema.safeParse(data);
    if (!parsed.success)
      throw new SnapshotError(`not a snapshot of this sandbox: ${z.prettifyError(parsed.error)}`);
    const snapshot = parsed.data;
    if (snapshot.seed !== seed)
      throw new SnapshotError(
        `the snapshot's tokens come from seed ${snapshot.seed}, this sandbox has ${seed}; start it with --seed ${snapshot.seed}`,
      );
    kernel.schedule.clear();
    await machines.reset();
    await addresses.restore(snapshot.addresses);
    kernel.clock.restore(snapshot.now);
    kernel.random.moveTo(snapshot.random);
    for (const vendor of vendors) vendor.restore(snapshot.vendors[vendor.name]);
    machines.restore(snapshot.machines);
    jobs.restore(snapshot.jobs);
    kernel.schedule.restore(snapshot.schedule);
    if (kernel.clock.mode.kind === 'real') kernel.schedule.advance(Math.max(0, Date.now() - snapshot.now));
    await machines.settled();
  };

  const save = (): void => {
    clearTimeout(timer);
    timer = undefined;
    if (file === undefined || !writable) return;
    // Written beside and renamed: a reader or a crash never sees half a file.
    writeFileSync(`${file}.new`, JSON.stringify(take()), { mode: 0o600 });
    renameSync(`${file}.new`, file);
  };

  const changed = (): void => {
    if (file !== undefined && writable) timer ??= setTimeout(save, SAVE_DELAY_MS);
  };
  kernel.schedule.onEvent(changed);

  return {
    take,
    load,
    loadFile: async () => {
      if (file !== undefined && existsSync(file)) await load(readSnapshot(file));
      writable = true;
      try {
        save();
      } catch (error) {
        writable = false;
        throw new SnapshotError(`the snapshot cannot be written: ${String(error)}`);
      }
    },
    changed,
    close: save,
  };
}

function readSnapshot(file: string): unknown {
  try {
    return JSON.parse(readFileSync(file, 'utf8')) as unknown;
  } catch (error) {
    throw new SnapshotError(
      `${file} cannot be read as a snapshot (${String(error)}); delete it or name another`,
    );
  }
}

function vendorSnapshots(vendors: Vendor[]): Record<Vendor['name'], unknown> {
  const of = (name: Vendor['name']): unknown => vendors.find((vendor) => vendor.name === name)?.snapshot();
  return { hetzner: of('hetzner'), tailscale: of('tailscale'), cloudflare: of('cloudflare') };
}
