import type { Log } from '../log';
import type { Registry } from '../registry/types';
import { guardHost, guardToken, isLoopback } from './admin-guard';
import { registerCommands } from './admin-commands';
import { registerReads } from './admin-reads';
import { keepHistory } from './history';
import { createListener, listen, type RunningListener } from './listener';
import type { Metrics } from './metrics';
import { registerPage } from './page';
import { statusReader } from './published';
import { registerReadiness, type Check } from './readiness';
import type { ServedStacks } from './stacks';

export interface AdminApiArgs {
  /** A loopback address, unless `allowRemote` is given. */
  readonly host: string;
  readonly port: number;
  /** Listens beyond this machine. What protects it then is the token and whatever network stands before it. */
  readonly allowRemote?: boolean;
  /** Further names under which browsers reach it, e.g. that of a proxy on this machine; without port. */
  readonly hostNames?: readonly string[];
  readonly adminToken: string;
  readonly stacks: ServedStacks;
  readonly registry: Registry;
  /** Seconds since 1970. */
  readonly now: () => number;
  readonly log: Log;
  readonly metrics: Metrics;
  /** Health of the loops, by stack; the registry's is asked here. */
  readonly readiness: () => readonly Check[];
  /** Asks the loop of this environment to act on a command now. */
  readonly wake: (environment: string) => void;
}

const BODY_LIMIT = 16_384;
const SHORTEST_TOKEN = 16;

/**
 * Listens for people and monitors on this machine: health, metrics, the JSON API and the page.
 * @throws Error when it would listen beyond this machine without having been told so, or with a token to be guessed
 */
export async function startAdminApi(args: AdminApiArgs): Promise<RunningListener> {
  const { host, allowRemote = false, hostNames = [], adminToken, registry, log, metrics } = args;
  if (!allowRemote && !isLoopback(host)) {
    throw new Error(
      `the admin API stays on this machine and ${host} is no loopback address; use 127.0.0.1 and reach it through SSH or a proxy`,
    );
  }
  if (adminToken.length < SHORTEST_TOKEN) {
    throw new Error(
      `the admin token is shorter than ${SHORTEST_TOKEN} characters; make one with \`openssl rand -hex 32\``,
    );
  }
  const app = createListener({ name: 'admin', bodyLimit: BODY_LIMIT, metrics, log });
  const status = statusReader(registry.memory);
  const history = keepHistory({ ...args, status });
  app.addHook('onClose', async () => history.stop());
  guardHost(app, [host, ...hostNames]);

  app.get('/healthz', async (_request, reply) => reply.type('text/plain; charset=utf-8').send('ok'));
  app.get('/metrics', async (_request, reply) =>
    reply.type(metrics.registry.contentType).send(await metrics.registry.metrics()),
  );
  registerReadiness(app, args);
  registerPage(app);
  // With the token; further parts of the API have their routes registered in here.
  await app.register(async (api) => {
    guardToken(api, adminToken);
    registerReads(api, { ...args, status, history });
    registerCommands(api, { ...args, status });
  });
  return listen(app, 'admin API', args);
}
