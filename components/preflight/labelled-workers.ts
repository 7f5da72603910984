import { isPrivateOnly } from '../model/pool';
import type { PoolConfig } from '../model/config-schema';
import type { MemberRecord, Membership } from '../model/membership';
import type { LabelledWorker } from '../model/plan';
import type { ExistingServer } from './hetzner';

/** Workers as their servers' labels tell of them, oldest first; a server that lacks one of our labels is none. */
export function labelledWorkers(servers: ExistingServer[]): LabelledWorker[] {
  const workers = servers.flatMap(({ labels, created, status, server_type, location, placement_group }) => {
    const { pool, 'worker-id': id, 'config-hash': configHash, 'config-hash-version': version } = labels;
    if (!pool || !id || !configHash || !/^\d+$/.test(version ?? '')) return [];
    const group = /-(\d+)$/.exec(placement_group?.name ?? '')?.[1];
    return [
      {
        pool,
        status,
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
  return workers.sort((a, b) => (a.member.id < b.member.id ? -1 : 1));
}

/** A worker's server as it is, whatever the file says of new ones by now. */
export interface ExistingMachine {
  serverId: number;
  /** Kind of its public address, the IPv4 one where it has both. */
  publicAddress: AddressType | undefined;
}

/** Id of the server that has this part in the stack beside its workers. */
export function serverOf(role: string, servers: ExistingServer[]): number | undefined {
  return servers.find(({ labels }) => labels['role'] === role)?.id;
}

/** What an address record of a machine is. */
export type AddressType = 'A' | 'AAAA';

/** The workers' servers, by worker. */
export function existingMachines(servers: ExistingServer[]): ReadonlyMap<string, ExistingMachine> {
  return new Map(
    servers.flatMap(({ id, labels, public_net: { ipv4, ipv6 } }) =>
      labels['worker-id']
        ? [[labels['worker-id'], { serverId: id, publicAddress: publicAddress(ipv4, ipv6) }] as const]
        : [],
    ),
  );
}

function publicAddress(ipv4: object | null, ipv6: object | null): AddressType | undefined {
  if (ipv4 !== null) return 'A';
  return ipv6 === null ? undefined : 'AAAA';
}

/** Members that run, and have no public address. */
export function privateWorkers(servers: ExistingServer[], membership: Membership): string[] {
  const machines = existingMachines(servers);
  return Object.values(membership)
    .flatMap(({ members }) => members.map(({ id }) => id))
    .filter((id) => machines.has(id) && machines.get(id)?.publicAddress === undefined);
}

/** A running worker is what it was made as; the file tells of new ones. */
export function lacksPublicAddress(
  member: MemberRecord,
  pool: PoolConfig,
  machines: ReadonlyMap<string, ExistingMachine>,
): boolean {
  const machine = machines.get(member.id);
  return machine ? machine.publicAddress === undefined : isPrivateOnly(pool);
}

/** What a worker is found at, of the one that runs or is to be made; one without a public address has its private IPv4. */
export function addressType(
  member: MemberRecord,
  { publicNetwork: { ipv4, ipv6 } }: PoolConfig,
  machines: ReadonlyMap<string, ExistingMachine>,
): AddressType {
  const machine = machines.get(member.id);
  if (machine) return machine.publicAddress ?? 'A';
  return ipv6 && !ipv4 ? 'AAAA' : 'A';
}
