import { startAdminApi } from '../../../automation/http/admin-api';
import { createMetrics } from '../../../automation/http/metrics';
import type { Check } from '../../../automation/http/readiness';
import type { ServedStack } from '../../../automation/http/stacks';
import { createCensor } from '../../../automation/censor';
import { createLog } from '../../../automation/log';
import { STATUS_KEY, type StackStatus } from '../../../automation/status';
import { memoryRegistry } from './memory-registry';
import { NOW, stackStatus } from './status';

export const ADMIN_TOKEN = 'admin-token-of-the-tests';

/** The admin API on a free port, for one stack that has been published and whose first two workers have registered. */
export async function adminListener(
  published: StackStatus = stackStatus(),
  hostNames: readonly string[] = [],
) {
  const registry = memoryRegistry();
  const metrics = createMetrics();
  const woken: string[] = [];
  const checks: Check[] = [{ name: 'rounds of staging' }];
  const stacks = new Map<string, ServedStack>([
    [
      'staging',
      {
        registrationSecrets: ['unused'],
        pools: new Map(
          Object.entries(published.pools).map(([pool, { min, max, slots, queue }]) => [
            pool,
            { slots, kind: queue?.kind, min, max },
          ]),
        ),
      },
    ],
  ]);
  await registry.memory.set('staging', STATUS_KEY, published);
  for (const [pool, { workers }] of Object.entries(published.pools)) {
    for (const { id, seenAt, slots } of workers) {
      if (seenAt === undefined) continue;
      const registration = { hostname: `staging-${id}`, slots, address: '100.64.0.7' };
      await registry.workers.register({ environment: 'staging', pool, worker: id }, registration, seenAt);
    }
  }
  const { url, close } = await startAdminApi({
    host: '127.0.0.1',
    port: 0,
    hostNames,
    adminToken: ADMIN_TOKEN,
    stacks: () => stacks,
    registry,
    now: () => NOW,
    log: createLog({ write: () => undefined }, 'info', createCensor()),
    metrics,
    readiness: () => checks,
    wake: (environment) => woken.push(environment),
  });
  return { registry, metrics, woken, checks, stacks, url, close };
}

export type AdminListener = Awaited<ReturnType<typeof adminListener>>;
