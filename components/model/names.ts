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
