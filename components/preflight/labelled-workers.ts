import type { LabelledWorker } from '../model/plan';
import type { ExistingServer } from './hetzner';

/** Workers as their servers' labels tell of them; a server that lacks one of our labels is none. */
export function labelledWorkers(servers: ExistingServer[]): LabelledWorker[] {
  return servers.flatMap(({ labels, created, server_type, location, placement_group }) => {
    const { pool, 'worker-id': id, 'config-hash': configHash, 'config-hash-version': version } = labels;
    if (!pool || !id || !configHash || !/^\d+$/.test(version ?? '')) return [];
    const group = /-(\d+)$/.exec(placement_group?.name ?? '')?.[1];
    return [
      {
        pool,
        member: {
          id,
          configHash,
          configHashVersion: Number(version),
          serverType: server_type.name,
          location: location.name,
          launchedAt: new Date(created).toISOString(),
          ...(group === undefined ? {} : { placementGroup: Number(group) }),
        },
      },
    ];
  });
}

/**
 * Ids of the workers' servers, by worker. A server that an update made without hearing of it (it was killed, or the answer
 * was lost) is not in the state; declared with its id it is taken in, where a plain create would meet its own name. For
 * all others the id says what the state has already.
 */
export function serverIds(servers: ExistingServer[]): ReadonlyMap<string, number> {
  return new Map(
    servers.flatMap(({ id, labels }) => (labels['worker-id'] ? [[labels['worker-id'], id] as const] : [])),
  );
}
