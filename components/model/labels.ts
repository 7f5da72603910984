import type { MemberRecord } from './membership';

export const MANAGED_BY = 'hcloud-worker-pools';

/** Labels of everything that a stack owns at Hetzner; only what carries them may ever be swept. */
export function stackLabels(environment: string): Record<string, string> {
  return { 'managed-by': MANAGED_BY, stack: environment };
}

export function poolLabels(environment: string, pool: string): Record<string, string> {
  return { ...stackLabels(environment), pool };
}

/** The config hash comes from the member's record: an edit of the template must not re-stamp running workers. */
export function workerLabels(
  environment: string,
  pool: string,
  member: MemberRecord,
): Record<string, string> {
  return {
    ...poolLabels(environment, pool),
    'worker-id': member.id,
    'config-hash': member.configHash,
    'config-hash-version': String(member.configHashVersion),
  };
}
