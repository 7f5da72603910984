import { EventEmitter } from 'node:events';
import type { MachineHost, NetworkView, ServerStart, TailnetHost } from '../kernel/lifecycle';
import type { Kernel } from '../kernel/vendor';
import { runFinal, runInit, runPackages, type Surroundings } from './boot';
import type { Console } from './console';
import { generateKeyPair } from './host-key';
import { acceptsLogins, freshMachine, type Machine, type MachineState, stateOf, writeLog } from './machine';
import { type MachineSettings, machineSettingsSchema } from './settings';
import { Sshd } from './ssh';

export { type MachineSettings, machineSettingsSchema, type MachineState };

/** A machine as the control API shows it. */
export interface MachineView {
  serverId: number;
  projectId: string;
  name: string;
  hostname: string;
  state: MachineState;
  publicIpv4: string | undefined;
  tailnetName: string | undefined;
  tailnetAddresses: string[];
  sshPort: number;
  /** Virtual time of the last power-on, RFC 3339. */
  startedAt: string;
  errors: string[];
  log: string;
}

/** The machines behind the servers: they boot, run their user data, join the tailnet and answer SSH. */
export interface Machines extends MachineHost {
  list(): MachineView[];
  /** Text of /var/log/cloud-init-output.log; undefined when the server has no machine. */
  log(serverId: number): string | undefined;
  readonly settings: MachineSettings;
  /** Holds for boots from now on. */
  changeSettings(settings: MachineSettings): void;
  /** Resolves when all machines that should listen do, and all that should not have stopped. */
  settled(): Promise<void>;
  snapshot(): unknown;
  restore(data: unknown): void;
  reset(): Promise<void>;
  close(): Promise<void>;
}

const INIT = 'machine.init';
const PACKAGES = 'machine.packages';
const FINAL = 'machine.final';

/** Shares of a boot: sshd is up after a quarter, packages are done at the half. */
const INIT_SHARE = 0.25;
const PACKAGES_SHARE = 0.5;
/** A disk that has been through cloud-init boots in this share of the time. */
const REBOOT_SHARE = 0.4;
const RETRY_MS = 5000;

/**
 * Creates the machines' side of the local cloud.
 * @param around.network is asked lazily: the Hetzner side is made after the machines
 */
export function createMachines(
  kernel: Kernel,
  settings: MachineSettings,
  around: { network: () => NetworkView; tailnet: TailnetHost },
): Machines {
  return new SimulatedMachines(kernel, settings, around);
}

class SimulatedMachines implements Machines {
  private current: MachineSettings;
  private machines = new Map<number, Machine>();
  private readonly sshds = new Map<number, Sshd>();
  private readonly pending = new Set<Promise<void>>();
  private readonly changes = new EventEmitter().setMaxListeners(0);

  constructor(
    private readonly kernel: Kernel,
    private readonly initial: MachineSettings,
    private readonly outside: { network: () => NetworkView; tailnet: TailnetHost },
  ) {
    this.current = initial;
    kernel.schedule.on(INIT, (subject, at) => this.stage(subject, at, () => this.init(subject, at)));
    kernel.schedule.on(PACKAGES, (subject, at) => this.stage(subject, at, () => this.packages(subject, at)));
    kernel.schedule.on(FINAL, (subject, at) => this.stage(subject, at, () => this.final(subject, at)));
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
    this.boot(machine);
  }

  stopped(serverId: number): void {
    const machine = this.machines.get(serverId);
    if (!machine) return;
    this.powerCut(machine);
    this.changed(serverId);
  }

  deleted(serverId: number): void {
    const machine = this.machines.get(serverId);
    if (!machine) return;
    this.powerCut(machine);
    this.machines.delete(serverId);
    this.changed(serverId);
  }

  list(): MachineView[] {
    return [...this.machines.values()].map(viewOf);
  }

  log(serverId: number): string | undefined {
    return this.machines.get(serverId)?.log;
  }

  async settled(): Promise<void> {
    while (this.pending.size > 0) await Promise.all(this.pending);
  }

  snapshot(): unknown {
    return structuredClone([...this.machines.values()]);
  }

  restore(data: unknown): void {
    // A snapshot is this code's own data, read back from a file that only this program writes.
    this.machines = new Map(
      (structuredClone(data) as Machine[]).map((machine) => [machine.server.serverId, machine]),
    );
    for (const machine of this.machines.values()) if (acceptsLogins(machine)) this.startSshd(machine);
  }

  async reset(): Promise<void> {
    const ids = [...this.machines.keys()];
    this.current = this.initial;
    this.machines.clear();
    for (const id of ids) {
      this.kernel.schedule.cancel(subjectOf(id));
      this.changed(id);
    }
    await this.close();
  }

  async close(): Promise<void> {
    for (const id of [...this.sshds.keys()]) this.stopSshd(id);
    await this.settled();
  }

  private boot(machine: Machine): void {
    const { kernel } = this;
    const id = machine.server.serverId;
    kernel.schedule.cancel(subjectOf(id));
    this.stopSshd(id);
    const now = kernel.clock.now();
    const duration = this.drawBootMs() * (machine.provisioned ? REBOOT_SHARE : 1);
    const after = (share: number): number => Math.round(now + duration * share);
    Object.assign(machine, {
      power: 'on',
      phase: 'kernel',
      startedAt: now,
      lastUpdate: now,
      errors: [],
      plan: {
        init: after(INIT_SHARE),
        'modules-config': after(PACKAGES_SHARE),
        'modules-final': after(1),
      },
    } satisfies Partial<Machine>);
    kernel.schedule.at(machine.plan.init, INIT, subjectOf(id));
    this.changed(id);
  }

