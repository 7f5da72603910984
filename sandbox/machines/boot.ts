import type { NetworkView, TailnetHost } from '../kernel/lifecycle';
import { EnrolmentRefusedError } from '../kernel/lifecycle';
import { type MachineDocument, readDocument } from './document';
import { type Asked, playCommands } from './effects';
import { BEAT_SECONDS, findHeartbeat } from './heartbeat-program';
import { type Machine, type Stage, writeLog } from './machine';
import { readTailscaleUp, TailscaleUpError } from './tailscale-up';
import { readUserData, UserDataError } from './user-data';

/** Seconds that apt itself tries again before a package step has failed. */
const APT_PATIENCE_SECONDS = 15;

export interface Surroundings {
  network: NetworkView;
  tailnet: TailnetHost;
  machine(serverId: number): Machine | undefined;
  networkPatienceSeconds: number;
}

/** What becomes of a stage: it ended, it must be tried again, or it will never end. */
export type StageOutcome = 'ended' | 'again' | 'hangs';

/** init: user data is read, bootcmd runs, files are written, keys and host name are set; then sshd can start. */
export function runInit(machine: Machine): void {
  banner(machine, 'init');
  const document = documentOf(machine);
  if (!document) return;
  const asked = playCommands(document.bootCommands, machine.system, machine.hostname);
  for (const path of asked.missingFiles) fail(machine, 'bootcmd', `/bin/sh: 1: ${path}: not found`);
  if (machine.provisioned) return;
  Object.assign(machine.system.files, document.files);
  machine.hostname = document.hostname ?? machine.hostname;
  machine.authorizedKeys = authorizedKeys(machine, document);
  machine.hostKey = document.hostKey ?? machine.hostKey;
  machine.sshPort = sshPort(machine);
}

/** modules-config, with the packages that the final stage begins with: needs a way to the internet. */
export function runPackages(machine: Machine, at: number, around: Surroundings): StageOutcome {
  const document = documentOf(machine);
  if (machine.hangs) {
    writeLog(machine, 'Setting up the machine … (it hangs here: neverReadyShare)');
    return 'hangs';
  }
  if (!document || machine.provisioned) return 'ended';
  // Played on a copy: what runcmd will ask for decides how long the network is waited for.
  const ahead = playCommands(
    finalCommands(machine, document),
    structuredClone(machine.system),
    machine.hostname,
  );
  const boot = playCommands(document.bootCommands, structuredClone(machine.system), machine.hostname);
  const waits = boot.waitsForNetwork || (ahead.usesNetwork && ahead.waitsForNetwork);
  const hasPackages = document.packages.length > 0 || document.updatesPackages;
  const obstacle = noWayOut(machine, around);
  if (obstacle === undefined) {
    installPackages(machine, document);
    return 'ended';
  }
  if (!hasPackages && !waits) return 'ended';
  const patience = waits ? around.networkPatienceSeconds : APT_PATIENCE_SECONDS;
  if (at < machine.plan['modules-config'] + patience * 1000) {
    logOnce(machine, `No way out yet (${obstacle}); trying again for ${patience} s.`);
    return 'again';
  }
  if (hasPackages) packagesFailed(machine, document, obstacle);
  return 'ended';
}

/** modules-final: runcmd, and with it the tailnet. */
export function runFinal(machine: Machine, around: Surroundings): StageOutcome {
  banner(machine, 'modules:final');
  const document = documentOf(machine);
  if (machine.provisioned) {
    if (machine.device && noWayOut(machine, around) === undefined)
      around.tailnet.setOnline(machine.device.nodeId, true);
    return 'ended';
  }
  if (!document) return 'ended';
  const asked = playCommands(finalCommands(machine, document), machine.system, machine.hostname);
  for (const path of asked.missingFiles) fail(machine, 'scripts-user', `/bin/sh: 1: ${path}: not found`);
  const obstacle = asked.usesNetwork ? noWayOut(machine, around) : undefined;
  if (asked.installsTailscale && obstacle === undefined) machine.tailscaleInstalled = true;
  if (obstacle !== undefined)
    fail(machine, 'scripts-user', `Temporary failure resolving 'mirror.hetzner.com' (${obstacle})`);
  if (asked.tailscaleUp && !machine.tailscaleInstalled)
    fail(machine, 'scripts-user', '/var/lib/cloud/instance/scripts/runcmd: tailscale: not found');
  else if (asked.tailscaleUp && obstacle === undefined) {
    if (joinTailnet(machine, asked.tailscaleUp, around) === 'hangs') return 'hangs';
  }
  startHeartbeat(machine, asked);
  return 'ended';
}

/** A document starts it last: what failed before it keeps the machine silent. */
function startHeartbeat(machine: Machine, asked: Asked): void {
  const program =
    machine.errors.length === 0 ? findHeartbeat(asked.ranFiles, machine.system.files) : undefined;
  if (program)
    machine.heartbeat = { program, registered: false, draining: false, pause: BEAT_SECONDS, lastAt: 0 };
}

