import type { LabelledWorker } from '../model/plan';
import type { ExistingServer } from './hetzner';

/** Workers as their servers' labels tell of them; a server that lacks one of our labels is none. */
export function labelledWorkers(servers: ExistingServer[]): LabelledWorker[] {
  return servers.flatMap(({ labels, created, server_type, location, placement_group }) => {
    const { pool, 'worker-id': id, 'config-hash': configHash, 'config-hash-version': version } = labels;
    if (!pool || !id || !configHash || !version) return [];
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
