import { setTimeout as sleep } from 'node:timers/promises';
import type { LoggedRequest } from '../../sandbox/control/request-log';
import type { Project, State } from '../../sandbox/hetzner/state';
import type { Sandbox } from '../../sandbox/sandbox';
import type { CloudflareState } from '../../sandbox/cloudflare/state';
import type { TailscaleState } from '../../sandbox/tailscale/state';

/** Everything that a stack can leave at the vendors, by name. */
export interface Inventory {
  servers: string[];
  sshKeys: string[];
  networks: string[];
  subnets: string[];
  routes: string[];
  firewalls: string[];
  placementGroups: string[];
  primaryIps: number;
  /** `NAME TYPE`, round-robin names as often as they are there. */
  records: string[];
  /** Host names. */
  devices: string[];
  /** Descriptions of keys that can still be used. */
  unusedKeys: string[];
}

export const NOTHING: Inventory = {
  servers: [],
  sshKeys: [],
  networks: [],
  subnets: [],
  routes: [],
  firewalls: [],
  placementGroups: [],
  primaryIps: 0,
  records: [],
  devices: [],
  unusedKeys: [],
};

/** What there is now. */
export function inventory(sandbox: Sandbox): Inventory {
  const hetzner = project(sandbox);
  const tailnet = tailnetState(sandbox);
  const { records } = sandbox.cloudflare.snapshot() as CloudflareState;
  const names = (items: Record<number, { name: string }>): string[] =>
    Object.values(items)
      .map(({ name }) => name)
      .sort();
  const networks = Object.values(hetzner.networks);
  return {
    servers: names(hetzner.servers),
    sshKeys: names(hetzner.sshKeys),
    networks: names(hetzner.networks),
    subnets: networks.flatMap(({ subnets }) => subnets.map(({ ipRange }) => ipRange)),
    routes: networks.flatMap(({ routes }) => routes.map(({ destination }) => destination)),
    firewalls: names(hetzner.firewalls),
    placementGroups: names(hetzner.placementGroups),
    primaryIps: Object.keys(hetzner.primaryIps).length,
    records: Object.values(records)
      .flat()
      .map(({ name, type }) => `${name} ${type}`)
      .sort(),
    devices: Object.values(tailnet.devices)
      .map(({ hostname }) => hostname)
      .sort(),
    unusedKeys: Object.values(tailnet.keys)
      .filter(({ used }) => !used)
      .map(({ description }) => description)
      .sort(),
  };
}

/** Ids of the servers by name: a server that was made anew has another one. */
export function serverIds(sandbox: Sandbox): Record<string, number> {
  return Object.fromEntries(Object.values(project(sandbox).servers).map(({ name, id }) => [name, id]));
}

/** Resolves when so many machines are on the tailnet. @throws when they are not within half a minute */
export async function joined(sandbox: Sandbox, machines: number): Promise<void> {
  const deadline = Date.now() + 30_000;
  while (Object.keys(tailnetState(sandbox).devices).length < machines) {
    if (Date.now() > deadline) throw new Error(`not ${machines} machines on the tailnet within 30 s`);
    await sleep(50);
  }
}

/** The Hetzner project of the first token. */
export function project(sandbox: Sandbox): Project {
  return Object.values((sandbox.hetzner.snapshot() as State).projects)[0]!;
}

export function tailnetState(sandbox: Sandbox): TailscaleState {
  return sandbox.tailscale.snapshot() as TailscaleState;
}

/** `METHOD path` of what was asked since the log was cleared; asking for an access token is reading. */
export function reads(sandbox: Sandbox): string[] {
  return sandbox.requests.list().filter(isRead).map(describe);
}

/** `METHOD path` of what was changed, or tried to change, since the log was cleared. */
export function writes(sandbox: Sandbox): string[] {
  return sandbox.requests
    .list()
    .filter((request) => !isRead(request))
    .map(describe);
}

function isRead({ method, path }: LoggedRequest): boolean {
  return method === 'GET' || path === '/api/v2/oauth/token';
}

function describe({ method, path }: LoggedRequest): string {
  return `${method} ${path.split('?')[0]}`;
}
