import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ensureImage, type ImageFiles } from '../image';
import type { NetworkView, ServerStart } from '../kernel/lifecycle';
import type { Kernel } from '../kernel/vendor';
import type { Machines, MachineSettings, MachineView } from '../machines';
import { type Accelerator, chooseAccelerator } from './accelerator';
import { errorsBy, tailOf } from './console';
import { Guest, type Hypervisor } from './guest';
import { PrivateNetworks } from './network';
import { type GuestSettings, guestSettingsSchema } from './settings';
import { startTimeServer, type TimeServer } from './time-server';

export { type GuestSettings, guestSettingsSchema };

/**
 * Machines that are machines: every server is a QEMU guest with a real system, its own metadata service and its own
 * console. What they do, they do by themselves; nothing here plays their part.
 *
 * Makes the images first, which takes minutes when there are none yet.
 * @throws Error that says what is missing where guests cannot run
 */
export async function startGuests(
  kernel: Kernel,
  settings: { machines: MachineSettings; guests: GuestSettings },
  around: { network: () => NetworkView; log: (line: string) => void },
): Promise<Machines> {
  const { mode } = kernel.clock;
  if (mode.kind !== 'real' || mode.rate !== 1)
    throw new Error('real guests live in real time: start the sandbox with the real clock at rate 1');
  for (const name of settings.guests.images) await ensureImage(name, around.log);
  const time = await startTimeServer(() => Date.now()).catch((error: unknown) => {
    around.log(`Guests will have nobody to ask for the time: ${String(error)}`);
    return undefined;
  });
  return new Guests(kernel, settings, around, time);
}

class Guests implements Machines {
  private readonly folder = mkdtempSync(join(tmpdir(), 'sandbox-guests-'));
  private readonly guests = new Map<number, Guest>();
  /** What is still to be done with each server's guest: one thing after the other. */
  private readonly lines = new Map<number, Promise<void>>();
  private readonly hypervisor: Hypervisor;
  private accelerator: Promise<Accelerator> | undefined;
  private serial = 0;

  constructor(
    kernel: Kernel,
    private readonly given: { machines: MachineSettings; guests: GuestSettings },
    around: { network: () => NetworkView; log: (line: string) => void },
    private readonly time: TimeServer | undefined,
  ) {
    this.hypervisor = {
      image: async (name) => ensureImage(name ?? 'a snapshot', around.log),
      accelerator: (image: ImageFiles) => (this.accelerator ??= chooseAccelerator(image)),
      networks: new PrivateNetworks(around.network),
      settings: given.guests,
      now: () => kernel.clock.now(),
    };
  }

  get settings(): MachineSettings {
    return this.given.machines;
  }

  changeSettings(): void {
    throw Object.assign(new Error('real guests have no settings to change: they do as they do'), {
      statusCode: 409,
    });
  }

  started(server: ServerStart): void {
    const { serverId } = server;
    const guest = this.guests.get(serverId) ?? this.create(server);
    this.inLine(serverId, async () => {
      await guest.powerOff();
      try {
        await guest.powerOn(server);
      } catch (error) {
        await guest.powerOff();
        guest.note(`The guest cannot be started: ${error instanceof Error ? error.message : String(error)}`);
      }
    });
  }

  stopped(serverId: number): void {
    const guest = this.guests.get(serverId);
    if (guest) this.inLine(serverId, () => guest.powerOff());
  }

  deleted(serverId: number): void {
    const guest = this.guests.get(serverId);
    if (!guest) return;
    this.guests.delete(serverId);
    this.inLine(serverId, async () => {
      await guest.powerOff();
      guest.remove();
    });
  }

  hang(serverId: number): boolean {
    const guest = this.guests.get(serverId);
    if (guest?.state !== 'ready') return false;
    guest.hang();
    return true;
  }

  list(): MachineView[] {
    return [...this.guests.values()].map((guest) => viewOf(guest));
  }

  log(serverId: number): string | undefined {
    const guest = this.guests.get(serverId);
    return guest && tailOf(guest.console);
  }

  async settled(): Promise<void> {
    while (this.lines.size > 0) await Promise.all(this.lines.values());
  }

  snapshot(): unknown {
    return null;
  }

  restore(): void {
    throw new Error('a snapshot holds no disks: real guests cannot be restored from one');
  }

  async reset(): Promise<void> {
    for (const serverId of [...this.guests.keys()]) this.deleted(serverId);
    await this.settled();
  }

  async close(): Promise<void> {
    await this.reset();
    await this.time?.close();
    rmSync(this.folder, { recursive: true, force: true });
  }

  private create(server: ServerStart): Guest {
    // A folder of its own: the one of a server that was deleted may still be in use.
    const folder = join(this.folder, `${server.serverId}-${this.serial++}`);
    mkdirSync(folder);
    const guest = new Guest(this.hypervisor, server, folder);
    this.guests.set(server.serverId, guest);
    return guest;
  }

  private inLine(serverId: number, work: () => Promise<void>): void {
    const before = this.lines.get(serverId) ?? Promise.resolve();
    const line = before.then(work).finally(() => {
      if (this.lines.get(serverId) === line) this.lines.delete(serverId);
    });
    this.lines.set(serverId, line);
  }
}

function viewOf(guest: Guest): MachineView {
  const { server } = guest;
  return {
    serverId: server.serverId,
    projectId: server.projectId,
    name: server.name,
    hostname: server.name,
    state: guest.state,
    publicIpv4: server.publicIpv4,
    tailnetName: undefined,
    tailnetAddresses: [],
    sshPort: 22,
    startedAt: new Date(guest.startedAt).toISOString(),
    heartbeat: undefined,
    errors: errorsBy(guest.sinceBoot()),
    log: tailOf(guest.console),
  };
}
