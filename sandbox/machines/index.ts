import type { MachineHost, NetworkView, ServerStart, TailnetHost, Work } from '../kernel/lifecycle';
import type { Kernel } from '../kernel/vendor';
import { Beats } from './beats';
import type { Surroundings } from './boot';
import { Boots } from './boots';
import { generateKeyPair } from './host-key';
import { Logins } from './logins';
import {
  acceptsLogins,
  freshMachine,
  type Machine,
  type MachineState,
  serverIdOf,
  stateOf,
  subjectOf,
  writeLog,
} from './machine';
import { type MachineSettings, machineSettingsSchema } from './settings';
import { type MachineView, viewOf } from './view';

export { type MachineSettings, machineSettingsSchema, type MachineState, type MachineView };

/** The machines behind the servers: they boot, run their user data, join the tailnet, answer SSH, beat and work. */
export interface Machines extends MachineHost {
  list(): MachineView[];
  /** Text of /var/log/cloud-init-output.log; undefined when the server has no machine. */
  log(serverId: number): string | undefined;
  /** From now on it runs and does nothing: no beats, and its jobs never end. False unless it is ready. */
  hang(serverId: number): boolean;
  readonly settings: MachineSettings;
  /** Holds for boots from now on. */
  changeSettings(settings: MachineSettings): void;
  /** Resolves when all that should listen does, all that should not has stopped, and no beat waits for its answer. */
  settled(): Promise<void>;
  snapshot(): unknown;
  restore(data: unknown): void;
  reset(): Promise<void>;
  close(): Promise<void>;
}

const DIE = 'machine.die';

/**
 * Creates the machines' side of the local cloud.
 * @param around.network is asked lazily: the Hetzner side is made after the machines
 */
export function createMachines(
  kernel: Kernel,
  settings: MachineSettings,
  around: { network: () => NetworkView; tailnet: TailnetHost; work: Work },
): Machines {
  return new SimulatedMachines(kernel, settings, around);
}

class SimulatedMachines implements Machines {
  private current: MachineSettings;
  private machines = new Map<number, Machine>();
  private readonly boots: Boots;
  private readonly logins: Logins;
  private readonly beats: Beats;

  constructor(
    private readonly kernel: Kernel,
    private readonly initial: MachineSettings,
    private readonly outside: { network: () => NetworkView; tailnet: TailnetHost; work: Work },
  ) {
    this.current = initial;
    const machine = (id: number): Machine | undefined => this.machines.get(id);
    this.logins = new Logins({ clock: kernel.clock, network: outside.network, machine });
    this.beats = new Beats(kernel, {
      machine,
      work: outside.work,
      timeoutSeconds: () => this.current.heartbeatTimeoutSeconds,
    });
    this.boots = new Boots(kernel, {
      settings: () => this.current,
      machine,
      around: () => this.around(),
      reachable: (reached) => this.logins.start(reached),
      booted: (booted, at) => this.booted(booted, at),
      changed: (changed) => this.logins.changed(changed),
    });
    kernel.schedule.on(DIE, (subject) => this.hang(serverIdOf(subject)));
  }

  get settings(): MachineSettings {
    return this.current;
  }

  changeSettings(settings: MachineSettings): void {
    this.current = settings;
  }

  started(server: ServerStart): void {
    const before = this.machines.get(server.serverId);
    if (before) this.powerCut(before);
    const machine =
      before && !server.freshDisk
        ? before
        : freshMachine(server, generateKeyPair().private, this.drawHangs());
    machine.server = server;
    this.machines.set(server.serverId, machine);
    this.boots.begin(machine);
    this.logins.changed(machine);
  }

  stopped(serverId: number): void {
    const machine = this.machines.get(serverId);
    if (!machine) return;
    this.powerCut(machine);
    this.logins.changed(machine);
  }

  deleted(serverId: number): void {
    const machine = this.machines.get(serverId);
    if (!machine) return;
    this.powerCut(machine);
    this.machines.delete(serverId);
    this.logins.changed(machine);
  }

  hang(serverId: number): boolean {
    const machine = this.machines.get(serverId);
    if (!machine || stateOf(machine) !== 'ready') return false;
    machine.hung = true;
    writeLog(machine, 'The machine hangs from here on.');
    this.kernel.schedule.cancel(subjectOf(machine));
    this.beats.stop(machine);
    this.outside.work.hung(serverId);
    this.logins.changed(machine);
    return true;
  }

  list(): MachineView[] {
    return [...this.machines.values()].map((machine) =>
      viewOf(machine, this.outside.work.running(machine.server.serverId).length),
    );
  }

  log(serverId: number): string | undefined {
    return this.machines.get(serverId)?.log;
  }

  async settled(): Promise<void> {
    await this.logins.settled();
    await this.beats.answered();
  }

  snapshot(): unknown {
    return structuredClone([...this.machines.values()]);
  }

  restore(data: unknown): void {
    // A snapshot is this code's own data, read back from a file that only this program writes.
    this.machines = new Map(
      (structuredClone(data) as Machine[]).map((machine) => [machine.server.serverId, machine]),
    );
    for (const machine of this.machines.values()) if (acceptsLogins(machine)) this.logins.start(machine);
  }

  async reset(): Promise<void> {
    const before = [...this.machines.values()];
    this.current = this.initial;
    this.machines.clear();
    for (const machine of before) {
      this.kernel.schedule.cancel(subjectOf(machine));
      this.logins.changed(machine);
    }
    await Promise.all([this.logins.close(), this.beats.reset()]);
  }

  async close(): Promise<void> {
    await Promise.all([this.logins.close(), this.beats.close()]);
  }

  private booted(machine: Machine, at: number): void {
    const { heartbeat } = machine;
    const { serverId } = machine.server;
    if (!heartbeat || stateOf(machine) !== 'ready') return;
    this.outside.work.up({ serverId, pool: heartbeat.program.pool, slots: heartbeat.program.slots });
    this.beats.start(machine, at);
    const { dieShare, dieAfterSeconds } = this.current;
    // Drawn only where asked for, so that the setting leaves other draws of the same seed alone.
    if (dieShare === 0 || this.kernel.random.next() >= dieShare) return;
    const seconds = this.kernel.random.between(dieAfterSeconds.min, dieAfterSeconds.max);
    this.kernel.schedule.at(at + Math.round(seconds * 1000), DIE, subjectOf(machine));
  }

  private powerCut(machine: Machine): void {
    machine.power = 'off';
    this.kernel.schedule.cancel(subjectOf(machine));
    this.logins.stop(machine);
    this.beats.stop(machine);
    this.outside.work.down(machine.server.serverId);
    if (machine.device) this.outside.tailnet.setOnline(machine.device.nodeId, false);
  }

  private around(): Surroundings {
    return {
      network: this.outside.network(),
      tailnet: this.outside.tailnet,
      machine: (id) => this.machines.get(id),
      networkPatienceSeconds: this.current.networkPatienceSeconds,
    };
  }

  private drawHangs(): boolean {
    return this.kernel.random.next() < this.current.neverReadyShare;
  }
}
