import { EventEmitter } from 'node:events';
import type { Clock } from '../kernel/clock';
import type { NetworkView } from '../kernel/lifecycle';
import type { Console } from './console';
import { type Machine, subjectOf, writeLog } from './machine';
import { Sshd } from './ssh';

/** The machines' sshds, and the sessions that wait for a machine to change. */
export class Logins {
  private readonly sshds = new Map<number, Sshd>();
  private readonly pending = new Set<Promise<void>>();
  private readonly changes = new EventEmitter().setMaxListeners(0);

  constructor(
    private readonly outside: {
      clock: Clock;
      network: () => NetworkView;
      machine: (serverId: number) => Machine | undefined;
    },
  ) {}

  /** Starts sshd, or has it listen on what came up since. */
  start(machine: Machine): void {
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

  stop(machine: Machine): void {
    this.stopSshd(machine.server.serverId);
  }

  /** Wakes the sessions that wait for the machine to change. */
  changed(machine: Machine): void {
    this.changes.emit(subjectOf(machine));
  }

  /** Resolves when all that should listen does, and all that should not has stopped. */
  async settled(): Promise<void> {
    while (this.pending.size > 0) await Promise.all(this.pending);
  }

  async close(): Promise<void> {
    for (const id of [...this.sshds.keys()]) this.stopSshd(id);
    await this.settled();
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
          return this.outside.machine(neighbour)?.sshPort === port ? this.sshds.get(neighbour) : undefined;
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
    const event = subjectOf(machine);
    const { changes, outside } = this;
    return {
      machine,
      now: () => outside.clock.now(),
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

  private track(work: Promise<void>): void {
    const tracked = work.finally(() => this.pending.delete(tracked));
    this.pending.add(tracked);
  }
}
