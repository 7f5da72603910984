import { join } from 'node:path';
import { createServer } from 'node:net';
import type { AddressInfo } from 'node:net';
import { z } from 'zod';
import { AdminClient } from '../automation/commands/admin-client';
import { readOwnAdminToken } from '../automation/settings';
import { type Background, startInBackground } from './background';
import { type Engine, STACK } from './engine';

export interface ScalingService extends Background {
  client: AdminClient;
  /** The status page is there; it asks for the token in the file. */
  adminUrl: string;
  tokenFile: string;
  log: string;
}

const lineSchema = z.object({ admin: z.string() });

/**
 * Starts the service for the demo's stack, on the local cloud's clock.
 * @param port where workers reach it, as the stack's file says
 * @param rate how much faster than real time runs while it watches and waits
 * @throws Error naming its log when it does not come up
 */
export async function startScalingService(
  root: string,
  { environment, project, data }: Engine,
  { port, control, rate }: { port: number; control: string; rate: number },
): Promise<ScalingService> {
  const log = join(data, 'service.log');
  const background = await startInBackground(root, {
    name: 'the scaling service',
    script: 'demo/serve.ts',
    args: [STACK, `127.0.0.1:${port}`, data, project, control, String(rate)],
    environment: { ...environment, WORKER_POOLS_ROOT: root },
    log,
  });
  const { admin } = lineSchema.parse(JSON.parse(background.line));
  const token = readOwnAdminToken(data);
  if (token === undefined) throw new Error(`the scaling service made no token; its log is ${log}`);
  return {
    ...background,
    client: new AdminClient(admin, token),
    adminUrl: admin,
    tokenFile: join(data, 'admin-token'),
    log,
  };
}

/** A port that nobody listens on. Machines are told it before the service runs. */
export async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
}
