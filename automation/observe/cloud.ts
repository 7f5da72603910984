import { z } from 'zod';
import type { HetznerCredentials } from '../../components/preflight/credentials';
import { hetznerRequest, listHetzner } from '../../components/preflight/hetzner-list';
import { requestJson, VendorError } from '../../components/preflight/http';
import { stackLabels } from '../../components/model/labels';
import { claimDelete, claimRead, meteredCaller, type HetznerAccess } from './hetzner-caller';
import type { CloudServer, Dated } from './types';

/** A complete list of the stack's workers. */
export interface WorkerList extends Dated<CloudServer> {
  /** Servers with the stack's labels, but without a worker's: never touched by themselves, somebody has to look. */
  readonly unreadable: readonly UnreadableServer[];
  /** Servers of the stack that are no workers: they are paid for, and never touched. */
  readonly gateways: readonly Gateway[];
}

/** The stack's NAT machine. */
export type Gateway = Pick<CloudServer, 'id' | 'name' | 'created' | 'serverType' | 'location' | 'publicIpv4'>;

export interface UnreadableServer {
  readonly id: number;
  readonly name: string;
  /** Labels that are missing or wrong. */
  readonly labels: readonly string[];
}

/** A server that was to be deleted is not what was taken for: nothing was deleted. */
export class NotOursError extends Error {
  override name = 'NotOursError';
}

/** The stack's servers at Hetzner. */
export interface Cloud {
  /**
   * All of them, in one labelled list.
   * @throws IncompleteListError, VendorError (429 where the project's request limit leaves no room)
   */
  listWorkers(): Promise<WorkerList>;
  /**
   * Deletes a worker's server, after a last look at it.
   * @returns `gone` where it was deleted already
   * @throws NotOursError when its labels are not this stack's or another worker's; VendorError, 423 while it is locked or protected
   */
  deleteServer(id: number, expected: { worker: string }): Promise<'deleted' | 'gone'>;
}

const serverSchema = z.object({
  id: z.number(),
  name: z.string(),
  created: z.iso.datetime({ offset: true }),
  status: z.string(),
  labels: z.record(z.string(), z.string()),
  server_type: z.object({ name: z.string() }),
  location: z.object({ name: z.string() }),
  public_net: z.object({ ipv4: z.object({}).nullish() }),
  locked: z.boolean().default(false),
  protection: z.object({ delete: z.boolean() }).default({ delete: false }),
});
type Server = z.infer<typeof serverSchema>;

const workerLabelsSchema = z.object({
  pool: z.string().min(1),
  'worker-id': z.string().min(1),
  'config-hash': z.string().min(1),
  'config-hash-version': z.string().regex(/^\d+$/).transform(Number),
});

/** @param environment the stack's name, as its labels carry it */
export function openCloud(
  credentials: HetznerCredentials,
  environment: string,
  access: HetznerAccess,
): Cloud {
  const caller = meteredCaller(access);
  const ours = stackLabels(environment);
  const selector = Object.entries(ours)
    .map(([key, value]) => `${key}=${value}`)
    .join(',');

  return {
    async listWorkers() {
      claimRead(access);
      const servers = await listHetzner(
        credentials,
        {
          path: `/servers?label_selector=${encodeURIComponent(selector)}`,
          key: 'servers',
          schema: serverSchema,
        },
        caller,
      );
      return { at: access.now(), ...sorted(servers) };
    },

    async deleteServer(id, { worker }) {
      claimDelete(access);
      const path = `/servers/${id}`;
      const schema = z.object({ server: serverSchema });
      const found = await unlessGone(requestJson(hetznerRequest(credentials, { path, schema }), caller));
      if (found === 'gone') return 'gone';
      refuseUnlessWorker(found.server, { ...ours, 'worker-id': worker });
      const request = hetznerRequest(credentials, { path, method: 'DELETE', schema: z.unknown() });
      const answer = await unlessGone(requestJson(request, caller));
      return answer === 'gone' ? 'gone' : 'deleted';
    },
  };
}

function sorted(servers: readonly Server[]): Omit<WorkerList, 'at'> {
  const items: CloudServer[] = [];
  const unreadable: UnreadableServer[] = [];
  const gateways: Gateway[] = [];
  for (const server of servers) {
    const { id, name, status } = server;
    const machine = {
      id,
      name,
      created: Date.parse(server.created) / 1000,
      serverType: server.server_type.name,
      location: server.location.name,
      publicIpv4: Boolean(server.public_net.ipv4),
    };
    if ('role' in server.labels) {
      gateways.push(machine);
      continue;
    }
    const labels = workerLabelsSchema.safeParse(server.labels);
    if (!labels.success) {
      const wrong = new Set(labels.error.issues.map(({ path }) => String(path[0])));
      unreadable.push({ id, name, labels: [...wrong] });
      continue;
    }
    items.push({
      ...machine,
      status,
      pool: labels.data.pool,
      worker: labels.data['worker-id'],
      configHash: labels.data['config-hash'],
      configHashVersion: labels.data['config-hash-version'],
    });
  }
  return { items, unreadable, gateways };
}

/** @throws NotOursError, VendorError 423 */
function refuseUnlessWorker(server: Server, labels: Record<string, string>): void {
  const { id, name, locked, protection } = server;
  const wrong = Object.entries(labels).filter(([key, value]) => server.labels[key] !== value);
  if (wrong.length > 0) {
    const expected = wrong.map(([key, value]) => `${key}=${value}`).join(', ');
    throw new NotOursError(
      `server ${id} (${name}) is not labelled ${expected}; it was left alone. Look at it in the Hetzner console`,
    );
  }
  if (protection.delete) {
    throw new VendorError(
      'Hetzner',
      423,
      `server ${id} (${name}) is protected against deletion; take the protection off if it is to go`,
    );
  }
  if (locked) {
    throw new VendorError('Hetzner', 423, `server ${id} (${name}) is locked by an action that still runs`);
  }
}

async function unlessGone<T>(answer: Promise<T>): Promise<T | 'gone'> {
  return answer.catch((error: unknown) => {
    if (error instanceof VendorError && error.status === 404) return 'gone' as const;
    throw error;
  });
}
