import { type Censor, secretsOfUrl } from './censor';
import type { Clock } from './clock';
import { startAdminApi } from './http/admin-api';
import { createMetrics } from './http/metrics';
import type { ServedStack } from './http/stacks';
import { startWorkerApi } from './http/worker-api';
import type { Log } from './log';
import { SILENT_AFTER } from './observe/fleet';
import { openRegistry } from './registry';
import { engineSecrets, type Settings } from './settings';
import { StackLoop } from './stack-loop';

/** What surrounds a service: the machine's in production, a test's own otherwise. */
export interface Surroundings {
  readonly clock: Clock;
  readonly random: () => number;
  readonly log: Log;
  readonly censor: Censor;
}

/** A service that listens. Its rounds begin with `run`, or are made one by one. */
export interface Service {
  readonly workersUrl: string;
  readonly adminUrl: string;
  /** One round of every stack; resolves when the updates that it started have ended too. */
  round(): Promise<void>;
  /** Rounds until the signal; resolves when the last update has ended. */
  run(signal: AbortSignal): Promise<void>;
  close(): Promise<void>;
}

/**
 * Starts the service: registry, stacks, both listeners.
 * @throws ConfigError, Error naming what is in the way; nothing is left running then
 */
export async function startService(settings: Settings, surroundings: Surroundings): Promise<Service> {
  const closers: (() => Promise<void>)[] = [];
  const close = async (): Promise<void> => {
    for (const closer of closers.splice(0).reverse()) await closer();
  };
  try {
    return await open(settings, surroundings, closers, close);
  } catch (error) {
    await close();
    throw error;
  }
}

async function open(
  settings: Settings,
  surroundings: Surroundings,
  closers: (() => Promise<void>)[],
  close: () => Promise<void>,
): Promise<Service> {
  const { clock, log, censor } = surroundings;
  const { databaseUrl, environment } = settings;
  censor.add(settings.admin.token, ...engineSecrets(environment));
  if (databaseUrl !== undefined) censor.add(...secretsOfUrl(databaseUrl));
  const metrics = createMetrics();
  const registry = await openRegistry(
    databaseUrl === undefined ? { directory: `${settings.data}/registry` } : { url: databaseUrl },
    { silence: SILENT_AFTER },
  );
  closers.push(() => registry.close());

  const loops = new Map<string, StackLoop>();
  for (const stack of settings.stacks) {
    const loop = await StackLoop.open(stack, { settings, surroundings, registry, metrics });
    closers.push(() => loop.close());
    loops.set(loop.environment, loop);
  }

  const stacks = (): ReadonlyMap<string, ServedStack> =>
    new Map([...loops].map(([environment, loop]) => [environment, loop.served()]));
  const wake = (environment: string): void => loops.get(environment)?.wake();
  const common = { stacks, registry, now: () => clock.now(), log, metrics };
  const workers = await startWorkerApi({ ...settings.workers, ...common, wake });
  closers.push(() => workers.close());
  const admin = await startAdminApi({
    ...settings.admin,
    ...common,
    adminToken: settings.admin.token,
    readiness: () => [...loops.values()].map((loop) => loop.health()),
    wake,
  });
  closers.push(() => admin.close());

  return {
    workersUrl: workers.url,
    adminUrl: admin.url,
    round: async () => {
      await Promise.all([...loops.values()].map((loop) => loop.round()));
    },
    run: async (signal) => {
      await Promise.all([...loops.values()].map((loop) => loop.run(signal)));
    },
    close,
  };
}
