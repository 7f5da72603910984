import { z } from 'zod';
import { ConfigError } from './errors';

/** A placement group takes at most this many servers (docs.hetzner.com, Placement Groups, "Limits"). */
export const PLACEMENT_GROUP_CAPACITY = 10;

const memberSchema = z.strictObject({
  /** Serial and never reused: `ci-000a`. */
  id: z.string(),
  /** The pool's template when this member was launched; a member whose hash differs from today's is drifted. */
  configHash: z.string(),
  configHashVersion: z.int(),
  serverType: z.string(),
  location: z.string(),
  /** ISO 8601 time of the decision to launch it. */
  launchedAt: z.iso.datetime(),
  /** Number of its placement group within pool and location; absent where the pool does not spread. */
  placementGroup: z.int().min(1).optional(),
});

const poolMembershipSchema = z.strictObject({
  nextSerial: z.int().min(1),
  members: z.array(memberSchema),
});

export const membershipSchema = z.record(z.string(), poolMembershipSchema);

export type MemberRecord = Readonly<z.infer<typeof memberSchema>>;
export interface PoolMembership {
  readonly nextSerial: number;
  readonly members: readonly MemberRecord[];
}
/** The members of every pool of one stack, by pool name. Kept in the stack's root outputs. */
export type Membership = Readonly<Record<string, PoolMembership>>;

export const EMPTY_POOL: PoolMembership = { nextSerial: 1, members: [] };

/** What a new member is launched as; the id comes from the pool's serial. */
export interface Launch {
  serverType: string;
  location: string;
  configHash: string;
  configHashVersion: number;
  launchedAt: string;
  /** Whether it goes into a placement group. */
  spread: boolean;
}

/**
 * Reads a recorded membership.
 * @throws ConfigError when the record is not what this program writes: an unreadable record must never mean "no members"
 */
export function parseMembership(recorded: unknown, where: string): Membership {
  const parsed = membershipSchema.safeParse(recorded);
  if (parsed.success) return parsed.data;
  throw new ConfigError(
    parsed.error.issues.map((issue) => ({ path: [where, ...issue.path].join('.'), message: issue.message })),
    'The recorded membership cannot be read.',
  );
}

/** `ci-000a` for serial 10 of pool `ci`: base 36, at least four digits, so that names sort by age. */
export function workerId(pool: string, serial: number): string {
  return `${pool}-${serial.toString(36).padStart(4, '0')}`;
}

/** Adds one member per launch, in order. */
export function launch(name: string, pool: PoolMembership, launches: readonly Launch[]): PoolMembership {
  return launches.reduce<PoolMembership>(({ nextSerial, members }, { spread, ...template }) => {
    const member: MemberRecord = {
      id: workerId(name, nextSerial),
      ...template,
      ...(spread ? { placementGroup: freePlacementGroup(members, template.location) } : {}),
    };
    return { nextSerial: nextSerial + 1, members: [...members, member] };
  }, pool);
}

/**
 * Removes exactly the members named.
 * @throws Error when one is not a member: the caller decided on something else than what is recorded
 */
export function remove(pool: PoolMembership, ids: readonly string[]): PoolMembership {
  const known = new Set(pool.members.map((member) => member.id));
  const unknown = ids.filter((id) => !known.has(id));
  if (unknown.length > 0) throw new Error(`not members of this pool: ${unknown.join(', ')}`);
  return { ...pool, members: pool.members.filter((member) => !ids.includes(member.id)) };
}

/** Members of `before` that are not in `after`, over all pools. */
export function removedMembers(before: Membership, after: Membership): MemberRecord[] {
  const kept = new Set(Object.values(after).flatMap((pool) => pool.members.map((member) => member.id)));
  return Object.values(before)
    .flatMap((pool) => pool.members)
    .filter((member) => !kept.has(member.id));
}

/** The placement groups that members need, each once. */
export function placementGroups(members: readonly MemberRecord[]): { location: string; number: number }[] {
  const groups = new Map<string, { location: string; number: number }>();
  for (const { location, placementGroup } of members) {
    if (placementGroup === undefined) continue;
    groups.set(`${location}-${placementGroup}`, { location, number: placementGroup });
  }
  return [...groups.values()];
}

/** The lowest group of the location that still has room: a freed place is used again, and groups stay few. */
function freePlacementGroup(members: readonly MemberRecord[], location: string): number {
  const taken = new Map<number, number>();
  for (const member of members) {
    if (member.location !== location || member.placementGroup === undefined) continue;
    taken.set(member.placementGroup, (taken.get(member.placementGroup) ?? 0) + 1);
  }
  let group = 1;
  while ((taken.get(group) ?? 0) >= PLACEMENT_GROUP_CAPACITY) group += 1;
  return group;
}
