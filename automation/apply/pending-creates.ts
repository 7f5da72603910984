import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import { stackLabels } from '../../components/model/labels';
import { workersOf } from '../../components/model/names';
import type { PreflightQuestion } from '../../components/preflight';
import { cloudflareRequest } from '../../components/preflight/cloudflare';
import { hetznerRequest } from '../../components/preflight/hetzner-list';
import { requestJson } from '../../components/preflight/http';
import type { EngineStack } from './engine-stack';
import type { ExportedState, PendingCreate } from './exported-state';

/** Hetzner's collections of what has a name that is unique in a project, by the provider's type. */
const COLLECTIONS: Readonly<Record<string, string>> = {
  'hcloud:index/placementGroup:PlacementGroup': 'placement_groups',
  'hcloud:index/firewall:Firewall': 'firewalls',
  'hcloud:index/network:Network': 'networks',
  'hcloud:index/sshKey:SshKey': 'ssh_keys',
};
const RECORD = 'cloudflare:index/dnsRecord:DnsRecord';
const SERVER = 'hcloud:index/server:Server';

/**
 * Whether a create that may have been carried out without anybody hearing of it keeps the next one from its name. A
 * worker's server does not: the program takes it in by its labels.
 */
export function keepsItsName({ name, type }: Pick<PendingCreate, 'name' | 'type'>): boolean {
  return type === RECORD || type in COLLECTIONS || (type === SERVER && workersOf([name]).length === 0);
}

/**
 * Clears away what a killed engine has left in the making.
 * @returns one sentence for each thing done
 * @throws VendorError when a vendor does not answer
 */
export async function settle(
  stack: EngineStack,
  state: ExportedState,
  question: PreflightQuestion,
  folder: string,
): Promise<string[]> {
  if (state.settled === undefined) return [];
  const done = await clear(state.pendingCreates, state, question);
  const file = join(folder, `settled-${stack.name}.json`);
  writeFileSync(file, state.settled, { mode: 0o600 });
  try {
    await stack.importState(file);
  } finally {
    rmSync(file, { force: true });
  }
  const names = state.pendingCreates.map(({ name }) => name);
  return [...done, `took the pending ${names.join(', ') || 'operations'} out of the state`];
}

/**
 * Deletes what such creates have made: each may have been carried out at the vendor without anybody hearing of it, and
 * would be refused when it is tried again, because its name is taken. Servers are left alone: they have used up the key
 * that the state holds, so the program takes them in. A tailnet key ends by itself within the hour. To be called where
 * nobody else can be making the same.
 * @returns one sentence for each thing deleted
 * @throws VendorError when a vendor does not answer
 */
export async function clear(
  creates: readonly PendingCreate[],
  state: ExportedState,
  question: PreflightQuestion,
): Promise<string[]> {
  const done: string[] = [];
  for (const create of creates) {
    if (await isCleared(create, state, question)) done.push(`deleted what was left of ${create.name}`);
  }
  return done;
}

async function isCleared(
  create: PendingCreate,
  state: ExportedState,
  question: PreflightQuestion,
): Promise<boolean> {
  const collection = COLLECTIONS[create.type];
  if (collection !== undefined) return deleteAtHetzner(collection, create, state, question);
  return create.type === RECORD ? deleteRecord(create, state, question) : false;
}

/** What may hang on any of these; whose id nobody knows nobody uses. */
const leftSchema = z.object({
  id: z.number(),
  servers: z.array(z.unknown()).default([]),
  applied_to: z.array(z.unknown()).default([]),
});

/** Only what carries this stack's labels, is not in the state, and is used by nobody. */
async function deleteAtHetzner(
  collection: string,
  { inputs }: PendingCreate,
  state: ExportedState,
  { environment, credentials: { hetzner } }: PreflightQuestion,
): Promise<boolean> {
  const { name } = z.object({ name: z.string() }).parse(inputs);
  const selector = Object.entries(stackLabels(environment))
    .map((pair) => pair.join('='))
    .join(',');
  const query = new URLSearchParams({ name, label_selector: selector });
  const schema = z.object({ [collection]: z.array(leftSchema) });
  const found = await requestJson(hetznerRequest(hetzner, { path: `/${collection}?${query}`, schema }));
  const [left] = found[collection] ?? [];
  if (!left || state.ids.has(String(left.id)) || left.servers.length + left.applied_to.length > 0)
    return false;
  const path = `/${collection}/${left.id}`;
  await requestJson(hetznerRequest(hetzner, { path, method: 'DELETE', schema: z.unknown() }));
  return true;
}

const recordsSchema = z.object({
  result: z.array(z.object({ id: z.string(), content: z.string(), created_on: z.string() })),
});

/** Only the very record: same zone, name, type and content, not in the state, and no older than its create. */
async function deleteRecord(
  { inputs, since = 0 }: PendingCreate,
  state: ExportedState,
  { credentials: { cloudflare } }: PreflightQuestion,
): Promise<boolean> {
  const wanted = z
    .object({ zoneId: z.string(), name: z.string(), type: z.string(), content: z.string() })
    .safeParse(inputs).data;
  if (!wanted) return false;
  const records = `/zones/${wanted.zoneId}/dns_records`;
  const query = new URLSearchParams({ name: wanted.name, type: wanted.type });
  const { result } = await requestJson(
    cloudflareRequest(cloudflare, { path: `${records}?${query}`, schema: recordsSchema }),
  );
  const left = result.find(
    ({ id, content, created_on: created }) =>
      content === wanted.content && !state.ids.has(id) && Date.parse(created) / 1000 >= since,
  );
  if (!left) return false;
  const path = `${records}/${left.id}`;
  await requestJson(cloudflareRequest(cloudflare, { path, method: 'DELETE', schema: z.unknown() }));
  return true;
}
