import type { ServerStart, TailnetDevice } from '../kernel/lifecycle';
import type { SystemState } from './effects';
import type { HeartbeatProgram } from './heartbeat-program';

export type Stage = 'init' | 'modules-config' | 'modules-final';

/** How far the present boot is: the kernel starts, then cloud-init's stages, then nothing more to do. */
export type Phase = 'kernel' | Stage | 'done';

/** One simulated machine; plain data, so that a snapshot can keep it. Times are virtual milliseconds. */
export interface Machine {
  server: ServerStart;
  power: 'on' | 'off';
  phase: Phase;
  startedAt: number;
  /** When the present boot's init, config and final stages are due to end. */
  plan: Record<Stage, number>;
  /** When a stage last began or ended. */
  lastUpdate: number;
  /** cloud-init hangs for ever on this disk. */
  hangs: boolean;
  /** Whether cloud-init has been through all its stages on this disk: what runs once has run. */
  provisioned: boolean;
  /** Errors of the present boot, as cloud-init's status file keeps them. */
  errors: string[];
  hostname: string;
  system: SystemState;
  sshPort: number;
  /** Authorised public keys by user. */
  authorizedKeys: Record<string, string[]>;
  /** OpenSSH private key. */
  hostKey: string;
  tailscaleInstalled: boolean;
  tailscaleSsh: boolean;
  device: TailnetDevice | undefined;
  /** What its document set up to speak for it; absent before its first boot has ended, and where there is none. */
  heartbeat: Heartbeat | undefined;
  /** It runs, but nothing on it does anything any more, until it is started anew. */
  hung: boolean;
  /** Text of /var/log/cloud-init-output.log. */
  log: string;
}

/** How a machine's heartbeat stands. */
export interface Heartbeat {
  program: HeartbeatProgram;
  /** Whether the service took the last post. */
  registered: boolean;
  /** As the service last said. */
  draining: boolean;
  /** Seconds between two tries; 10 while the service answers. */
  pause: number;
  /** The time in the last post, virtual milliseconds. */
  lastAt: number;
}

export type MachineState = 'off' | 'booting' | 'cloud-init' | 'ready' | 'failed' | 'never-ready' | 'hung';

/** Name of a machine in the schedule, apart from other parts' names. */
export const subjectOf = (machine: Machine): string => `machine-${machine.server.serverId}`;

export const serverIdOf = (subject: string): number => Number(subject.replace('machine-', ''));

export function stateOf(machine: Machine): MachineState {
  if (machine.power === 'off') return 'off';
  if (machine.hung) return 'hung';
  if (machine.phase === 'kernel' || machine.phase === 'init') return 'booting';
  if (machine.phase === 'done') return machine.errors.length > 0 ? 'failed' : 'ready';
  return machine.hangs ? 'never-ready' : 'cloud-init';
}

/** Whether sshd runs: a while after the kernel, before cloud-init is through. */
export function acceptsLogins(machine: Machine): boolean {
  return machine.power === 'on' && machine.phase !== 'kernel' && machine.phase !== 'init';
}

/** A machine on a fresh disk, not started yet. */
export function freshMachine(server: ServerStart, hostKey: string, hangs: boolean): Machine {
  return {
    server,
    power: 'off',
    phase: 'kernel',
    startedAt: 0,
    plan: { init: 0, 'modules-config': 0, 'modules-final': 0 },
    lastUpdate: 0,
    hangs,
    provisioned: false,
    errors: [],
    hostname: server.name.split('.')[0] ?? server.name,
    system: {
      files: {},
      defaultRoute: false,
      resolvers: false,
      forwarding: false,
      nftRules: [],
      iptablesRules: [],
    },
    sshPort: 22,
    authorizedKeys: { root: server.sshPublicKeys },
    hostKey,
    tailscaleInstalled: false,
    tailscaleSsh: false,
    device: undefined,
    heartbeat: undefined,
    hung: false,
    log: '',
  };
}

const LOG_LIMIT = 256 * 1024;

export function writeLog(machine: Machine, line: string): void {
  machine.log = `${machine.log}${line}\n`.slice(-LOG_LIMIT);
}
