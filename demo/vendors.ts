import { z } from 'zod';
import type { Endpoints } from './local-cloud';

/** What the demo reads from the three vendors, with plain calls of their public APIs. */

const serverSchema = z.object({
  id: z.number(),
  name: z.string(),
  status: z.string(),
  labels: z.record(z.string(), z.string()),
  server_type: z.object({
    name: z.string(),
    prices: z.array(z.object({ location: z.string(), price_hourly: z.object({ gross: z.string() }) })),
  }),
  location: z.object({ name: z.string() }),
  public_net: z.object({
    ipv4: z.object({ ip: z.string() }).nullable(),
    ipv6: z.object({ ip: z.string() }).nullable(),
  }),
  private_net: z.array(z.object({ ip: z.string() })),
});
const deviceSchema = z.object({
  hostname: z.string(),
  name: z.string(),
  connectedToControl: z.boolean(),
});
const recordSchema = z.object({ name: z.string(), type: z.string(), content: z.string() });

export type Server = z.infer<typeof serverSchema>;
export type Device = z.infer<typeof deviceSchema>;
export type DnsRecord = z.infer<typeof recordSchema>;

export interface Inventory {
  servers: Server[];
  devices: Device[];
  records: DnsRecord[];
}

export async function readInventory(endpoints: Endpoints): Promise<Inventory> {
  const [servers, devices, records] = await Promise.all([
    hetznerList(endpoints, 'servers', serverSchema),
    readDevices(endpoints),
    readRecords(endpoints),
  ]);
  return { servers, devices, records };
}

const HETZNER_KINDS = ['servers', 'ssh_keys', 'networks', 'firewalls', 'placement_groups', 'primary_ips'];

/** Everything that is still there, as `kind: name`; empty when nothing is left. */
export async function readLeftovers(endpoints: Endpoints): Promise<string[]> {
  const named = z.object({ name: z.string() });
  const hetzner = await Promise.all(
    HETZNER_KINDS.map(async (kind) =>
      (await hetznerList(endpoints, kind, named)).map(({ name }) => `${kind}: ${name}`),
    ),
  );
  const devices = (await readDevices(endpoints)).map(({ name }) => `tailnet device: ${name}`);
  const records = (await readRecords(endpoints)).map(({ type, name }) => `DNS record: ${type} ${name}`);
  return [...hetzner.flat(), ...devices, ...records];
}

async function hetznerList<T extends z.ZodType>(
  { hetzner }: Endpoints,
  kind: string,
  schema: T,
): Promise<z.infer<T>[]> {
  const answer = await getJson(`${hetzner.url}/${kind}?per_page=50`, {
    authorization: `Bearer ${hetzner.token}`,
  });
  return z
    .record(z.string(), z.unknown())
    .transform((body) => z.array(schema).parse(body[kind]))
    .parse(answer);
}

async function readDevices({ tailscale }: Endpoints): Promise<Device[]> {
  const token = await getJson(
    `${tailscale.url}/api/v2/oauth/token`,
    {},
    {
      grant_type: 'client_credentials',
      client_id: tailscale.oauthClientId,
      client_secret: tailscale.oauthClientSecret,
    },
  );
  const { access_token: access } = z.object({ access_token: z.string() }).parse(token);
  const answer = await getJson(`${tailscale.url}/api/v2/tailnet/-/devices`, {
    authorization: `Bearer ${access}`,
  });
  return z.object({ devices: z.array(deviceSchema) }).parse(answer).devices;
}

async function readRecords({ cloudflare }: Endpoints): Promise<DnsRecord[]> {
  const headers = { authorization: `Bearer ${cloudflare.token}` };
  const zones = await getJson(`${cloudflare.url}/zones?name=${cloudflare.zone}`, headers);
  const { id } = z.object({ result: z.array(z.object({ id: z.string() })).length(1) }).parse(zones)
    .result[0]!;
  const records = await getJson(`${cloudflare.url}/zones/${id}/dns_records?per_page=100`, headers);
  return z.object({ result: z.array(recordSchema) }).parse(records).result;
}

async function getJson(
  url: string,
  headers: Record<string, string>,
  form?: Record<string, string>,
): Promise<unknown> {
  const response = await fetch(url, {
    headers,
    ...(form ? { method: 'POST', body: new URLSearchParams(form) } : {}),
  });
  if (!response.ok) throw new Error(`${new URL(url).pathname} answered ${response.status}`);
  return response.json();
}
