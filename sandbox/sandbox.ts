import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { FastifyInstance } from 'fastify';
import { createCloudflare, type Cloudflare } from './cloudflare';
import { registerControl } from './control/api';
import { FaultBook } from './control/faults';
import { installGate } from './control/gate';
import { RequestLog } from './control/request-log';
import { type RealTailnet, startRealTailnet, type TailnetEndpoints } from './headscale';
import { createHetzner, type Hetzner } from './hetzner';
import { createJobs, type Jobs } from './jobs';
import { claimAddresses } from './kernel/addresses';
import { createClock, type Clock, type ClockMode } from './kernel/clock';
import type { NetworkView } from './kernel/lifecycle';
import { createRandom } from './kernel/random';
import { Schedule } from './kernel/schedule';
import type { Kernel, Vendor } from './kernel/vendor';
import { createMachines, type Machines } from './machines';
import { startGuests } from './qemu';
import { createRouter } from './router';
import { type DeepPartial, type SandboxSettings, sandboxSettingsSchema } from './settings';
import { createSnapshots } from './snapshots';
import { createTailscale, type Tailscale } from './tailscale';
import { type Labels, type Verdict, verdictOf } from './verdict';

export type { DeepPartial, SandboxSettings };

/** Where the parts answer and with which credentials; also the JSON line that `npm run sandbox` prints. */
export interface Endpoints {
  hetzner: { url: string; token: string };
  tailscale: { url: string; oauthClientId: string; oauthClientSecret: string };
  /** `zone` is the first zone's name. */
  cloudflare: { url: string; token: string; zone: string };
  control: { url: string };
  /** How machines come into the tailnet, where it is a real one. */
  tailnet?: TailnetEndpoints;
}

export interface StartOptions {
  /** 0, the default, picks a free one. */
  port?: number;
  host?: string;
  /** Loaded at start if it exists; kept up to date from then on. */
  snapshotFile?: string;
  /** Told what takes long: images are made, and a real tailnet's programs built. */
  log?: (line: string) => void;
}

/** A running local cloud. */
export interface Sandbox {
  readonly endpoints: Endpoints;
  readonly hetzner: Hetzner;
  readonly tailscale: Tailscale;
  readonly cloudflare: Cloudflare;
  readonly machines: Machines;
  /** The tenant's queue, which the machines work off. */
  readonly jobs: Jobs;
  readonly clock: Clock;
  readonly requests: RequestLog;
  readonly faults: FaultBook;
  /**
   * Moves virtual time forward, event by event; resolves when the machines that came up meanwhile listen and every
   * beat that became due was answered or given up (see `machines.heartbeatTimeoutSeconds`). Calls queue up.
   */
  advance(seconds: number): Promise<void>;
  setClockMode(mode: ClockMode): void;
  /** How it went until now; `labels` default to `pool` and `worker-id`. */
  verdict(labels?: Partial<Labels>): Verdict;
  /** Back to the state after start: same tokens and settings, nothing made, no faults, empty log. */
  reset(): Promise<void>;
  snapshot(): unknown;
  restore(data: unknown): Promise<void>;
  /** Saves the snapshot file, if there is one, and ends everything that was started. */
  close(): Promise<void>;
}

/**
 * Starts a local cloud on one port of the loopback interface: the three vendors' APIs under the vendors' own
 * paths, and the control API under /control.
 * @throws ZodError when a setting is wrong; the listen error (`EADDRINUSE`) when the port is taken;
 *   SnapshotError when the snapshot file is not one
 */
