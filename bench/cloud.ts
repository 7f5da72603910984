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

const clockSchema = z.object({ now: z.string() });
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
  /** Where its control API is. */
  controlUrl: string;
  requests(): Promise<Request[]>;
  clearRequests(): Promise<void>;
  /** Jobs for a pool's machines, of so many seconds each. */
  addJobs(pool: string, jobs: readonly { seconds: number }[]): Promise<void>;
  /** Moves a stepped clock. @returns seconds since 1970 on it */
  advance(seconds: number): Promise<number>;
  reset(): Promise<void>;
  stop(): Promise<void>;
}

const ROOT = join(__dirname, '..');
/** Machines that boot would take processor time. */
const NEVER = 365 * 24 * 3600;
const MANY = 100_000;

/** Quotas out of the way. */
const LIMITS = {
  rateLimitPerHour: 100_000_000,
  limits: { servers: MANY, primaryIps: MANY, placementGroups: MANY, serversPerNetwork: MANY },
};

/**
 * @param folder for its settings and its log
 * @param pace `durationFactor` of Hetzner's actions, and how much faster than real the cloud's clock runs
 * @param bootSeconds of every machine; by default none ever comes up
 * @throws Error with where its log is when it does not come up
 */
export async function startCloud(
  folder: string,
  pace: { durationFactor: number; clockRate: number | 'stepped' },
  bootSeconds = NEVER,
): Promise<Cloud> {
  const settings = join(folder, 'sandbox.json');
  const log = join(folder, 'sandbox.log');
  writeFileSync(
    settings,
    JSON.stringify({
      hetzner: { ...LIMITS, durationFactor: pace.durationFactor },
      machines: { bootSeconds: { min: bootSeconds, max: bootSeconds } },
    } satisfies DeepPartial<SandboxSettings>),
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
  const control = async (method: string, path: string, body?: object): Promise<unknown> => {
    const response = await fetch(`${endpoints.control.url}${path}`, {
      method,
      ...(body && { headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) }),
    });
    if (!response.ok) throw new Error(`the local cloud answers ${response.status} to ${method} ${path}`);
    return response.status === 204 ? undefined : response.json();
  };
  return {
    environment: cloudEnvironment(endpoints),
    controlUrl: endpoints.control.url,
    requests: async () => requestsSchema.parse(await control('GET', '/requests')).requests,
    clearRequests: async () => void (await control('DELETE', '/requests')),
    addJobs: async (pool, jobs) => void (await control('POST', '/jobs', { pool, jobs })),
    advance: async (seconds) => {
      const { now } = clockSchema.parse(await control('POST', '/clock/advance', { seconds }));
      return Date.parse(now) / 1000;
    },
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
