import { z } from 'zod';
import { MANAGED_BY } from '../model/labels';
import type { HetznerCredentials } from './credentials';
import { requestJson } from './http';

const deprecation = z.object({ announced: z.string(), unavailable_after: z.string() }).nullish();

const serverTypeSchema = z.object({
  name: z.string(),
  architecture: z.enum(['x86', 'arm']),
  deprecation,
  prices: z.array(
    z.object({
      location: z.string(),
      price_hourly: z.object({ net: z.string(), gross: z.string() }),
      price_monthly: z.object({ net: z.string(), gross: z.string() }),
    }),
  ),
  locations: z
    .array(z.object({ name: z.string(), available: z.boolean().default(true), deprecation }))
    .default([]),
});
const locationSchema = z.object({ name: z.string(), network_zone: z.string() });
const imageSchema = z.object({
  id: z.number(),
  name: z.string().nullable(),
  architecture: z.enum(['x86', 'arm']),
  deprecated: z.string().nullish(),
});
const sshKeySchema = z.object({
  id: z.number(),
  name: z.string(),
  fingerprint: z.string(),
  labels: z.record(z.string(), z.string()),
});
const networkSchema = z.object({
  id: z.number(),
  name: z.string(),
  ip_range: z.string(),
  subnets: z.array(z.object({ ip_range: z.string() })),
});
const serverSchema = z.object({
  id: z.number(),
  name: z.string(),
  created: z.string(),
  labels: z.record(z.string(), z.string()),
  server_type: z.object({ name: z.string() }),
  location: z.object({ name: z.string() }),
  placement_group: z.object({ name: z.string() }).nullish(),
  public_net: z.object({ ipv4: z.object({}).nullable(), ipv6: z.object({}).nullable() }),
});

export type ServerType = z.infer<typeof serverTypeSchema>;
export type Location = z.infer<typeof locationSchema>;
export type Image = z.infer<typeof imageSchema>;
export type ExistingSshKey = z.infer<typeof sshKeySchema>;
export type ExistingNetwork = z.infer<typeof networkSchema>;
export type ExistingServer = z.infer<typeof serverSchema>;

/** What the project has and what the vendor offers, as far as a stack's plan depends on it. */
export interface HetznerFacts {
  serverTypes: ServerType[];
  locations: Location[];
  images: Image[];
  sshKeys: ExistingSshKey[];
  /** Networks whose name was asked for. */
  networks: ExistingNetwork[];
  /** Workers that carry this stack's labels. */
  workers: ExistingServer[];
}

/**
 * Reads the facts, side by side; only reads.
 * @throws VendorError when the token is refused or Hetzner does not answer
 */
export async function readHetzner(
  credentials: HetznerCredentials,
  asked: { environment: string; imageNames: string[]; networkName?: string },
): Promise<HetznerFacts> {
  const list = <T extends z.ZodType>(path: string, key: string, schema: T): Promise<z.infer<T>[]> =>
    listAll(credentials, path, key, schema);
  const labels = encodeURIComponent(`managed-by=${MANAGED_BY},stack=${asked.environment},worker-id`);
  const [serverTypes, locations, named, sshKeys, networks, workers] = await Promise.all([
    list('/server_types', 'server_types', serverTypeSchema),
    list('/locations', 'locations', locationSchema),
    Promise.all(
      asked.imageNames.map((name) =>
        list(`/images?include_deprecated=true&name=${encodeURIComponent(name)}`, 'images', imageSchema),
      ),
    ),
    list('/ssh_keys', 'ssh_keys', sshKeySchema),
    asked.networkName === undefined
      ? []
      : list(`/networks?name=${encodeURIComponent(asked.networkName)}`, 'networks', networkSchema),
    list(`/servers?label_selector=${labels}`, 'servers', serverSchema),
  ]);
  return { serverTypes, locations, images: named.flat(), sshKeys, networks, workers };
}

const PAGE_SIZE = 50;

async function listAll<T extends z.ZodType>(
  { url, token }: HetznerCredentials,
  path: string,
  key: string,
  schema: T,
): Promise<z.infer<T>[]> {
  const page = z.object({
    [key]: z.array(schema),
    meta: z.object({ pagination: z.object({ next_page: z.number().nullish() }) }),
  });
  const items: z.infer<T>[] = [];
  for (let number: number | null | undefined = 1; number;) {
    const answer = (await requestJson({
      vendor: 'Hetzner',
      url: `${url}${path}${path.includes('?') ? '&' : '?'}page=${number}&per_page=${PAGE_SIZE}`,
      headers: { authorization: `Bearer ${token ?? ''}` },
      schema: page,
      errorMessage: (body) =>
        z.object({ error: z.object({ message: z.string() }) }).safeParse(body).data?.error.message,
    })) as { meta: { pagination: { next_page?: number | null } } };
    const { meta, ...rest } = answer;
    items.push(...(rest as Record<string, z.infer<T>[]>)[key]!);
    number = meta.pagination.next_page;
  }
  return items;
}
