import { spawn, type ChildProcess } from 'node:child_process';
import { closeSync, existsSync, openSync, statSync, writeFileSync, appendFileSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { ImageFiles } from '../image';
import { runCommand } from '../kernel/command';
import type { ServerStart } from '../kernel/lifecycle';
import { systemPath } from '../kernel/programs';
import type { MachineState } from '../machines';
import type { Accelerator } from './accelerator';
import { commandLine } from './command-line';
import { stateBy, tailOf } from './console';
import { untilWeEnd } from './hypervisor-process';
import { type MetadataService, serveMetadata } from './metadata';
import type { PluggedIn, PrivateNetworks } from './network';
import type { GuestSettings } from './settings';

/** Ports of a guest's public address that are forwarded to it. */
const PORTS = [22, 80, 443, 2222];
/** QEMU ends at once when asked to; one that does not is ended. */
const PATIENCE_MS = 5000;

/** What every guest is made with. */
export interface Hypervisor {
  image(name: string | undefined): Promise<ImageFiles>;
  accelerator(image: ImageFiles): Promise<Accelerator>;
  networks: PrivateNetworks;
  settings: GuestSettings;
  now(): number;
}

/** One server's guest: its disk and console in a folder of its own, and the process while it has power. */
export class Guest {
  readonly console: string;
  startedAt = 0;
  hung = false;
  private process: ChildProcess | undefined;
  private metadata: MetadataService | undefined;
  private plugged: PluggedIn | undefined;
  /** Where the console's file ended at the last power-on. */
  private bootsAt = 0;

  constructor(
    private readonly hypervisor: Hypervisor,
    readonly server: ServerStart,
    private readonly folder: string,
  ) {
    this.console = join(folder, 'console.log');
    writeFileSync(this.console, '', { flag: 'a' });
  }

  get state(): MachineState {
    if (this.startedAt === 0) return 'booting';
    if (this.process === undefined) return 'off';
    return this.hung ? 'hung' : stateBy(this.sinceBoot());
  }

  sinceBoot(): string {
    return tailOf(this.console, this.bootsAt);
  }

  note(line: string): void {
    appendFileSync(this.console, `${line}\n`);
  }

  /** Switches it on, with a new disk where `freshDisk` says so. */
  async powerOn(server: ServerStart): Promise<void> {
    const { hypervisor } = this;
    const image = await hypervisor.image(server.image);
    const disk = join(this.folder, 'disk.qcow2');
    if (server.freshDisk || !existsSync(disk)) await this.writeDisk(image, disk);
    const isPrivateOnly = server.publicIpv4 === undefined && server.publicIpv6 === undefined;
    this.plugged = await hypervisor.networks.plug(server.serverId, this.folder, isPrivateOnly);
    const publicMac = macOf(server.serverId);
    const firstMac = isPrivateOnly ? this.plugged.interfaces[0]?.mac : publicMac;
    this.metadata = await serveMetadata({
      server,
      firstMac: firstMac ?? publicMac,
      networks: this.plugged.networks,
    });
    const args = commandLine(
      {
        serverId: server.serverId,
        image,
        disk,
        accelerator: await hypervisor.accelerator(image),
        settings: hypervisor.settings,
        clockOffset: hypervisor.settings.clockOffsetSeconds[server.name] ?? 0,
        metadataPort: this.metadata.port,
        publicInterface: isPrivateOnly
          ? undefined
          : { mac: publicMac, address: server.publicIpv4, ports: await freePorts(server.publicIpv4) },
        privateInterfaces: this.plugged.interfaces,
        metadataLink: this.plugged.metadataLink,
        console: this.console,
      },
      hypervisor.now(),
    );
    this.start(args);
  }

  /** Takes its power away: what is on the disk stays. */
  async powerOff(): Promise<void> {
    const child = this.process;
    this.process = undefined;
    if (child && child.exitCode === null && child.signalCode === null) {
      const ended = new Promise((resolve) => child.once('exit', resolve));
      // A hung one could not obey.
      child.kill(this.hung ? 'SIGKILL' : 'SIGTERM');
      const patience = new AbortController();
      await Promise.race([
        ended,
        sleep(PATIENCE_MS, undefined, { signal: patience.signal })
          .then(() => child.kill('SIGKILL'))
          .catch(() => undefined),
      ]);
      patience.abort();
      await ended;
    }
    this.hung = false;
    await this.metadata?.close();
    await this.plugged?.unplug();
    this.metadata = undefined;
    this.plugged = undefined;
  }

  /** Stops it in the middle of what it does; it still has power. */
  hang(): void {
    this.hung = true;
    this.process?.kill('SIGSTOP');
  }

  remove(): void {
    rmSync(this.folder, { recursive: true, force: true });
  }

  private start(args: string[]): void {
    this.bootsAt = statSync(this.console).size;
    const log = openSync(this.console, 'a');
    const child = spawn(...untilWeEnd(args), { stdio: ['ignore', log, log] });
    closeSync(log);
    this.process = child;
    this.note(`The guest is process ${child.pid ?? '(none)'} of this computer.`);
    this.startedAt = this.hypervisor.now();
    child.once('error', (error) => this.note(`The guest cannot be started: ${error.message}`));
    child.once('exit', () => {
      if (this.process === child) this.process = undefined;
    });
  }

  private async writeDisk(image: ImageFiles, disk: string): Promise<void> {
    rmSync(disk, { force: true });
    const base = ['-b', image.disk, '-F', 'raw'];
    await runCommand('qemu-img', ['create', '-q', '-f', 'qcow2', ...base, disk], {
      env: { ...process.env, PATH: systemPath },
    });
  }
}

/** As the vendor's, whose public interfaces begin with 92 or 96. */
const macOf = (serverId: number): string => {
  const digits = serverId.toString(16).padStart(8, '0').slice(-8);
  return `92:00:${digits.match(/../g)?.join(':')}`;
};

/** Those that this process may listen on, and that nobody else does. */
async function freePorts(address: string | undefined): Promise<number[]> {
  if (address === undefined) return [];
  const free: number[] = [];
  for (const port of PORTS) if (await isFree(address, port)) free.push(port);
  return free;
}

async function isFree(address: string, port: number): Promise<boolean> {
  const probe = createServer();
  return new Promise((resolve) => {
    probe.once('error', () => resolve(false));
    probe.listen(port, address, () => probe.close(() => resolve(true)));
  });
}