export async function startSandbox(
  partialSettings: DeepPartial<SandboxSettings> = {},
  options: StartOptions = {},
): Promise<Sandbox> {
  const settings = sandboxSettingsSchema.parse(partialSettings);
  const clock = createClock(settings.clock);
  const kernel: Kernel = { clock, schedule: new Schedule(clock), random: createRandom(settings.seed) };
  const addresses = await claimAddresses();

  const real = await realTailnet(kernel, settings, options).catch(async (error: unknown) => {
    await addresses.close();
    throw error;
  });
  const tailscale = createTailscale(kernel, settings.tailscale, {
    addresses,
    ...(real && { tailnet: real.tailnet }),
  });
  const jobs = createJobs(kernel);
  const network = (): NetworkView => hetzner;
  const machines =
    settings.machineKind === 'simulated'
      ? createMachines(kernel, settings.machines, { network, tailnet: tailscale, work: jobs })
      : await guests(kernel, settings, { network, options }).catch(async (error: unknown) => {
          await real?.close();
          await addresses.close();
          throw error;
        });
  const hetzner: Hetzner = createHetzner(kernel, settings.hetzner, { machines, addresses });
  const cloudflare = createCloudflare(kernel, settings.cloudflare);
  const vendors: Vendor[] = [hetzner, tailscale, cloudflare];

  const requests = new RequestLog();
  const faults = new FaultBook(settings.seed);
  const snapshots = createSnapshots(
    { seed: settings.seed, kernel, addresses, vendors, machines, jobs },
    options.snapshotFile,
  );
  const projectOf = (authorization: string | undefined): string | null => {
    const token = authorization?.replace(/^Bearer /, '');
    const owner = hetzner.projects.find(
      (project) => project.token === token || project.readOnlyToken === token,
    );
    return owner?.id ?? null;
  };

  let advancing: Promise<unknown> = Promise.resolve();
  const parts: Omit<Sandbox, 'endpoints' | 'close'> = {
    hetzner,
    tailscale,
    cloudflare,
    machines,
    jobs,
    clock,
    requests,
    faults,
    advance: (seconds) => {
      const advanced = advancing.then(() =>
        kernel.schedule.advanceSettling(seconds * 1000, () => machines.settled()),
      );
      advancing = advanced.catch(() => undefined);
      return advanced;
    },
    setClockMode: (mode) => {
      kernel.schedule.runDue();
      clock.setMode(mode);
      kernel.schedule.arm();
    },
    verdict: ({ pool = 'pool', worker = 'worker-id' } = {}) =>
      verdictOf({ hetzner, tailscale, machines, jobs }, { pool, worker }),
    reset: async () => {
      faults.clear();
      requests.clear();
      kernel.schedule.clear();
      await machines.reset();
      jobs.reset();
      for (const vendor of vendors) await vendor.reset();
      addresses.reset();
      snapshots.changed();
    },
    snapshot: snapshots.take,
    restore: snapshots.load,
  };
  const router = await createRouter([
    ...vendors.map((vendor) => ({
      prefix: vendor.prefix,
      register: (app: FastifyInstance) => {
        installGate(app, vendor, { kernel, log: requests, faults, projectOf, changed: snapshots.changed });
        vendor.register(app);
      },
    })),
    { prefix: '/control', register: (app) => registerControl(app, parts) },
  ]);

  const host = options.host ?? '127.0.0.1';
  const server = createServer(router.handle);
  // As Fastify sets it: longer than clients keep idle connections, so that they are the ones to close.
  server.keepAliveTimeout = 72_000;
  const close = async (): Promise<void> => {
    snapshots.close();
    kernel.schedule.stop();
    await machines.close();
    await closeServer(server);
    await router.close();
    await real?.close();
    await addresses.close();
  };
  try {
    await snapshots.loadFile();
    const port = await listen(server, host, options.port ?? 0);
    const endpoints = endpointsOf(`http://${host}:${port}`, parts);
    return { ...parts, endpoints: { ...endpoints, ...(real && { tailnet: real.endpoints }) }, close };
  } catch (error) {
    await close();
    throw error;
  }
}

async function realTailnet(
  kernel: Kernel,
  settings: SandboxSettings,
  options: StartOptions,
): Promise<RealTailnet | undefined> {
  if (settings.tailnetKind === 'simulated') return undefined;
  if (options.snapshotFile !== undefined)
    throw new Error('a snapshot holds no machines: a real tailnet cannot be kept in one');
  return startRealTailnet(kernel, settings.tailscale, options.log ?? (() => undefined));
}

async function guests(
  kernel: Kernel,
  settings: SandboxSettings,
  { network, options }: { network: () => NetworkView; options: StartOptions },
): Promise<Machines> {
  if (options.snapshotFile !== undefined)
    throw new Error('a snapshot holds no disks: real guests cannot be kept in one');
  return startGuests(kernel, settings, { network, log: options.log ?? (() => undefined) });
}

function endpointsOf(
  base: string,
  parts: { hetzner: Hetzner; tailscale: Tailscale; cloudflare: Cloudflare },
): Endpoints {
  const [project] = parts.hetzner.projects;
  const [zone] = parts.cloudflare.zones;
  if (!project || !zone) throw new Error('the settings name no Hetzner project or no Cloudflare zone');
  const { id, secret } = parts.tailscale.oauthClient;
  return {
    hetzner: { url: `${base}/v1`, token: project.token },
    tailscale: { url: base, oauthClientId: id, oauthClientSecret: secret },
    cloudflare: { url: `${base}/client/v4`, token: parts.cloudflare.token, zone: zone.name },
    control: { url: `${base}/control` },
  };
}

async function listen(server: Server, host: string, port: number): Promise<number> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, host, () => resolve((server.address() as AddressInfo).port));
  });
}

async function closeServer(server: Server): Promise<void> {
  if (!server.listening) return;
  const closed = new Promise((resolve) => server.close(resolve));
  server.closeAllConnections();
  await closed;
}
