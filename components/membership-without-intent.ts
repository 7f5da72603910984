import * as pulumi from '@pulumi/pulumi';
import { confirmedRemovals, listed, stopOrWarn } from './confirmation';
import type { Launch, Membership } from './model/membership';
import {
  adopt,
  guardInterrupted,
  guardRemoval,
  planMembership,
  stragglers,
  withSerialsSpent,
} from './model/plan';
import { CONFIG_HASH_VERSION } from './model/worker-machine';
import { checkTags, type Preflight, type PreflightQuestion } from './preflight';
import { labelledWorkers } from './preflight/labelled-workers';
import { choosePlacement } from './preflight/placements';

/**
 * Who the workers are in a run that nobody gave a membership: what is recorded, and what the file says of new pools and
 * pools of fixed size. What would take workers away by accident is a warning in a preview and stops an update.
 * @param hashes each pool's stamp of today's template
 * @param variables WORKER_POOLS_ADOPT and WORKER_POOLS_ALLOW_REMOVAL are read
 * @throws ConfigError naming the workers and how to confirm; also when Tailscale refuses the tags of new workers
 */
export async function membershipWithoutIntent(
  question: PreflightQuestion,
  facts: Preflight,
  recorded: Membership | undefined,
  hashes: Map<string, string>,
  variables: NodeJS.ProcessEnv,
): Promise<Membership> {
  const { config, now } = question;
  const existing = labelledWorkers(facts.servers);
  const adopted = existing.filter(({ member }) =>
    listed(variables['WORKER_POOLS_ADOPT']).includes(member.id),
  );
  const before = adopt(recorded, adopted);
  const spent = withSerialsSpent(before, existing);
  const planned = planMembership({
    config,
    recorded: recorded === undefined && adopted.length === 0 ? undefined : spent,
    launchOf: (pool): Launch => ({
      ...choosePlacement(config.pools[pool]!.placements, facts.serverTypes),
      configHash: hashes.get(pool)!,
      configHashVersion: CONFIG_HASH_VERSION,
      launchedAt: new Date(now).toISOString(),
      spread: config.pools[pool]!.spread,
    }),
  });
  const allowed = confirmedRemovals(variables);
  await stopOrWarn(() => guardRemoval(config, before, planned, allowed));
  await stopOrWarn(() => guardInterrupted(stragglers(recorded, planned, existing), allowed));
  if (!pulumi.runtime.isDryRun() && config.access.connectivity === 'tailscale' && launches(before, planned)) {
    await checkTags(question);
  }
  return planned;
}

function launches(before: Membership, planned: Membership): boolean {
  return Object.entries(planned).some(
    ([pool, { nextSerial }]) => nextSerial > (before[pool]?.nextSerial ?? 1),
  );
}
