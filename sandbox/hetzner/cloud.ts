import type { AddressPool, MachineHost } from '../kernel/lifecycle';
import type { Kernel } from '../kernel/vendor';
import type { Actions } from './actions';
import type { HetznerSettings } from './settings';
import type { Project, State } from './state';

/** What every resource works on. `state` is replaced as a whole by a restore, so it is always read anew. */
export interface Cloud {
  readonly kernel: Kernel;
  readonly settings: HetznerSettings;
  readonly machines: MachineHost;
  readonly addresses: AddressPool;
  readonly actions: Actions;
  state: State;
}

/** Ids are unique over all kinds of resources and never used again. */
export function nextId(cloud: Cloud): number {
  cloud.state.lastId += 1;
  return cloud.state.lastId;
}

/** RFC 3339 as the vendor writes it: whole seconds, UTC. */
export const timestamp = (at: number): string => `${new Date(at).toISOString().slice(0, 19)}Z`;

/** The project that holds the resource, for events that only carry an id. */
export function projectWith(
  cloud: Cloud,
  collection: 'actions' | 'servers' | 'networks',
  id: number,
): Project | undefined {
  return Object.values(cloud.state.projects).find((project) => id in project[collection]);
}
