import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { openSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { z } from 'zod';

const endpointsSchema = z.object({
  hetzner: z.object({ url: z.string(), token: z.string() }),
  tailscale: z.object({ url: z.string(), oauthClientId: z.string(), oauthClientSecret: z.string() }),
  cloudflare: z.object({ url: z.string(), token: z.string(), zone: z.string() }),
  control: z.object({ url: z.string() }),
});
export type Endpoints = z.infer<typeof endpointsSchema>;

export interface LocalCloud {
  endpoints: Endpoints;
  /** Process id, for whoever ends it later. */
  pid: number;
  stop(): Promise<void>;
  /** Lets it live on when this process ends. */
  leave(): void;
}

/** How much faster than real the local cloud's time runs: a machine is there in seconds, not minutes. */
export const TIME_FACTOR = 10;

/**
 * Starts the sandbox as a process of its own, in a process group of its own: Ctrl-C must not take the cloud away while
 * the engine is still finishing.
 * @throws Error with the end of its log when it does not come up
 */
export async function startLocalCloud(root: string, folder: string): Promise<LocalCloud> {
  const log = join(folder, 'sandbox.log');
  const child = spawn(
    process.execPath,
    ['--require', 'tsx/cjs', 'sandbox/main.ts', '--port', '0', '--clock', String(TIME_FACTOR)],
    { cwd: root, detached: true, stdio: ['ignore', 'pipe', openSync(log, 'a')] },
  );
  const line = await Promise.race([firstLine(child), exited(child, log)]);
  return {
    endpoints: endpointsSchema.parse(JSON.parse(line)),
    pid: child.pid!,
    stop: async () => {
      if (child.exitCode !== null || child.signalCode !== null) return;
      const exit = once(child, 'exit');
      child.kill('SIGTERM');
      await exit;
    },
    leave: () => {
      child.stdout?.destroy();
      child.unref();
    },
  };
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

function firstLine(child: ChildProcess): Promise<string> {
  return new Promise((resolve) => createInterface({ input: child.stdout! }).once('line', resolve));
}

async function exited(child: ChildProcess, log: string): Promise<never> {
  await once(child, 'exit');
  throw new Error(`the local cloud did not start; its log is ${log}`);
}
