import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import { type Background, startInBackground } from './background';
import { RATE } from './cloud-clock';

const endpointsSchema = z.object({
  hetzner: z.object({ url: z.string(), token: z.string() }),
  tailscale: z.object({ url: z.string(), oauthClientId: z.string(), oauthClientSecret: z.string() }),
  cloudflare: z.object({ url: z.string(), token: z.string(), zone: z.string() }),
  control: z.object({ url: z.string() }),
});
export type Endpoints = z.infer<typeof endpointsSchema>;

export interface LocalCloud extends Background {
  endpoints: Endpoints;
}

/** New accounts may have ten servers; the demo's has had its limit raised. */
const SETTINGS = { hetzner: { limits: { servers: 25 } } };

/** @throws Error naming its log when it does not come up */
export async function startLocalCloud(root: string, folder: string): Promise<LocalCloud> {
  const settings = join(folder, 'cloud.json');
  writeFileSync(settings, JSON.stringify(SETTINGS));
  const background = await startInBackground(root, {
    name: 'the local cloud',
    script: 'sandbox/main.ts',
    args: ['--port', '0', '--clock', String(RATE.booting), '--settings', settings],
    log: join(folder, 'cloud.log'),
  });
  return { ...background, endpoints: endpointsSchema.parse(JSON.parse(background.line)) };
}

/** What the providers read their end points and credentials from. */
export function cloudEnvironment({ hetzner, tailscale, cloudflare }: Endpoints): Record<string, string> {
  return {
    HCLOUD_ENDPOINT: hetzner.url,
    HCLOUD_TOKEN: hetzner.token,
    TAILSCALE_BASE_URL: tailscale.url,
    TAILSCALE_OAUTH_CLIENT_ID: tailscale.oauthClientId,
    TAILSCALE_OAUTH_CLIENT_SECRET: tailscale.oauthClientSecret,
    CLOUDFLARE_BASE_URL: cloudflare.url,
    CLOUDFLARE_API_TOKEN: cloudflare.token,
  };
}
