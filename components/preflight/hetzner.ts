import { z } from 'zod';
import { MANAGED_BY } from '../model/labels';
import type { HetznerCredentials } from './credentials';
import { listHetzner, type Listed } from './hetzner-list';

const deprecation = z.object({ announced: z.string(), unavailable_after: z.string() }).nullish();

export const serverTypeSchema = z.object({
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
export const locationSchema = z.object({ name: z.string(), network_zone: z.string() });
export const imageSchema = z.object({
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
  status: z.string(),
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
  /** Those that carry this stack's labels: its workers, and its NAT machine. */
  servers: ExistingServer[];
}

/**
 * Reads the facts, side by side; only reads.
 * @throws VendorError when the token is refused or Hetzner does not answer
 */
export async function readHetzner(
  credentials: HetznerCredentials,
  asked: { environment: string; imageNames: string[]; networkName?: string },
): Promise<HetznerFacts> {
  const list = <T extends z.ZodType<Listed>>(path: string, key: string, schema: T): Promise<z.output<T>[]> =>
    listHetzner(credentials, { path, key, schema });
  const labels = encodeURIComponent(`managed-by=${MANAGED_BY},stack=${asked.environment}`);
  const [serverTypes, locations, named, sshKeys, networks, servers] = await Promise.all([
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
  return { serverTypes, locations, images: named.flat(), sshKeys, networks, servers };
}
