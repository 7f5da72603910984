import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { openSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { z } from 'zod';
import { cloudEnvironment } from '../demo/local-cloud';
import type { DeepPartial, SandboxSettings } from '../sandbox/settings';

const endpointsSchema = z.object({
  hetzner: z.object({ url: z.string(), token: z.string() }),
  tailscale: z.object({ url: z.string(), oauthClientId: z.string(), oauthClientSecret: z.string() }),
  cloudflare: z.object({ url: z.string(), token: z.string(), zone: z.string() }),
  control: z.object({ url: z.string() }),
});

const requestsSchema = z.object({
  requests: z.array(
    z.object({ vendor: z.string(), method: z.string(), path: z.string(), wallTime: z.string() }),
  ),
});
/** A request that a vendor got; `wallTime` is RFC 3339. */
export type Request = z.infer<typeof requestsSchema>['requests'][number];

/** The local cloud in a process of its own, so that its work is not on the measured process's account. */
export interface Cloud {
  /** End points and credentials, as the providers read them. */
  environment: Record<string, string>;
  requests(): Promise<Request[]>;
  clearRequests(): Promise<void>;
  reset(): Promise<void>;
  stop(): Promise<void>;
}

const ROOT = join(__dirname, '..');
const NEVER = 365 * 24 * 3600;
const MANY = 100_000;

/** Quotas out of the way, and machines that never boot: they would take processor time. */
const SETTINGS: DeepPartial<SandboxSettings> = {
  hetzner: {
    rateLimitPerHour: 100_000_000,
    limits: { servers: MANY, primaryIps: MANY, placementGroups: MANY, serversPerNetwork: MANY },
  },
  machines: { bootSeconds: { min: NEVER, max: NEVER } },
};

/**
 * @param folder for its settings and its log
 * @param pace `durationFactor` of Hetzner's actions, and how much faster than real the cloud's clock runs
 * @throws Error with where its log is when it does not come up
 */
export async function startCloud(
  folder: string,
  pace: { durationFactor: number; clockRate: number },
): Promise<Cloud> {
  const settings = join(folder, 'sandbox.json');
  const log = join(folder, 'sandbox.log');
  writeFileSync(
    settings,
    JSON.stringify({ ...SETTINGS, hetzner: { ...SETTINGS.hetzner, durationFactor: pace.durationFactor } }),
  );
  const child = spawn(
    process.execPath,
    [
      ...['--require', 'tsx/cjs', 'sandbox/main.ts', '--port', '0'],
      ...['--settings', settings, '--clock', String(pace.clockRate)],
    ],
    { cwd: ROOT, stdio: ['ignore', 'pipe', openSync(log, 'a')] },
  );
  const end = (): void => void child.kill('SIGTERM');
  process.on('exit', end);
  const line = await Promise.race([firstLine(child), exited(child, log)]);
  const endpoints = endpointsSchema.parse(JSON.parse(line));
  const control = async (method: string, path: string): Promise<unknown> => {
    const response = await fetch(`${endpoints.control.url}${path}`, { method });
    if (!response.ok) throw new Error(`the local cloud answers ${response.status} to ${method} ${path}`);
    return response.status === 204 ? undefined : response.json();
  };
  return {
    environment: cloudEnvironment(endpoints),
    requests: async () => requestsSchema.parse(await control('GET', '/requests')).requests,
    clearRequests: async () => void (await control('DELETE', '/requests')),
    reset: async () => void (await control('POST', '/reset')),
    stop: async () => {
      process.off('exit', end);
      const exit = once(child, 'exit');
      child.kill('SIGTERM');
      await exit;
    },
  };
}

function firstLine(child: ChildProcess): Promise<string> {
  return new Promise((resolve) => createInterface({ input: child.stdout! }).once('line', resolve));
}

async function exited(child: ChildProcess, log: string): Promise<never> {
  await once(child, 'exit');
  throw new Error(`the local cloud did not start; its log is ${log}`);
}
