/** A host name label is at most 63 characters (RFC 1123, section 2.1). */
const HOST_LABEL_LIMIT = 63;

/** Longest pool name: environment, pool and serial together must fit one host name label. */
export const POOL_NAME_LIMIT = 24;
export const ENVIRONMENT_NAME_LIMIT = HOST_LABEL_LIMIT - POOL_NAME_LIMIT - '--zzzzzz'.length;

/** Lower-case letters, digits and single hyphens inside: fits host names, labels, DNS and logical names alike. */
export const NAME_PATTERN = /^[a-z][a-z0-9]*(-[a-z0-9]+)*$/;

/** The NAT gateway's firewall is named like one of a pool `nat`; every JavaScript object has a `constructor`. */
export const RESERVED_POOL_NAMES: readonly string[] = ['nat', 'constructor'];

/** Physical name of what one environment has once or by name, unique in a Hetzner project: `production-ci-000a`. */
export function physicalName(environment: string, ...parts: (string | number)[]): string {
  return [environment, ...parts].join('-');
}

const WORKER_PARTS = ['key', 'server', 'ready', 'dns', 'wildcard'] as const;
export type WorkerPart = (typeof WORKER_PARTS)[number] | `tenant-${string}`;

/** Logical name of what a worker has one of: `ci-000a-server`. */
export function resourceName(worker: string, part: WorkerPart): string {
  return `${worker}-${part}`;
}

/** Whether the resource of this logical name is the worker's alone; `ci-000a-closed` is a firewall of pool `ci-000a`. */
export function isWorkersOwn(name: string, worker: string): boolean {
  return (
    name === worker ||
    name.startsWith(resourceName(worker, 'tenant-')) ||
    WORKER_PARTS.some((part) => name === resourceName(worker, part))
  );
}

/** Logical name of what workers of a pool share: its firewall, or a placement group, `ci-fsn1-1`. */
export function poolResourceName(pool: string, part: 'open' | 'closed' | `${string}-${number}`): string {
  return `${pool}-${part}`;
}

/** The workers whose servers are among the resources of these names; the gateway, `nat`, is none. */
export function workersOf(names: Iterable<string>): string[] {
  return [...names].flatMap((name) => /^(.+-[0-9a-z]{4,})-server$/.exec(name)?.[1] ?? []);
}

/** Logical name at the end of `urn:pulumi:STACK::PROJECT::PARENT$TYPE::NAME`. */
export function urnName(urn: string): string {
  return urn.slice(urn.lastIndexOf('::') + 2);
}
