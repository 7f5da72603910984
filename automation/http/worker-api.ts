import type { Log } from '../log';
import type { Registry } from '../registry/types';
import { createListener, listen, type RunningListener } from './listener';
import type { Metrics } from './metrics';
import { statusReader } from './published';
import { settling } from './settling';
import { registerSlotRoutes } from './slot-routes';
import type { ServedStacks } from './stacks';
import { registerWorkerRoutes } from './worker-routes';
import { tokenWatch } from './token-watch';

export interface WorkerApiArgs {
  readonly host: string;
  readonly port: number;
  readonly stacks: ServedStacks;
  readonly registry: Registry;
  /** Seconds since 1970. */
  readonly now: () => number;
  readonly log: Log;
  readonly metrics: Metrics;
  /** Asks the loop of this environment to decide now instead of at its next tick. */
  readonly wake: (environment: string) => void;
  /** Seconds between looks at what streams follow; 1 unless told otherwise. */
  readonly streamInterval?: number;
}

/** A heartbeat of a worker with a hundred slots is under a kilobyte. */
const BODY_LIMIT = 4096;

/**
 * Listens for workers and for callers that want a slot. Meant for the tailnet or a private network: it speaks plain
 * HTTP, and wrong tokens are counted and logged by address but not slowed down.
 */
export async function startWorkerApi(args: WorkerApiArgs): Promise<RunningListener> {
  const { registry, now, log, metrics, streamInterval = 1 } = args;
  const app = createListener({ name: 'workers', bodyLimit: BODY_LIMIT, metrics, log });
  const wrongToken = tokenWatch(now, log);
  const settle = settling(registry.slots, now, log);
  app.get('/healthz', async (_request, reply) => reply.type('text/plain; charset=utf-8').send('ok'));
  registerWorkerRoutes(app, { ...args, wrongToken, settle });
  registerSlotRoutes(app, {
    ...args,
    wrongToken,
    settle,
    status: statusReader(registry.memory),
    streamInterval,
  });
  return listen(app, 'worker API', args);
}
