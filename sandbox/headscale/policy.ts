import { badRequest } from '../tailscale/errors';

/** Sections that headscale follows, in its spelling; the vendor takes either case. */
const FOLLOWED = ['acls', 'autoApprovers', 'groups', 'hosts', 'ssh', 'tagOwners'];

/** Sections without which the rest would mean something else. */
const NEEDED = ['grants', 'ipsets', 'postures'];

/** The vendor's roles. The sandbox's tailnet has one person, who has them all. */
const ROLES = /^autogroup:(admin|member|owner|it-admin|network-admin|billing-admin|auditor)$/;

/**
 * The sandbox's policy file as headscale reads it. Its one `user` stands for every role and owns every tag, as the
 * API has checked already who may give which.
 * @throws TailscaleError 400 for a section that headscale has nothing like
 */
export function headscalePolicy(policy: Record<string, unknown>, user: string): Record<string, unknown> {
  const sections = Object.entries(policy);
  const missing = sections.find(([name]) => NEEDED.includes(name.toLowerCase()));
  if (missing) throw badRequest(`"${missing[0]}" is not part of the sandbox's real tailnet`);
  const kept = FOLLOWED.flatMap((name) => {
    const section = sections.find(([given]) => given.toLowerCase() === name.toLowerCase());
    return section ? [[name, section[1]] as const] : [];
  });
  const followed = Object.fromEntries(kept);
  const tags = Object.keys(followed['tagOwners'] ?? {});
  return {
    ...(withoutRoles(followed, user) as Record<string, unknown>),
    tagOwners: Object.fromEntries(tags.map((tag) => [tag, [user]])),
  };
}

function withoutRoles(value: unknown, user: string): unknown {
  if (typeof value === 'string') return ROLES.test(value) ? user : value;
  if (Array.isArray(value)) return value.map((item) => withoutRoles(item, user));
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([name, item]) => [name, withoutRoles(item, user)]));
}
