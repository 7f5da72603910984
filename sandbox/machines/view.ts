import { type Machine, type MachineState, stateOf } from './machine';

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
  /** How its heartbeat stands, where its document set one up. */
  heartbeat:
    | {
        pool: string;
        slots: number;
        /** Whether the service took the last post. */
        registered: boolean;
        draining: boolean;
        /** Jobs that run on it. */
        busy: number;
      }
    | undefined;
  errors: string[];
  log: string;
}

export function viewOf(machine: Machine, busy: number): MachineView {
  const { server, device, heartbeat } = machine;
  return {
    serverId: server.serverId,
    projectId: server.projectId,
    name: server.name,
    hostname: machine.hostname,
    state: stateOf(machine),
    publicIpv4: server.publicIpv4,
    tailnetName: device?.name,
    tailnetAddresses: device?.addresses ?? [],
    sshPort: machine.sshPort,
    startedAt: new Date(machine.startedAt).toISOString(),
    heartbeat: heartbeat && {
      pool: heartbeat.program.pool,
      slots: heartbeat.program.slots,
      registered: heartbeat.registered,
      draining: heartbeat.draining,
      busy,
    },
    errors: machine.errors,
    log: machine.log,
  };
}