/** Why the machine does not reach the internet; undefined when it does. */
export function noWayOut(machine: Machine, around: Surroundings): string | undefined {
  const egress = around.network.egress(machine.server.serverId);
  if (egress.kind === 'public') return undefined;
  if (egress.kind === 'none') return 'no public address and no network route to a running gateway';
  if (!machine.system.defaultRoute) return 'no default route was set before this step';
  if (!machine.system.resolvers) return 'no resolvers were set before this step';
  const gateway = around.machine(egress.gatewayServerId);
  if (!gateway || gateway.power === 'off') return 'the gateway is off';
  if (gateway.phase !== 'done') return 'the gateway has not finished booting';
  if (!gateway.system.forwarding) return 'the gateway does not forward (net.ipv4.ip_forward)';
  if (!masquerades(gateway)) return 'the gateway has no source NAT rule';
  return undefined;
}

/** Notes a failed module, as cloud-init's log and status file would. */
export function fail(machine: Machine, module: string, reason: string): void {
  writeLog(machine, reason);
  writeLog(machine, `cloud-init[${machine.server.serverId}]: Failed to run module ${module}`);
  machine.errors.push(`('${module}', RuntimeError('${reason.replaceAll("'", '"')}'))`);
}

function documentOf(machine: Machine): MachineDocument | undefined {
  try {
    return readDocument(readUserData(machine.server.userData));
  } catch (error) {
    if (!(error instanceof UserDataError)) throw error;
    if (machine.errors.length === 0) fail(machine, 'consume_data', error.message);
    return undefined;
  }
}

/** What the final stage runs, in its order: the scripts folders, each by name, then runcmd and scripts. */
function finalCommands(machine: Machine, document: MachineDocument): string[] {
  const { files } = machine.system;
  const folders = ['per-once', 'per-boot', 'per-instance'].map((name) => `/var/lib/cloud/scripts/${name}/`);
  const scripts = folders.flatMap((folder) =>
    Object.keys(files)
      .filter((path) => path.startsWith(folder))
      .sort(),
  );
  return [...scripts, ...document.runCommands];
}

function authorizedKeys(machine: Machine, document: MachineDocument): Record<string, string[]> {
  const root = [...machine.server.sshPublicKeys, ...(document.authorizedKeys['root'] ?? [])];
  return { ...document.authorizedKeys, root };
}

function sshPort(machine: Machine): number {
  for (const [path, content] of Object.entries(machine.system.files)) {
    const port = /^\s*Port\s+(\d+)/m.exec(content)?.[1];
    if (/^\/etc\/ssh\/sshd_config(\.d\/.*\.conf)?$/.test(path) && port !== undefined) return Number(port);
  }
  return 22;
}

function installPackages(machine: Machine, document: MachineDocument): void {
  for (const name of document.packages) writeLog(machine, `Setting up ${name} ...`);
  if (document.packages.some((name) => /^tailscale(=|$)/.test(name))) machine.tailscaleInstalled = true;
}

function packagesFailed(machine: Machine, document: MachineDocument, obstacle: string): void {
  writeLog(
    machine,
    "W: Failed to fetch https://mirror.hetzner.com/debian/packages/dists/bookworm/InRelease  Temporary failure resolving 'mirror.hetzner.com'",
  );
  for (const name of document.packages) writeLog(machine, `E: Unable to locate package ${name}`);
  fail(
    machine,
    'package-update-upgrade-install',
    `Temporary failure resolving 'mirror.hetzner.com' (${obstacle})`,
  );
}

function joinTailnet(
  machine: Machine,
  asked: NonNullable<Asked['tailscaleUp']>,
  around: Surroundings,
): StageOutcome {
  try {
    const up = readTailscaleUp(asked.args, asked.files, machine.hostname);
    if (up.authKey === undefined) {
      writeLog(machine, 'To authenticate, visit:\n\n\thttps://login.tailscale.com/a/sandbox\n');
      if (up.timeoutSeconds === undefined) return 'hangs';
      throw new TailscaleUpError(
        'timeout waiting for Tailscale service to enter a Running state; no --auth-key was given',
      );
    }
    machine.device = around.tailnet.enrol({
      authKey: up.authKey,
      hostname: up.hostname,
      advertiseTags: up.advertiseTags,
      os: 'linux',
    });
    machine.tailscaleSsh = up.ssh;
    writeLog(machine, `tailscale: joined as ${machine.device.name}, ${machine.device.addresses.join(', ')}`);
  } catch (error) {
    if (error instanceof EnrolmentRefusedError)
      fail(machine, 'scripts-user', `tailscale up: backend error: ${error.message}`);
    else if (error instanceof TailscaleUpError)
      fail(machine, 'scripts-user', `tailscale up: ${error.message}`);
    else throw error;
  }
  return 'ended';
}

function masquerades(gateway: Machine): boolean {
  const { nftRules, iptablesRules } = gateway.system;
  return iptablesRules.length > 0 || nftRules.some((rules) => /\b(masquerade|snat to)\b/.test(rules));
}

function logOnce(machine: Machine, line: string): void {
  if (!machine.log.endsWith(`${line}\n`)) writeLog(machine, line);
}

function banner(machine: Machine, stage: Stage | 'modules:final'): void {
  const time = new Date(machine.lastUpdate).toUTCString().replace('GMT', '+0000');
  const up = ((machine.lastUpdate - machine.startedAt) / 1000).toFixed(2);
  writeLog(machine, `Cloud-init v. 22.4.2 running '${stage}' at ${time}. Up ${up} seconds.`);
}
