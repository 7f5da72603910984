import type { FastifyInstance } from 'fastify';
import type { AddressPool, MachineHost, NetworkView } from '../kernel/lifecycle';
import type { Kernel, Vendor } from '../kernel/vendor';
import { actionRoutes } from './action-routes';
import { ACTION_FAILED, Actions } from './actions';
import { projectCost, type ProjectCost } from './billing';
import { initialImages, initialServerTypes } from './catalogue';
import { createCatalogueControl, type CatalogueControl } from './catalogue-control';
import type { Cloud } from './cloud';
import { emptyResourceRoutes } from './empty-resources';
import { errorBody } from './errors';
import { fleetReport, type FleetReport } from './fleet';
import { listenForSettledFirewalls } from './firewall-targets';
import { firewallRoutes } from './firewalls';
import { PREFIX, registerApi, type Route, type TokenOwner } from './http';
import { addSnapshot, imageRoutes } from './images';
import { createNetworkView } from './network-view';
import { networkRoutes } from './networks';
import { placementGroupRoutes } from './placement-groups';
import { placeRoutes } from './pricing';
import { primaryIpRoutes } from './primary-ips';
import { rateLimitHeaders } from './rate-limit';
import { serverRoutes } from './servers';
import { serverTypeRoutes } from './server-types';
import type { HetznerSettings } from './settings';
import { sshKeyRoutes } from './ssh-keys';
import { emptyProject, type State } from './state';
import { volumeRoutes } from './volumes';

export { hetznerSettingsSchema, type HetznerSettings } from './settings';
export type { CostItem, ProjectCost } from './billing';
export type { FleetReport } from './fleet';
export type { CatalogueControl } from './catalogue-control';

/** A project with its two 64-character tokens. */
export interface ProjectAccess {
  id: string;
  name: string;
  /** Read and write. */
  token: string;
  readOnlyToken: string;
}

/** The Hetzner Cloud API v1 with state, and what tests and machines may ask of it. */
export interface Hetzner extends Vendor, NetworkView {
  readonly projects: ProjectAccess[];
  readonly catalogue: CatalogueControl;
  /** What each project's servers and addresses have cost until now, deleted ones included. */
  costReport(): ProjectCost[];
  /** The servers that there ever were, of all projects, by the value of one of their labels. */
  fleetReport(label: string): Record<string, FleetReport>;
  /** The next action of this command fails in the end, with this error. */
  failNextAction(command: string, error?: { code: string; message: string }): void;
}

export interface HetznerDependencies {
  machines: MachineHost;
  addresses: AddressPool;
}

const TOKEN_LENGTH = 64;
const FIRST_ID = 100_000_000;

/**
 * Creates the vendor. Tokens are drawn from the kernel's randomness at once and stay the same over resets;
 * `deps.machines` is only called when a server starts, stops or goes.
 */
export function createHetzner(kernel: Kernel, settings: HetznerSettings, deps: HetznerDependencies): Hetzner {
  const projects = settings.projects.map((name): ProjectAccess => ({
    id: name,
    name,
    token: kernel.random.text(TOKEN_LENGTH),
    readOnlyToken: kernel.random.text(TOKEN_LENGTH),
  }));
  const owners = new Map<string, TokenOwner>(
    projects.flatMap(({ id, token, readOnlyToken }) => [
      [token, { projectId: id, readOnly: false }],
      [readOnlyToken, { projectId: id, readOnly: true }],
    ]),
  );
  const cloud: Cloud = {
    kernel,
    settings,
    machines: deps.machines,
    addresses: deps.addresses,
    actions: new Actions(() => cloud),
    state: emptyState(kernel, settings),
  };
  addSnapshots(cloud);
  cloud.actions.listen();
  listenForSettledFirewalls(cloud);
  const routes = collectRoutes(cloud);

  return {
    name: 'hetzner',
    prefix: PREFIX,
    projects,
    catalogue: createCatalogueControl(cloud),
    ...createNetworkView(cloud),
    register: (app: FastifyInstance) => registerApi(app, cloud, (token) => owners.get(token), routes),
    errorBody: (_status, code, message, details) => errorBody(code, message, details ?? null),
    rateLimited: (now) => ({
      code: 'rate_limit_exceeded',
      message: `limit of ${settings.rateLimitPerHour} requests per hour reached`,
      headers: rateLimitHeaders({ tokens: 0, refilledAt: now }, settings.rateLimitPerHour),
    }),
    snapshot: () => structuredClone(cloud.state),
    restore: (data) => {
      cloud.state = structuredClone(data) as State;
    },
    reset: () => {
      releaseEverything(cloud);
      cloud.state = emptyState(kernel, settings);
      addSnapshots(cloud);
    },
    costReport: () =>
      Object.values(cloud.state.projects).map((project) => projectCost(project, kernel.clock.now())),
    fleetReport: (label) =>
      fleetReport(
        Object.values(cloud.state.projects).flatMap(({ bills }) => bills),
        label,
        kernel.clock.now(),
      ),
    failNextAction: (command, error = ACTION_FAILED) => {
      cloud.state.plannedFailures.push({ command, ...error });
    },
  };
}

/** Defines commands and events once, and remembers the routes for each instance they are registered on. */
function collectRoutes(cloud: Cloud): (route: Route) => void {
  const collected: Parameters<Route>[] = [];
  const route: Route = (...entry) => collected.push(entry);
  actionRoutes(route, cloud);
  serverTypeRoutes(route, cloud);
  placeRoutes(route, cloud);
  imageRoutes(route, cloud);
  sshKeyRoutes(route, cloud);
  placementGroupRoutes(route, cloud);
  networkRoutes(route, cloud);
  firewallRoutes(route, cloud);
  primaryIpRoutes(route, cloud);
  serverRoutes(route, cloud);
  volumeRoutes(route, cloud);
  emptyResourceRoutes(route);
  return (target) => {
    for (const entry of collected) target(...entry);
  };
}

function emptyState(kernel: Kernel, settings: HetznerSettings): State {
  const now = kernel.clock.now();
  return {
    lastId: FIRST_ID,
    ipv6Networks: 0,
    catalogue: {
      serverTypes: initialServerTypes(),
      systemImages: initialImages(),
      disabledLocations: [],
    },
    projects: Object.fromEntries(settings.projects.map((id) => [id, emptyProject(id, now, settings)])),
    plannedFailures: [],
  };
}

function addSnapshots(cloud: Cloud): void {
  for (const project of Object.values(cloud.state.projects)) {
    for (const snapshot of cloud.settings.snapshots) addSnapshot(cloud, project, snapshot);
  }
}

/** Before a reset: nothing of the old state may happen any more, and its addresses are free again. */
function releaseEverything(cloud: Cloud): void {
  cloud.actions.cancelAll();
  for (const project of Object.values(cloud.state.projects)) {
    for (const server of Object.values(project.servers)) {
      cloud.kernel.schedule.cancel(`hetzner/shutdown/${server.id}`);
      cloud.kernel.schedule.cancel(`hetzner/firewall/${server.id}`);
      cloud.machines.deleted(server.id);
    }
    for (const ip of Object.values(project.primaryIps)) {
      if (ip.type === 'ipv4') cloud.addresses.release(ip.ip);
    }
  }
}
