import { mkdirSync, readFileSync } from 'node:fs';
import { createServer } from 'node:net';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { openRegistry } from '../../automation/registry';
import { SILENT_AFTER } from '../../automation/observe/fleet';
import type { Intent } from '../../automation/registry/types';
import type { Settings } from '../../automation/settings';
import { emptyDatabase } from '../automation/registry/databases';
import { type Raw, tailnetAccess } from '../engine/configs';
import { endPlugins, findEngine } from '../engine/engine';
import { Environment, ROOT, STACK } from '../engine/harness';

export const ADMIN_TOKEN = 'admin-token-of-the-chaos-0123456789';

/** Most workers of each pool. */
export const MOST: Readonly<Record<string, number>> = { ci: 5, big: 4 };

const POOLS: Record<string, Raw> = {
  ci: {
    size: { min: 0, max: MOST['ci'] },
    slots: 2,
    image: 'debian-12',
    placements: [
      { serverType: 'cx33', location: 'fsn1' },
      { serverType: 'cpx32', location: 'nbg1' },
    ],
  },
  big: {
    size: { min: 0, max: MOST['big'] },
    slots: 1,
    image: 'debian-12',
    spread: true,
    placements: [{ serverType: 'cpx32', location: 'nbg1' }],
  },
};

/** Where a day is played: a local cloud, a stack on it, and what a service of that stack needs. */
export interface ChaosPlace {
  readonly environment: Environment;
  readonly settings: Settings;
  /** Edits the stack's file: from now on, `pool` is made of another image. */
  rollOut(pool: string): void;
  /** What is left in the registry, while no service runs. */
  openIntent(): Promise<Intent | undefined>;
  /** SIGKILL for every command of the engine that a service has left, as when the machine dies. */
  endEngine(): void;
  close(): Promise<void>;
}

/** @param registry `postgres` for a database of its own on the real one */
export async function openPlace(registry: 'embedded' | 'postgres', seed: number): Promise<ChaosPlace> {
  const environment = await Environment.start({
    seed,
    clock: { kind: 'stepped' },
    hetzner: { durationFactor: 0, limits: { servers: 50, primaryIps: 50 } },
    machines: { bootSeconds: { min: 60, max: 110 } },
  });
  const closers = [() => environment.close()];
  try {
    const port = await freePort();
    const jobs = `${environment.sandbox.endpoints.control.url}/jobs`;
    const file = (images: Record<string, string>): Raw => ({
      access: tailnetAccess(environment),
      service: { url: `http://127.0.0.1:${port}` },
      autoscaling: { enabled: true },
      pools: Object.fromEntries(
        Object.entries(POOLS).map(([name, pool]) => [
          name,
          { ...pool, image: images[name] ?? pool['image'], queue: queueAt(`${jobs}/${name}`) },
        ]),
      ),
    });
    environment.configure(file({}));
    const data = join(environment.folder, 'data');
    const home = join(data, 'pulumi');
    mkdirSync(home, { recursive: true });
    const plugins = (await findEngine()).linkPlugins(home);
    const database = registry === 'postgres' ? await emptyDatabase() : undefined;
    if (database) closers.push(() => database.remove());
    closers.push(async () => endPlugins(home));
    const settings: Settings = {
      stacks: [STACK],
      project: join(environment.folder, 'project'),
      data,
      databaseUrl: database?.location.url,
      workers: { host: '127.0.0.1', port },
      admin: { host: '127.0.0.1', port: 0, token: ADMIN_TOKEN },
      dryRun: false,
      environment: { ...environment.serviceVariables, ...plugins, WORKER_POOLS_ROOT: ROOT },
    };
    return {
      environment,
      settings,
      rollOut: (pool) => environment.configure(file({ [pool]: 'ubuntu-24.04' })),
      openIntent: async () => {
        const opened = await openRegistry(database?.location ?? { directory: join(data, 'registry') }, {
          silence: SILENT_AFTER,
        });
        return opened.intents.open(STACK).finally(() => opened.close());
      },
      endEngine: () => {
        endCommand(home);
        endPlugins(home);
      },
      close: async () => {
        for (const closer of closers.toReversed()) await closer();
      },
    };
  } catch (error) {
    for (const closer of closers.toReversed()) await closer();
    throw error;
  }
}

function queueAt(url: string): Raw {
  return { kind: 'http', url, waiting: 'waiting', running: 'running', oldestAge: 'oldestAge' };
}

/** The command leads a group of its own. Which one it is, the service has noted; by now it may be somebody else's. */
function endCommand(home: string): void {
  try {
    const { pid } = JSON.parse(readFileSync(join(home, `running-${STACK}.json`), 'utf8')) as { pid: number };
    const isOurs = readFileSync(`/proc/${pid}/environ`, 'utf8').split('\0').includes(`PULUMI_HOME=${home}`);
    if (isOurs) process.kill(-pid, 'SIGKILL');
  } catch {
    // None runs.
  }
}

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
}
