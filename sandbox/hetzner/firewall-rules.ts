import ipaddr from 'ipaddr.js';
import { z } from 'zod';
import type { Cloud } from './cloud';
import { invalidField, limitExceeded } from './errors';
import type { FirewallRule } from './state';

const MAX_CIDRS_PER_RULE = 100;

export const ruleField = z.object({
  direction: z.enum(['in', 'out']),
  protocol: z.enum(['tcp', 'udp', 'icmp', 'esp', 'gre']),
  port: z.string().nullish(),
  source_ips: z.array(z.string()).max(MAX_CIDRS_PER_RULE).default([]),
  destination_ips: z.array(z.string()).max(MAX_CIDRS_PER_RULE).default([]),
  description: z.string().max(255).nullish(),
});

/**
 * Checks rules as a whole set.
 * @throws ApiError invalid_input with the index of the faulty rule, resource_limit_exceeded
 */
export function checkRules(cloud: Cloud, rules: z.output<typeof ruleField>[]): FirewallRule[] {
  if (rules.length > cloud.settings.limits.rulesPerFirewall) {
    throw limitExceeded('firewall rule limit exceeded', 'firewall_rule_limit');
  }
  return rules.map((rule, index) => {
    const at = (field: string): string => `rules.${index}.${field}`;
    checkPort(rule.protocol, rule.port ?? null, at('port'));
    const [needed, field] =
      rule.direction === 'in'
        ? ([rule.source_ips, 'source_ips'] as const)
        : ([rule.destination_ips, 'destination_ips'] as const);
    if (needed.length === 0) throw invalidField(at(field), 'Missing data for required field.');
    for (const range of [...rule.source_ips, ...rule.destination_ips]) checkRange(range, at(field));
    return { ...rule, port: rule.port ?? null, description: rule.description ?? null };
  });
}

/** Whether the rules let a new TCP connection in. No rules means that nothing comes in. */
export function allowsInboundTcp(rules: FirewallRule[], port: number, sourceIp: string): boolean {
  return rules.some(
    (rule) =>
      rule.direction === 'in' &&
      rule.protocol === 'tcp' &&
      portMatches(rule.port, port) &&
      rule.source_ips.some((range) => rangeContains(range, sourceIp)),
  );
}

function checkPort(protocol: FirewallRule['protocol'], port: string | null, field: string): void {
  const takesPort = protocol === 'tcp' || protocol === 'udp';
  if (!takesPort && port !== null) throw invalidField(field, `must not be set for protocol ${protocol}`);
  if (!takesPort || port === 'any') return;
  if (port === null) throw invalidField(field, 'Missing data for required field.');
  const match = /^(\d+)(?:-(\d+))?$/.exec(port);
  const from = Number(match?.[1]);
  const to = Number(match?.[2] ?? match?.[1]);
  if (!match || from < 1 || to > 65535 || from > to)
    throw invalidField(field, 'must be a port, a range or any');
}

function checkRange(text: string, field: string): void {
  try {
    const [address, bits] = ipaddr.parseCIDR(text);
    const family = address.kind() === 'ipv4' ? ipaddr.IPv4 : ipaddr.IPv6;
    const first = family.networkAddressFromCIDR(`${address.toString()}/${bits}`);
    if (first.toString() !== address.toString()) throw new Error('host bits are set');
  } catch {
    throw invalidField(field, `'${text}' is not a valid CIDR without host bits`);
  }
}

function portMatches(allowed: string | null, port: number): boolean {
  if (allowed === null || allowed === 'any') return true;
  const [from, to] = allowed.split('-').map(Number);
  return port >= (from ?? 0) && port <= (to ?? from ?? 0);
}

function rangeContains(range: string, ip: string): boolean {
  const address = ipaddr.process(ip);
  const cidr = ipaddr.parseCIDR(range);
  return address.kind() === cidr[0].kind() && address.match(cidr);
}
