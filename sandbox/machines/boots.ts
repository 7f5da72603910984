import type { Kernel } from '../kernel/vendor';
import { runFinal, runInit, runPackages, type Surroundings } from './boot';
import { type Machine, serverIdOf, subjectOf, writeLog } from './machine';
import type { MachineSettings } from './settings';

const INIT = 'machine.init';
const PACKAGES = 'machine.packages';
const FINAL = 'machine.final';

/** Shares of a boot: sshd is up after a quarter, packages are done at the half. */
const INIT_SHARE = 0.25;
const PACKAGES_SHARE = 0.5;
/** A disk that has been through cloud-init boots in this share of the time. */
const REBOOT_SHARE = 0.4;
const RETRY_MS = 5000;

/** What the stages of a boot need of the machines' side, and whom they tell. */
export interface BootHost {
  settings(): MachineSettings;
  machine(serverId: number): Machine | undefined;
  around(): Surroundings;
  /** sshd can start. */
  reachable(machine: Machine): void;
  /** cloud-init has ended, well or not. */
  booted(machine: Machine, at: number): void;
  /** A stage has begun or ended. */
  changed(machine: Machine): void;
}

/** Takes machines through the stages of a boot, each at its virtual instant. */
export class Boots {
  constructor(
    private readonly kernel: Kernel,
    private readonly host: BootHost,
  ) {
    kernel.schedule.on(INIT, (subject, at) => this.stage(subject, at, (machine) => this.init(machine, at)));
    kernel.schedule.on(PACKAGES, (subject, at) =>
      this.stage(subject, at, (machine) => this.packages(machine, at)),
    );
    kernel.schedule.on(FINAL, (subject, at) => this.stage(subject, at, (machine) => this.final(machine, at)));
  }

  begin(machine: Machine): void {
    const { kernel } = this;
    const now = kernel.clock.now();
    const duration = this.drawBootMs() * (machine.provisioned ? REBOOT_SHARE : 1);
    const after = (share: number): number => Math.round(now + duration * share);
    Object.assign(machine, {
      power: 'on',
      phase: 'kernel',
      hung: false,
      startedAt: now,
      lastUpdate: now,
      errors: [],
      plan: {
        init: after(INIT_SHARE),
        'modules-config': after(PACKAGES_SHARE),
        'modules-final': after(1),
      },
    } satisfies Partial<Machine>);
    kernel.schedule.at(machine.plan.init, INIT, subjectOf(machine));
  }

  private init(machine: Machine, at: number): void {
    machine.phase = 'init';
    runInit(machine);
    machine.phase = 'modules-config';
    this.host.reachable(machine);
    this.kernel.schedule.at(Math.max(at, machine.plan['modules-config']), PACKAGES, subjectOf(machine));
  }

  private packages(machine: Machine, at: number): void {
    const outcome = runPackages(machine, at, this.host.around());
    if (outcome === 'hangs') return;
    if (outcome === 'again') return this.kernel.schedule.at(at + RETRY_MS, PACKAGES, subjectOf(machine));
    machine.phase = 'modules-final';
    const rest = machine.plan['modules-final'] - machine.plan['modules-config'];
    this.kernel.schedule.at(at + rest, FINAL, subjectOf(machine));
  }

  private final(machine: Machine, at: number): void {
    if (runFinal(machine, this.host.around()) === 'hangs') return;
    machine.phase = 'done';
    machine.provisioned = true;
    const up = ((at - machine.startedAt) / 1000).toFixed(2);
    const time = new Date(at).toUTCString().replace('GMT', '+0000');
    writeLog(
      machine,
      `Cloud-init v. 22.4.2 finished at ${time}. Datasource DataSourceHetzner.  Up ${up} seconds`,
    );
    this.host.reachable(machine);
    this.host.booted(machine, at);
  }

  private stage(subject: string, at: number, run: (machine: Machine) => void): void {
    const machine = this.host.machine(serverIdOf(subject));
    if (!machine) return;
    machine.lastUpdate = at;
    run(machine);
    this.host.changed(machine);
  }

  private drawBootMs(): number {
    const { bootSeconds, slowShare, slowFactor } = this.host.settings();
    const seconds = this.kernel.random.between(bootSeconds.min, bootSeconds.max);
    return seconds * 1000 * (this.kernel.random.next() < slowShare ? slowFactor : 1);
  }
}
