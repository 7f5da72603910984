import { clock } from './clock';
import { certificates } from './certificates';
import { traefik, workload } from './containers';
import { docker } from './docker';
import { failureReport } from './failure-report';
import { metadataGuard, sourceNat } from './firewall';
import { heartbeat } from './heartbeat';
import { hostName } from './host-name';
import { jobs } from './jobs';
import type { GatewayMachine, Machine, WorkerMachine } from './machine';
import { packages } from './packages';
import { route } from './route';
import type { CloudConfig, Section, WriteFile } from './section';
import { ssh } from './ssh';
import { runtime, steps } from './steps';
import { tailscale } from './tailscale';

/** A machine's cloud-config, and the concerns that it was put together from. */
export interface MachineDocument {
  config: CloudConfig;
  sections: readonly Section[];
}

/**
 * The worker's document, in the order in which things happen on the machine: the way out and the clock before
 * any package, the heartbeat after everything that the worker needs to do a job.
 *
 * @throws RangeError for an environment name or value that no container can have.
 */
export function workerDocument(machine: WorkerMachine): MachineDocument {
  const { network, service } = machine;
  const container = machine.workload?.container;
  const needsDocker = machine.docker || machine.traefik !== undefined || container !== undefined;
  return compose(
    [
      ...(service ? [failureReport(machine, service)] : []),
      ...(network.kind === 'private-only' ? [route(network)] : []),
      clock(machine),
      jobs(),
      ...basics(machine),
    ],
    [
      ...(needsDocker ? [docker(machine)] : []),
      metadataGuard(),
      ...tailnet(machine),
      ...(machine.traefik ? [traefik(machine.traefik)] : []),
      ...(container ? [workload(container)] : []),
      ...(service ? [heartbeat(machine, service)] : []),
    ],
  );
}

/** The NAT machine's document. The tailnet comes last: workers wait for the forwarding. */
export function gatewayDocument(machine: GatewayMachine): MachineDocument {
  return compose([clock(machine), ...basics(machine)], [sourceNat(machine.cidr), ...tailnet(machine)]);
}

function basics(machine: Machine): Section[] {
  const { trustedCertificates: trusted = [] } = machine;
  return [hostName(machine), ssh(machine.ssh), ...(trusted.length > 0 ? [certificates(trusted)] : [])];
}

function tailnet({ tailscale: settings, hostname, os }: Machine): Section[] {
  return settings ? [tailscale(settings, hostname, os)] : [];
}

function compose(early: Section[], late: Section[]): MachineDocument {
  const sections = [...early, runtime(), packages(late), ...late];
  return { config: merge(sections), sections };
}

/** One cloud-config of several concerns; keys that nobody fills are left out. */
export function merge(sections: readonly Section[]): CloudConfig {
  const bootcmd = sections.flatMap((section) => section.bootcmd ?? []);
  const files: WriteFile[] = [...sections.flatMap((section) => section.files ?? []), ...steps(sections)];
  return {
    ...(Object.assign({}, ...sections.map((section) => section.settings)) as CloudConfig),
    ...(bootcmd.length > 0 && { bootcmd }),
    ...(files.length > 0 && { write_files: files }),
  };
}
