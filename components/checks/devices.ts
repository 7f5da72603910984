import { setTimeout as sleep } from 'node:timers/promises';
import { z } from 'zod';
import type { TailscaleCredentials } from '../preflight/tailscale-credentials';
import { requestJson, type Caller } from '../preflight/http';
import { authorise } from '../preflight/tailscale';

/** What the stack's configuration says; the environment fills in the rest. */
export const tailscaleSchema = z.object({
  url: z.string().optional(),
  tailnet: z.string().optional(),
  oauthClientId: z.string().optional(),
  oauthClientSecret: z.string().optional(),
  apiKey: z.string().optional(),
});

const deviceSchema = z.object({
  nodeId: z.string(),
  name: z.string(),
  hostname: z.string(),
  addresses: z.array(z.string()).min(1),
  tags: z.array(z.string()).default([]),
  authorized: z.boolean(),
  created: z.string().default(''),
  connectedToControl: z.boolean().default(false),
  /** Null while it is connected. */
  lastSeen: z.string().nullish(),
  os: z.string().default(''),
});
export type Device = z.infer<typeof deviceSchema>;

/** Every device of the tailnet. @throws VendorError */
export async function listDevices(
  credentials: TailscaleCredentials,
  headers: Record<string, string>,
  caller?: Caller,
): Promise<Device[]> {
  const { devices } = await requestJson(
    {
      vendor: 'Tailscale',
      url: `${credentials.url}/api/v2/tailnet/${encodeURIComponent(credentials.tailnet)}/devices`,
      headers,
      schema: z.object({ devices: z.array(deviceSchema) }),
      errorMessage,
    },
    caller,
  );
  return devices;
}

/** One device as it is now. @throws VendorError; 404 where it is gone */
export function readDevice(
  credentials: TailscaleCredentials,
  headers: Record<string, string>,
  nodeId: string,
  caller?: Caller,
): Promise<Device> {
  return requestJson(
    {
      vendor: 'Tailscale',
      url: deviceUrl(credentials, nodeId),
      headers,
      schema: deviceSchema,
      errorMessage,
    },
    caller,
  );
}

/** Takes one device off the tailnet. @throws VendorError */
export async function deleteDevice(
  credentials: TailscaleCredentials,
  headers: Record<string, string>,
  nodeId: string,
  caller?: Caller,
): Promise<void> {
  await requestJson(
    {
      vendor: 'Tailscale',
      url: deviceUrl(credentials, nodeId),
      method: 'DELETE',
      headers,
      schema: z.unknown(),
      errorMessage,
    },
    caller,
  );
}

const deviceUrl = ({ url }: TailscaleCredentials, nodeId: string): string =>
  `${url}/api/v2/device/${encodeURIComponent(nodeId)}`;

const errorMessage = (body: unknown): string | undefined =>
  z.object({ message: z.string() }).safeParse(body).data?.message;

const POLL_MS = 2_000;

/**
 * Watches the device list until a machine of this host name is connected; the newest one counts.
 * @throws Error after `patience` milliseconds, saying what to look at
 */
export async function awaitDevice(
  credentials: TailscaleCredentials,
  hostname: string,
  patience: number,
  say: (line: string) => void,
): Promise<Device> {
  const started = Date.now();
  const headers = await authorise(credentials);
  for (let polls = 0; ; polls += 1) {
    const device = (await listDevices(credentials, headers))
      .filter((candidate) => candidate.hostname === hostname && candidate.connectedToControl)
      .sort((a, b) => b.created.localeCompare(a.created))[0];
    const seconds = Math.round((Date.now() - started) / 1000);
    if (device?.authorized) {
      say(`${hostname} is on the tailnet as ${device.name} (${device.addresses[0]}) after ${seconds} s`);
      return device;
    }
    if (Date.now() - started > patience) {
      throw new Error(
        device
          ? `${hostname} is on the tailnet, but not authorised after ${seconds} s. Approve it in the admin console, or let the OAuth client make pre-authorised keys.`
          : `${hostname} did not show up on the tailnet within ${seconds} s. Look at the machine's console and /var/log/cloud-init-output.log, at the key in Tailscale's admin console (used, expired?), and whether the machine has a way out; give WORKER_POOLS_READY_TIMEOUT (seconds) if it needs longer.`,
      );
    }
    if (polls % 5 === 0) say(`waiting for ${hostname} to join the tailnet (${seconds} s)`);
    await sleep(POLL_MS);
  }
}