  private init(subject: string, at: number): void {
    const machine = this.bySubject(subject);
    if (!machine) return;
    machine.phase = 'init';
    runInit(machine);
    machine.phase = 'modules-config';
    this.startSshd(machine);
    this.kernel.schedule.at(Math.max(at, machine.plan['modules-config']), PACKAGES, subject);
  }

  private packages(subject: string, at: number): void {
    const machine = this.bySubject(subject);
    if (!machine) return;
    const outcome = runPackages(machine, at, this.around());
    if (outcome === 'hangs') return;
    if (outcome === 'again') return this.kernel.schedule.at(at + RETRY_MS, PACKAGES, subject);
    machine.phase = 'modules-final';
    const rest = machine.plan['modules-final'] - machine.plan['modules-config'];
    this.kernel.schedule.at(at + rest, FINAL, subject);
  }

  private final(subject: string, at: number): void {
    const machine = this.bySubject(subject);
    if (!machine || runFinal(machine, this.around()) === 'hangs') return;
    machine.phase = 'done';
    machine.provisioned = true;
    const up = ((at - machine.startedAt) / 1000).toFixed(2);
    const time = new Date(at).toUTCString().replace('GMT', '+0000');
    writeLog(
      machine,
      `Cloud-init v. 22.4.2 finished at ${time}. Datasource DataSourceHetzner.  Up ${up} seconds`,
    );
    this.startSshd(machine);
  }

  private stage(subject: string, at: number, run: () => void): void {
    const machine = this.bySubject(subject);
    if (!machine) return;
    machine.lastUpdate = at;
    run();
    this.changed(machine.server.serverId);
  }

  private powerCut(machine: Machine): void {
    const id = machine.server.serverId;
    machine.power = 'off';
    this.kernel.schedule.cancel(subjectOf(id));
    this.stopSshd(id);
    if (machine.device) this.outside.tailnet.setOnline(machine.device.nodeId, false);
  }

  /** Starts sshd, or has it listen on what came up since. */
  private startSshd(machine: Machine): void {
    const id = machine.server.serverId;
    const sshd = this.sshds.get(id) ?? this.createSshd(machine);
    if (!sshd) return;
    this.sshds.set(id, sshd);
    const { publicIpv4 } = machine.server;
    if (publicIpv4 !== undefined) this.track(sshd.listen(publicIpv4, machine.sshPort));
    const tailnetAddress = machine.device?.addresses[0];
    if (tailnetAddress === undefined) return;
    this.track(sshd.listen(tailnetAddress, machine.sshPort));
    if (machine.tailscaleSsh) this.track(sshd.listen(tailnetAddress, 22));
  }

  private createSshd(machine: Machine): Sshd | undefined {
    const id = machine.server.serverId;
    try {
      return new Sshd({
        machine,
        admits: (address, sourceIp) =>
          address !== machine.server.publicIpv4 ||
          this.outside.network().acceptsInbound(id, machine.sshPort, sourceIp),
        neighbour: (address, port) => {
          const neighbour = this.outside.network().neighbour(id, address) ?? 0;
          return this.machines.get(neighbour)?.sshPort === port ? this.sshds.get(neighbour) : undefined;
        },
        console: (signal) => this.console(machine, signal),
        log: (line) => writeLog(machine, line),
      });
    } catch (error) {
      writeLog(machine, `sshd: Unable to load host key: ${String(error)}`);
      return undefined;
    }
  }

  private stopSshd(id: number): void {
    const sshd = this.sshds.get(id);
    this.sshds.delete(id);
    if (sshd) this.track(sshd.close());
  }

  private console(machine: Machine, signal: AbortSignal): Console {
    const event = subjectOf(machine.server.serverId);
    const { changes, kernel } = this;
    return {
      machine,
      now: () => kernel.clock.now(),
      get ended() {
        return signal.aborted;
      },
      change: () =>
        new Promise((resolve) => {
          const done = (): void => {
            changes.off(event, done);
            signal.removeEventListener('abort', done);
            resolve();
          };
          changes.on(event, done);
          signal.addEventListener('abort', done);
        }),
    };
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

  private drawBootMs(): number {
    const { bootSeconds, slowShare, slowFactor } = this.current;
    const seconds = this.kernel.random.between(bootSeconds.min, bootSeconds.max);
    return seconds * 1000 * (this.kernel.random.next() < slowShare ? slowFactor : 1);
  }

  private bySubject(subject: string): Machine | undefined {
    return this.machines.get(Number(subject.replace('machine-', '')));
  }

  private changed(id: number): void {
    this.changes.emit(subjectOf(id));
  }

  private track(work: Promise<void>): void {
    const tracked = work.finally(() => this.pending.delete(tracked));
    this.pending.add(tracked);
  }
}

/** Kept apart from other parts' subjects in the schedule. */
function subjectOf(serverId: number): string {
  return `machine-${serverId}`;
}

function viewOf(machine: Machine): MachineView {
  return {
    serverId: machine.server.serverId,
    projectId: machine.server.projectId,
    name: machine.server.name,
    hostname: machine.hostname,
    state: stateOf(machine),
    publicIpv4: machine.server.publicIpv4,
    tailnetName: machine.device?.name,
    tailnetAddresses: machine.device?.addresses ?? [],
    sshPort: machine.sshPort,
    startedAt: new Date(machine.startedAt).toISOString(),
    errors: machine.errors,
    log: machine.log,
  };
}
