import { z } from 'zod';
import { idField } from './body';
import { projectWith, type Cloud } from './cloud';
import { ApiError, limitExceeded } from './errors';
import { matches, parseSelector } from './labels';
import type { Action, Firewall, Project, Server } from './state';

const SETTLED = 'hetzner.firewall.settled';

export const targetField = z.discriminatedUnion('type', [
  z.object({ type: z.literal('server'), server: z.object({ id: idField }) }),
  z.object({ type: z.literal('label_selector'), label_selector: z.object({ selector: z.string().min(1) }) }),
]);
export type Target = z.output<typeof targetField>;

export const hasPublicNet = (server: Server): boolean =>
  server.primaryIps.ipv4 !== null || server.primaryIps.ipv6 !== null;

/** Ids of the servers that the firewall is meant for, by name or by label. */
export function appliedServers(project: Project, firewall: Firewall): number[] {
  const selectors = firewall.selectors.map(parseSelector);
  return Object.values(project.servers)
    .filter(
      (server) =>
        hasPublicNet(server) &&
        (firewall.servers.includes(server.id) ||
          selectors.some((requirements) => matches(requirements, server.labels))),
    )
    .map((server) => server.id);
}

/**
 * Brings every server's list of firewalls in line with what names it. To be called after anything that may
 * change it: labels, servers, public addresses, targets. A firewall that comes to a server this way is
 * `pending` for a moment, and filters only then.
 */
export function syncFirewalls(cloud: Cloud, project: Project): void {
  const wanted = new Map<number, number[]>();
  for (const firewall of Object.values(project.firewalls)) {
    for (const id of appliedServers(project, firewall))
      wanted.set(id, [...(wanted.get(id) ?? []), firewall.id]);
  }
  const delay = cloud.settings.durations.firewall * cloud.settings.durationFactor * 1000;
  for (const server of Object.values(project.servers)) {
    const ids = wanted.get(server.id) ?? [];
    const kept = server.firewalls.filter((entry) => ids.includes(entry.id));
    const added = ids.filter((id) => !kept.some((entry) => entry.id === id));
    server.firewalls = [...kept, ...added.map((id) => ({ id, status: 'pending' as const }))];
    if (added.length > 0) cloud.kernel.schedule.after(delay, SETTLED, `hetzner/firewall/${server.id}`);
  }
}

export function listenForSettledFirewalls(cloud: Cloud): void {
  cloud.kernel.schedule.on(SETTLED, (subject) => {
    const id = Number(subject.split('/').at(-1));
    const server = projectWith(cloud, 'servers', id)?.servers[id];
    for (const entry of server?.firewalls ?? []) entry.status = 'applied';
  });
}

/**
 * @param missingServerStatus 422 when a firewall is created, 404 when it is applied later
 * @throws ApiError firewall_resource_not_found, firewall_already_applied, private_net_only_server,
 *   server_already_added, resource_limit_exceeded, invalid_input
 */
export function checkTargets(
  cloud: Cloud,
  project: Project,
  firewall: Firewall | undefined,
  targets: Target[],
  missingServerStatus: 404 | 422,
): void {
  const seen = new Set<string>();
  for (const target of targets) {
    const name = targetName(target);
    if (seen.has(name)) throw new ApiError(422, 'server_already_added', `${name} was added more than once`);
    seen.add(name);
    if (target.type === 'label_selector') {
      parseSelector(target.label_selector.selector);
      if (firewall?.selectors.includes(target.label_selector.selector)) throw alreadyApplied(firewall, name);
      continue;
    }
    const server = project.servers[target.server.id];
    if (!server) throw resourceNotFound(target.server.id, missingServerStatus);
    if (firewall?.servers.includes(server.id)) throw alreadyApplied(firewall, name);
    if (!hasPublicNet(server)) throw privateOnly(server.name);
    checkFirewallLimit(cloud, server.firewalls.length + 1);
  }
}

/** @throws ApiError when a server would have more firewalls than it may */
export function checkFirewallLimit(cloud: Cloud, count: number): void {
  if (count > cloud.settings.limits.firewallsPerServer) {
    throw limitExceeded('firewall limit per server exceeded', 'server_firewall_limit');
  }
}

export const privateOnly = (name: string): ApiError =>
  new ApiError(422, 'private_net_only_server', `server '${name}' has no public network`);

/** Adds checked targets; one action per server that is reached. */
export function takeTargets(cloud: Cloud, project: Project, firewall: Firewall, targets: Target[]): Action[] {
  const before = appliedServers(project, firewall);
  for (const target of targets) {
    if (target.type === 'server') firewall.servers.push(target.server.id);
    else firewall.selectors.push(target.label_selector.selector);
  }
  syncFirewalls(cloud, project);
  return appliedServers(project, firewall)
    .filter((id) => !before.includes(id))
    .map((id) => firewallAction(cloud, project, 'apply_firewall', firewall, id));
}

/**
 * Takes targets off. What is not applied is passed over, as the vendor does since August 2025.
 * @throws ApiError firewall_resource_not_found, firewall_managed_by_label_selector
 */
export function removeTargets(
  cloud: Cloud,
  project: Project,
  firewall: Firewall,
  targets: Target[],
): Action[] {
  for (const target of targets) checkRemovable(project, firewall, target);
  const before = appliedServers(project, firewall);
  for (const target of targets) {
    if (target.type === 'server') {
      firewall.servers = firewall.servers.filter((id) => id !== target.server.id);
    } else {
      const { selector } = target.label_selector;
      firewall.selectors = firewall.selectors.filter((candidate) => candidate !== selector);
    }
  }
  syncFirewalls(cloud, project);
  const after = appliedServers(project, firewall);
  return before
    .filter((id) => !after.includes(id))
    .map((id) => firewallAction(cloud, project, 'remove_firewall', firewall, id));
}

/** An action about a firewall, and a server if given; it never locks the server. */
export function firewallAction(
  cloud: Cloud,
  project: Project,
  command: string,
  firewall: Firewall,
  serverId?: number,
): Action {
  return cloud.actions.start(project, {
    command,
    duration: 'firewall',
    locks: false,
    resources: [
      { type: 'firewall', id: firewall.id },
      ...(serverId === undefined ? [] : [{ type: 'server' as const, id: serverId }]),
    ],
  });
}

function checkRemovable(project: Project, firewall: Firewall, target: Target): void {
  if (target.type !== 'server') return;
  const server = project.servers[target.server.id];
  if (!server) throw resourceNotFound(target.server.id, 404);
  const named = firewall.servers.includes(server.id);
  if (!named && appliedServers(project, firewall).includes(server.id)) {
    throw new ApiError(
      422,
      'firewall_managed_by_label_selector',
      `firewall with ID ${firewall.id} has been applied via label selector`,
    );
  }
}

const targetName = (target: Target): string =>
  target.type === 'server'
    ? `server ${target.server.id}`
    : `label selector '${target.label_selector.selector}'`;

const alreadyApplied = (firewall: Firewall, name: string): ApiError =>
  new ApiError(422, 'firewall_already_applied', `firewall '${firewall.id}' is already applied to ${name}`);

const resourceNotFound = (id: number, status: 404 | 422): ApiError =>
  new ApiError(status, 'firewall_resource_not_found', `server with ID '${id}' not found`, {
    type: 'server',
    id,
  });
